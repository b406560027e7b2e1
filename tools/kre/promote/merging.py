"""At merge: the gates of whatever a change writes into locks, judged again by what is merged, for a lock that says
`passed` is only a text. Policy, signers, approvals, holds and history are BASE's, never those proposed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from kre.errors import UsageError
from kre.load import lockfile
from kre.model.bundle import Bundle, Environment
from kre.model.finding import Finding, Place
from kre.model.policy import Step
from kre.model.promotion import Lock, Locked
from kre.promote.component import FIRST_FILL
from kre.promote.gates import PASSED, PENDING, Case, Gates
from kre.promote.hop import Wanted, Way
from kre.promote.view import View
from kre.rules.locks import rolled_back

RULE = "P16"


def gates_again(root: Path, bundle: Bundle, since: str, gates: Gates) -> Iterator[Finding]:
    """What stands against the entries that a change since a revision writes. What else is wrong with them, rules say.

    Raises as View.
    """
    changed = [(environment, *locks) for environment in bundle.environments if (locks := _locks(bundle, environment))]
    if not changed:
        return
    with View(root, base=since) as view:
        try:
            authors = view.objects.authors(since)
            for environment, old, new in changed:
                step = view.policy.step(environment.name)
                if step is not None and step.source is not None:
                    yield from _Merge(bundle, view, gates, step, old, new, authors).findings()
        except UsageError:  # a policy or a lock that can't be read: S05 has its line
            return


def _locks(bundle: Bundle, environment: Environment) -> tuple[Lock, Lock] | None:
    """The lock of an environment before and after, None where it is the same or can't be read."""
    if bundle.before is None or environment.source is None:
        return None
    path = f"{environment.folder}/release.lock.yaml"
    sources = [known.sources.get(path) for known in (bundle.before, bundle)]
    try:
        old, new = (lockfile.of(source) if source else Lock(environment.name) for source in sources)
    except UsageError:
        return None
    return None if old == new else (old, new)


class _Merge:
    """The lock of one environment, before and after."""

    def __init__(
        self, bundle: Bundle, view: View, gates: Gates, step: Step, old: Lock, new: Lock, authors: frozenset[str]
    ) -> None:
        self._bundle, self._view, self._gates, self._step = bundle, view, gates, step
        self._old, self._new, self._authors = old, new, authors

    def findings(self) -> Iterator[Finding]:
        for name in sorted({*self._old.components, *self._new.components}):
            before, after = self._old.components.get(name), self._new.components.get(name)
            if (
                before == after
                or (before and after and replace(before, hold=None) == replace(after, hold=None))
                or (after and rolled_back(self._bundle, self._step, name, after))
            ):
                continue
            for message, hint in (*self._held(name), *self._judged(name, after)):
                path = self._step.lock
                source = self._bundle.sources.get(path)
                place = source.at(("components", name)) if source else Place(path)
                yield Finding(RULE, "error", place, f"{name}: {message}", hint, environments=(self._step.name,))

    def _held(self, name: str) -> Iterator[tuple[str, str]]:
        """Holds that are merged: lifted by a change of their own, before."""
        for member in self._view.policy.members(name):
            entry = self._old.components.get(member)
            if entry and entry.hold and self._gates.held(entry.hold):
                yield (
                    f"{member} is held by {entry.hold.by}: {entry.hold.reason}",
                    f"kre unhold {self._step.name} {member}",
                )

    def _judged(self, name: str, after: Locked | None) -> Iterator[tuple[str, str]]:
        step, policy = self._step, self._view.policy
        source = policy.step(after.environment if after else step.source or "")
        if source is None:
            return  # P16 says that it is skipped
        way = Way(self._view, self._gates, Wanted(authors=self._authors), source, step)
        first, hotfix = not self._old.components, after is not None and after.hotfix and step.hotfix
        waives = FIRST_FILL if first else frozenset(step.hotfix.waives) if hotfix and step.hotfix else frozenset()
        digest = after.digest if after else self._view.digest(())
        case = Case(step, name, digest, way.standing(name), self._authors, "initial" if first else "hotfix", waives)
        verdict = self._gates.judge(self._view, case)
        yield from ((f"{block.reason.value}: {block.message}", block.hint) for block in verdict.blocks)
        told = {gate: PASSED if state == PENDING else state for gate, state in verdict.gates.items()}
        if after and not verdict.blocks and dict(after.gates) != told:
            wanted = ", ".join(f"{gate} {state}" for gate, state in told.items()) or "none"
            yield f"its gates are not as they are by what is merged: {wanted}", "promote it anew: kre promote"
