"""Drift: what the target holds that no promotion brought. Refused, unless somebody says to keep it, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from kre.load.deviation import deviation
from kre.model.promotion import Accepted, Block, FileChange, Locked, Reason, Side


def settle(
    files: Iterable[FileChange], merge: bool, reason: str, *, gone: bool = False
) -> tuple[tuple[FileChange, ...], tuple[Block, ...]]:
    """The files with drift decided, and what is left to decide.

    `merge` keeps what the target changed, and merges where the source changed the same file; `reason` (--accept-drift)
    keeps the target's file as it is, also where that does not merge. Of a component that is `gone` in the source,
    nothing is kept once its drift is accepted.
    """
    made = tuple(_decided(each, merge, reason, gone) for each in files)
    conflicts = tuple(each.path for each in made if each.side is Side.CONFLICT and merge and not reason)
    drifted = tuple(each.path for each in made if each.drift and not (merge or reason))
    blocks = []
    if drifted:
        message = "these were changed in the target, by no promotion"
        hint = "bring the change to base/ and restore them; or --merge, or --accept-drift REASON"
        blocks.append(Block(Reason.DRIFT, message, hint, drifted))
    if conflicts:
        message = "both sides changed these, and they do not merge"
        hint = "--accept-drift REASON keeps the target's; else mend the one or the other"
        blocks.append(Block(Reason.CONFLICT, message, hint, conflicts))
    return made, tuple(blocks)


def _decided(file: FileChange, merge: bool, reason: str, gone: bool) -> FileChange:
    """A merged file counts only where that was asked for: a reason alone leaves the target's."""
    if gone and reason:
        return replace(file, result=None)
    if file.side is Side.MERGED and reason and not merge:
        return replace(file, side=Side.KEEP, result=file.ours, text=b"")
    return file


def explained(files: Iterable[FileChange], before: Locked | None, reason: str) -> tuple[Accepted, ...]:
    """Exactly the difference between what the target would hold and the source, for the lock. What was accepted before
    keeps its reason."""
    known = {each.path: each for each in before.accepted} if before else {}
    return tuple(_explained(files, known, reason))


def _explained(files: Iterable[FileChange], known: dict[str, Accepted], reason: str) -> Iterator[Accepted]:
    for file in files:
        if file.result != file.theirs:
            made = deviation(file.path, file.result, file.theirs, reason)
            old = known.get(file.path)
            yield replace(made, reason=old.reason) if old and replace(old, reason=reason) == made else made
