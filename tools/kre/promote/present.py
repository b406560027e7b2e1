"""What an environment holds now, and what a branch that is not merged yet would make of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kre.doors.git import branches, push
from kre.doors.git.plumbing import Plumbing
from kre.errors import Blocked, UsageError
from kre.model.policy import Step
from kre.model.promotion import Locked
from kre.promote.view import View


def target(view: View, environment: str) -> Step:
    """An environment that is promoted into. Raises UsageError where there is none of this name."""
    step = view.step(environment)
    if step.source is None:
        names = ", ".join(each.name for each in view.policy.steps if each.source)
        raise UsageError(f"{environment} runs base/ itself: nothing is promoted into it", f"there are: {names}")
    return step


def entries(view: View, step: Step, commit: str = "") -> dict[str, Locked]:
    """The components in an environment's lock, now or at another commit; none where it has no lock."""
    lock = view.lock(step, commit)
    return dict(lock.components) if lock else {}


def entry(view: View, step: Step, component: str) -> Locked:
    """The entry of a component. Raises UsageError where the environment has none."""
    known = entries(view, step)
    if component not in known:
        names = f"there are: {', '.join(sorted(known))}" if known else "nothing was promoted there yet"
        raise UsageError(f"{step.name} has no component {component}", names)
    return known[component]


def past(view: View) -> Iterator[str]:
    """The commits that the default branch itself held, newest first. Raises Blocked where a shallow clone ends."""
    yield from view.history.first_parents
    if view.history.cut:
        raise Blocked("this clone lacks the history before", f"fetch it: {view.objects.mend}")


def pending(view: View, branch: str, step: Step, remote: str = "") -> tuple[dict[str, Locked], ...]:
    """The entries that a branch brings, here and as a remote had it at the last fetch: what was written before."""
    folder = view.objects.folder
    tips = [
        branches.tip(Plumbing(folder), f"refs/heads/{branch}"),
        push.seen(folder, remote, branch) if remote else "",
    ]
    return tuple(found for tip in dict.fromkeys(tips) if tip and (found := _readable(view, step, tip)))


def _readable(view: View, step: Step, commit: str) -> dict[str, Locked]:
    """As entries; none where somebody has spoilt the lock, for then it is not ours to go by."""
    try:
        return entries(view, step, commit)
    except UsageError:
        return {}


def settled(new: Locked, before: Locked | None) -> Locked:
    """`before`, if `new` only says it again: at another time, or of bytes that a later commit holds as well."""
    if before is None:
        return new
    source = replace(new.source, commit=before.source.commit)
    again = replace(new, promoted=before.promoted, source=source, origin=before.origin)
    return before if again == before else new
