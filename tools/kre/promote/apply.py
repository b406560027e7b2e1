"""From a planned hop to its commit. Nothing is decided here: what the plan says is what is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kre.doors.git.write import Change
from kre.model.promotion import Accepted, ComponentPlan, Hop, Locked, Side
from kre.promote import present
from kre.promote.gates import PENDING
from kre.promote.view import View
from kre.promote.writing import Outcome, deliver, entries_with, lock_bytes, settled_entries

NAMED = 3  # components that the first line names
LISTED = 50  # commits that the message lists


def apply(view: View, hop: Hop, remote: str = "") -> Outcome:
    """Writes the hop's commit on its branch, and pushes that where a remote is named. Raises as deliver, and ValueError
    for a hop of which nothing goes, or with gates that nobody judged."""
    made = change(view, hop, remote)
    if any(PENDING in each.gates.values() for each in hop.goes):
        raise ValueError("a gate is pending")
    return deliver(view.objects.folder, made, remote)


def change(view: View, hop: Hop, remote: str = "") -> Change:
    """The commit that the hop would be: the files of what goes, and the lock. What the branch says already, here or as
    the remote had it, keeps its date. Raises ValueError where nothing goes."""
    going = hop.goes
    if not going:
        raise ValueError("nothing goes")
    step = view.step(hop.target)
    pending = present.pending(view, hop.branch, step, remote)
    new = settled_entries({each.name: each.locked for each in going}, pending)
    files = {step.lock: lock_bytes(step, entries_with(view, step, new))}
    blobs: dict[str, bytes] = {}
    for component in going:
        for file in component.files:
            if file.result != file.ours:
                files[f"{step.release}/{component.name}/{file.path}"] = file.result
            if file.side is Side.MERGED and file.result:
                blobs[file.result.blob] = file.text
    going = tuple(replace(each, locked=new[each.name]) for each in going)
    return Change(hop.branch, hop.base, message(hop, going), files, blobs)


def message(hop: Hop, going: tuple[ComponentPlan, ...]) -> str:
    """A conventional commit's message: what goes, what it brings, and trailers for people. Only the lock is
    evidence."""
    return "\n".join([_subject(hop, going), "", *_body(going), "", *_trailers(hop, going)])


def _subject(hop: Hop, going: tuple[ComponentPlan, ...]) -> str:
    names = [each.name for each in going]
    what = ", ".join(names) if len(names) <= NAMED else f"{len(names)} components"
    if any(each.locked and each.locked.hotfix for each in going):
        return f"fix({hop.target}): hotfix {what} from {hop.source}"
    return f"feat({hop.target}): promote {what} from {hop.source}"


def _body(going: tuple[ComponentPlan, ...]) -> Iterator[str]:
    for each in going:
        yield f"{each.name}: {_what(each.before, each.locked)}"
    if reasons := sorted({each.locked.hotfix for each in going if each.locked and each.locked.hotfix}):
        yield from ("", *(f"Hotfix: {_line(reason)}" for reason in reasons))
    commits = {commit.id: commit for each in going for commit in each.commits}
    if commits:
        newest = sorted(commits.values(), key=lambda commit: (commit.date, commit.id), reverse=True)
        yield from ("", "Commits included:")
        yield from (f"- {commit.id[:12]} {_line(commit.subject)}" for commit in newest[:LISTED])
        if len(newest) > LISTED:
            yield f"- and {len(newest) - LISTED} older ones"
    kept = [(each.name, item) for each in going if each.locked for item in each.locked.accepted]
    if kept:
        yield from ("", "Deviations accepted:")
        yield from (f"- {_deviation(name, item)}" for name, item in kept)


def _what(before: Locked | None, after: Locked | None) -> str:
    if after is None:
        return "removed"
    old, new = (str(each.versions.get("chart", "")) if each else "" for each in (before, after))
    if before is None:
        return f"new, {new}" if new else "new"
    return f"{old} -> {new}" if old != new and old and new else new or after.digest[:19]


def _deviation(name: str, item: Accepted) -> str:
    held = "" if item.blob else " (not there)"
    return f"{name}/{item.path}{held}: {_line(item.reason)}"


def _trailers(hop: Hop, going: tuple[ComponentPlan, ...]) -> Iterator[str]:
    yield f"Promoted-From: {hop.source}"
    for each in going:
        if each.locked:
            yield f"Promoted-Commit: {each.name} {each.locked.source.commit}"
            yield f"Promoted-Digest: {each.name} {each.locked.digest}"
        else:
            yield f"Removed: {each.name}"


def _line(text: str) -> str:
    """One line of text, whatever somebody wrote."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
