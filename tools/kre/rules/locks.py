"""P16: what a change writes into a lock continues what is merged.

A lock is evidence only because each entry leads to the one before, and brings what the environment before it runs.
Whoever could write entries by hand could promote anything: so each that changes is held against the older revision.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kre.errors import UsageError
from kre.load import lockfile, policy
from kre.load.layout import POLICY
from kre.model.bundle import Bundle, Environment
from kre.model.finding import Place
from kre.model.policy import Policy, Step
from kre.model.promotion import Lock, Locked, Previous
from kre.rules.registry import Hit, rule


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry that a change writes: what stood there before, and its environment's step in the merged policy."""

    component: str
    step: Step
    before: Locked | None
    after: Locked
    first: bool  # nothing was ever promoted into the environment


@rule("P16", "an entry of a lock continues what is merged", "layout")
def continued(bundle: Bundle) -> Iterator[Hit]:
    """Needs an older revision: `kre validate --changed-since REV`. What can't be read is S05's."""
    if bundle.before is None:
        return
    rendered = {root.environment for root in bundle.roots}
    merged = _policy(bundle.before)
    for environment in bundle.environments:
        if environment.name not in rendered:
            continue
        old, new = (_lock(known, environment) for known in (bundle.before, bundle))
        if old == new or merged is None:
            continue
        if new is None:
            where, names = Place(f"{environment.folder}/release.lock.yaml"), (environment.name,)
            yield Hit(where, f"the lock of {environment.name} is gone, or can't be read", "bring it back", names)
            continue
        # Of an environment that is new, nothing is merged but the policy's other steps.
        step = merged.step(environment.name) or Step(environment.name, environment.source)
        for component, message, hint in _wrong(bundle, merged, step, old or Lock(environment.name), new):
            yield Hit(_place(bundle, environment, component), message, hint, (environment.name,))


def _wrong(bundle: Bundle, merged: Policy, step: Step, old: Lock, new: Lock) -> Iterator[tuple[str, str, str]]:
    """(component, message, hint) of each entry that does not follow."""
    for component in sorted({*old.components, *new.components}):
        before, after = old.components.get(component), new.components.get(component)
        if before == after:
            continue
        if after is None:
            if component in _digests(bundle, merged, step.source or ""):
                hint = f"only what {step.source} no longer has is removed: kre promote --allow-delete"
                yield component, f"{component} is gone from the lock", hint
        elif before is None or replace(after, hold=None) != replace(before, hold=None):
            entry = _Entry(component, step, before, after, not old.components)
            yield from ((component, message, hint) for message, hint in _entry(bundle, merged, entry))


def _entry(bundle: Bundle, merged: Policy, entry: _Entry) -> Iterator[tuple[str, str]]:
    before, after, name = entry.before, entry.after, entry.component
    expected = Previous(before.digest, before.source, before.origin) if before else None
    if after.previous != expected:
        what = f"is not {before.digest[:19]}..., which is merged" if before else "names one, and none is merged"
        yield f"{name}: what the entry replaces {what}", "promote it anew, from what is merged now: kre promote"
    if rolled_back(bundle, entry.step, entry.component, entry.after):
        return
    allowed = {entry.step.source} | set(entry.step.hotfix.sources if entry.step.hotfix and after.hotfix else ())
    if after.environment not in allowed:
        yield f"{name}: it comes from {after.environment}, not from {entry.step.source}", "no environment is skipped"
        return
    named = _digests(bundle, merged, after.environment).get(name)
    if named != after.source.digest:
        known = f"{after.environment} runs {named[:19]}..." if named else f"{after.environment} has no {name}"
        yield (
            f"{name}: its source is {after.source.digest[:19]}..., and {known}, as far as it is merged",
            (f"merge it into {after.environment} first, then promote it anew: kre promote"),
        )
    ran = [gate for gate, told in after.gates.items() if told == "passed" and gate not in ("validate", "policy")]
    if entry.first and ran:
        yield f"{name}: {', '.join(ran)} is said to be passed: the first fill waives it", "kre promote --initial"


def rolled_back(bundle: Bundle, step: Step, component: str, after: Locked) -> bool:
    """Whether an entry brings back, and holds, what the lock of an environment named before."""
    known = bundle.before.merged.locked if bundle.before and bundle.before.merged else {}
    past = known.get((step.name, component), frozenset())
    return after.hold is not None and (after.source, after.digest) in past


def _digests(bundle: Bundle, merged: Policy, name: str) -> dict[str, str]:
    """Component -> the digest of what an environment runs, as far as it is merged."""
    step, before = merged.step(name), bundle.before
    if step is None or before is None:
        return {}
    if step.source is None:
        return dict(before.merged.digests) if before.merged else {}
    lock = _lock(before, Environment(name, step.source, f"overlays/{name}"))
    return {component: entry.digest for component, entry in lock.components.items()} if lock else {}


def _policy(bundle: Bundle) -> Policy | None:
    try:
        return policy.of(bundle.sources[POLICY])
    except (KeyError, UsageError):
        return None


def _lock(bundle: Bundle, environment: Environment) -> Lock | None:
    source = bundle.sources.get(f"{environment.folder}/release.lock.yaml")
    try:
        return lockfile.of(source) if source else None
    except UsageError:
        return None


def _place(bundle: Bundle, environment: Environment, component: str) -> Place:
    path = f"{environment.folder}/release.lock.yaml"
    source = bundle.sources.get(path)
    return source.at(("components", component)) if source else Place(path)
