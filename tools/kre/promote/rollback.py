"""Back to what an environment ran before: the bytes as Git has them, and a hold, so that nothing brings the new ones
back at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from kre.doors.git.write import Change
from kre.errors import Blocked, UsageError
from kre.model.policy import Step
from kre.model.promotion import AcceptedRisk, Entry, Hold, Locked, Previous
from kre.promote import present
from kre.promote.view import View
from kre.promote.writing import entries_with, lock_bytes, release_files, settled_entries

WAIVED = "waived: rollback"
_ALWAYS = ("validate", "policy")  # what a rollback has to pass as well


@dataclass(frozen=True, slots=True)
class Restored:
    """A component of a rollback: the commit whose bytes it gets, its files there and now, its entry before and after.
    Where `after` is None it keeps what it has."""

    component: str
    commit: str
    files: tuple[Entry, ...]
    present: tuple[Entry, ...]
    before: Locked
    after: Locked


def restore(
    view: View, step: Step, component: str, hold: Hold, at: datetime, *, to: str = "", alone: bool = False
) -> tuple[Restored, ...]:
    """What a rollback makes of a component and of those that go together with it (`alone`: of that one).

    They go back to the commit of the default branch before the component's present entry, or to `to`, a commit of its
    own. Raises UsageError where there is nothing to go back to, Blocked where the bytes there are not those that the
    locks name, or history is missing.
    """
    entry = present.entry(view, step, component)
    commit = _named(view, to) if to else _before(view, step, component, entry)
    members = (component,) if alone else view.policy.members(component)
    there = present.entries(view, step)
    found = [_restored(view, step, name, commit, hold, at, checked=not to) for name in members if name in there]
    made = tuple(item for item in found if item is not None)
    if not any(item.component == component for item in made):
        raise UsageError(
            f"{component} in {step.name} is what it was at {commit[:12]}", "name an older commit: --to REV"
        )
    return made


def change(
    view: View, step: Step, component: str, restored: tuple[Restored, ...], hold: Hold, remote: str = ""
) -> Change:
    """The commit that brings the restored components back."""
    branch = f"rollback/{step.name}/{component}"
    pending = present.pending(view, branch, step, remote)
    new = settled_entries({item.component: item.after for item in restored}, pending)
    files = {step.lock: lock_bytes(step, entries_with(view, step, new))}
    for item in restored:
        files |= release_files(step, item.component, item.present, item.files)
    names = ", ".join(item.component for item in restored)
    lines = [f"revert({step.name}): roll back {names}", "", hold.reason, ""]
    for item in restored:
        lines.append(f"Rolled-Back-To: {item.component} {item.commit}")
        lines.append(f"Rolled-Back-From: {item.component} {item.before.digest}")
        lines.append(f"Promoted-Digest: {item.component} {item.after.digest}")
    return Change(branch, view.base, "\n".join(lines), files)


def accepting(restored: tuple[Restored, ...], risks: tuple[AcceptedRisk, ...]) -> tuple[Restored, ...]:
    """The same, with risks accepted in the lock, by the first of the components."""
    first, *others = restored
    return (replace(first, after=replace(first.after, accepted_risks=risks)), *others)


def _restored(
    view: View, step: Step, component: str, commit: str, hold: Hold, at: datetime, *, checked: bool
) -> Restored | None:
    """One component as it was at a commit; None where it has not changed since."""
    before, then = present.entry(view, step, component), present.entries(view, step, commit).get(component)
    if then is None:
        hint = "another component of the unit may be older: --alone"
        raise UsageError(f"{step.name} had no {component} at {commit[:12]}", hint)
    if _bare(then) == _bare(before):
        return None
    files = view.entries(step, component, commit)
    digest = view.digest(files)
    if digest != then.digest:
        message = f"the bytes of {component} in {step.name} at {commit[:12]} are not those that its lock named then"
        raise Blocked(message, "name another commit: --to REV")
    if checked and (before.previous is None or before.previous.digest != digest):
        message = f"{component} in {step.name} came by more than one promotion since {commit[:12]}"
        raise Blocked(message, f"go back to it all the same: --to {commit[:12]}; or roll back one component: --alone")
    gates = {name: "passed" if name in _ALWAYS else WAIVED for name in {**then.gates, **before.gates}}
    after = replace(
        then,
        gates=dict(sorted(gates.items())),
        accepted_risks=(),  # what was accepted for a promotion holds for that one alone
        previous=Previous(before.digest, before.source, before.origin),
        promoted=at,
        hold=hold,
    )
    return Restored(component, commit, files, view.entries(step, component), before, after)


def _before(view: View, step: Step, component: str, entry: Locked) -> str:
    """The newest commit of the default branch that had another entry."""
    if entry.previous is None:
        raise UsageError(
            f"{component} is in {step.name} since its first fill: there is nothing to go back to",
            "dev's next version is the way on; or name a commit: --to REV",
        )
    for commit in present.past(view):
        then = present.entries(view, step, commit).get(component)
        if then is None or _bare(then) != _bare(entry):
            return commit
    raise Blocked(f"no commit of the default branch had another {component} in {step.name}", "name one: --to REV")


def _named(view: View, revision: str) -> str:
    """A commit that the default branch itself held."""
    commit = view.objects.resolve(revision)
    if commit not in present.past(view):
        hint = "one of: git log --first-parent --format=oneline -- overlays"
        raise UsageError(f"{revision} was never what the default branch held", hint)
    return commit


def _bare(entry: Locked) -> Locked:
    """An entry without what a hold adds to it."""
    return replace(entry, hold=None)
