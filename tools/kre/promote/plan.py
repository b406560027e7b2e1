"""Plans a promotion: every hop on the way from one environment to another. Nothing is written, anywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from itertools import pairwise

from kre.errors import UsageError
from kre.model.policy import Step
from kre.model.promotion import Block, ComponentPlan, Hop, Plan, Reason, State
from kre.promote.component import Component
from kre.promote.gates import BLOCKED, PASSED, PENDING, Gates
from kre.promote.hop import Wanted, Way
from kre.promote.view import View


def plan(view: View, gates: Gates, source: str, target: str, wanted: Wanted = Wanted()) -> Plan:  # noqa: B008 - frozen
    """What each hop from `source` to `target` would write, and what stands against it.

    Raises UsageError for an environment, a path or a component that is not there.
    """
    start, end = view.step(source), view.step(target)
    path = view.policy.path(source, target)
    if not path:
        before = f"{end.name} is promoted from {end.source}" if end.source else f"{end.name} runs base/ itself"
        raise UsageError(f"no promotion leads from {source} to {target}", before)
    if not wanted.authors:
        wanted = replace(wanted, authors=frozenset({view.objects.author()} - {""}))
    if wanted.initial and all(view.lock(step) for step in path):
        raise UsageError(f"{end.name} was filled before, and --initial is for the first time", "leave it out")
    steps = [start, end] if wanted.hotfix else [start, *path]
    ways = [Way(view, gates, wanted, one, other) for one, other in pairwise(steps)]
    _known(wanted.components, {name for way in ways for name in way.names})
    hops: list[Hop] = []
    unmet: Hop | None = None
    for way in ways:
        made = _hop(way, unmet)
        hops.append(made)
        unmet = unmet or (None if made.met else made)
    return Plan(tuple(hops))


def checked(hop: Hop, gate: str, found: Mapping[str, Collection[Block]]) -> Hop:
    """A hop with a gate judged that was pending, "validate" or "policy": passed, but for the components in `found`."""
    made = []
    for each in hop.components:
        if each.gates.get(gate) != PENDING:
            made.append(each)
            continue
        blocks = tuple(found.get(each.name, ()))
        gates = {**each.gates, gate: BLOCKED if blocks else PASSED}
        locked = replace(each.locked, gates=gates) if each.locked else None
        made.append(blocked(replace(each, gates=gates, locked=locked), blocks))
    return replace(hop, components=tuple(_by_unit(made)))


def _known(names: Iterable[str], there: set[str]) -> None:
    for name in names:
        if name not in there:
            near = get_close_matches(name, there, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(there))}"
            raise UsageError(f"there is no component {name!r}", hint)


def _hop(way: Way, unmet: Hop | None) -> Hop:
    names = _selected(way)
    components = [Component(way, name).planned() for name in names]
    held = [_held(way, each) for each in components]
    whole = tuple(_whole(way, unmet))
    return Hop(
        way.source.name,
        way.target.name,
        way.view.base,
        _branch(way, names),
        tuple(_by_unit(held)),
        whole,
    )


def _selected(way: Way) -> tuple[str, ...]:
    """The components that were asked for, and those that go together with them."""
    wanted = {member for name in way.wanted.components for member in way.view.policy.members(name)}
    return tuple(name for name in way.names if name in wanted or not way.wanted.components)


def _branch(way: Way, names: tuple[str, ...]) -> str:
    if not way.wanted.components:
        last = "all"
    elif len(names) == 1 and names[0] != "all":
        last = names[0]
    else:
        last = hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]
    return f"promote/{way.target.name}/{last}"


def _whole(way: Way, unmet: Hop | None) -> Iterator[Block]:
    """What stands against the hop as a whole."""
    view, source, target = way.view, way.source, way.target
    if unmet:
        message = f"{source.name} does not have it yet: {unmet.source} -> {unmet.target} comes first"
        yield Block(Reason.SOURCE_NOT_MERGED, message, f"merge {unmet.branch}, then run this again")
    if view.source != view.base and view.source not in view.history:
        message = f"commit {view.source[:12]} is not on {view.branch}"
        yield Block(Reason.COMMIT_NOT_MERGED, message, "merge it first; only what is merged is promoted")
    if way.wanted.hotfix:
        yield from _skips(source, target)
    if source.source is not None and way.source_lock is None and not unmet:
        hint = f"kre promote {source.source} {source.name} --initial"
        yield Block(Reason.SOURCE_NOT_LOCKED, f"{source.lock} is not on {view.branch}", hint)
    if way.target_lock is None and not way.initial:
        message = f"{target.lock} is not on {view.branch}: {target.name} was never filled"
        yield Block(Reason.NO_LOCK, message, f"kre promote {source.name} {target.name} --initial")


def _skips(source: Step, target: Step) -> Iterator[Block]:
    """A hotfix goes where the policy lets it."""
    if target.hotfix is None or source.name not in (target.source, *target.hotfix.sources):
        message = f"the policy lets no hotfix go from {source.name} to {target.name}"
        yield Block(Reason.SKIPS_ENVIRONMENT, message, f"hotfix: of {target.name} in overlays/environments.yaml")


def _held(way: Way, component: ComponentPlan) -> ComponentPlan:
    """A hold of any member of its unit stops a component that would change. A hotfix does not lift it."""
    if component.state is State.IN_SYNC or way.target_lock is None:
        return component
    blocks = []
    for name in way.view.policy.members(component.name):
        entry = way.target_lock.components.get(name)
        if entry and entry.hold and way.gates.held(entry.hold):
            until = f" until {entry.hold.until:%Y-%m-%d %H:%M} UTC" if entry.hold.until else ""
            message = f"{name} is held by {entry.hold.by}{until}: {entry.hold.reason}"
            blocks.append(Block(Reason.HOLD, message, f"kre unhold {way.target.name} {name}"))
    return blocked(component, blocks)


def _by_unit(components: list[ComponentPlan]) -> Iterator[ComponentPlan]:
    """Where one component of a unit does not go on, the others wait for it."""
    for each in components:
        stuck = [other.name for other in components if other.unit == each.unit and other.blocks]
        if each.goes and stuck:
            message = f"goes together with {', '.join(stuck)} (unit {each.unit}), and that is blocked"
            yield blocked(each, [Block(Reason.UNIT, message, "see there")])
        else:
            yield each


def blocked(component: ComponentPlan, blocks: Collection[Block]) -> ComponentPlan:
    """A component with more against it: none of it is written then."""
    if not blocks:
        return component
    keeps = component.state in (State.DRIFTED, State.REMOVED, State.DOWNGRADE)
    state = component.state if keeps else State.BLOCKED
    return replace(component, state=state, blocks=(*component.blocks, *blocks), locked=None)
