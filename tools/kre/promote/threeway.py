"""Three versions of a component, file by file: what the source changed, what the target changed, and what comes of it.

base is the source as it was last promoted, ours the target as it is, theirs the source as it is. A file counts by
its mode and its bytes; "no file" is a version as good as any. All cases:

| base | ours | theirs | side | result |
|---|---|---|---|---|
| any | same as theirs | | SAME | ours |
| | same as base | another | TAKE | theirs |
| | another | same as base | KEEP | ours |
| a file | another | a third, and they merge | MERGED | both |
| any | another | a third, and they do not merge | CONFLICT | ours |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from kre.doors.git import blob_id
from kre.model.promotion import Entry, FileChange, Side

Read: TypeAlias = Callable[[str], bytes]
Merge: TypeAlias = Callable[[bytes, bytes, bytes], tuple[bytes, bool]]  # base, ours, theirs -> text, without conflict

FILES = ("100644", "100755")


def compare(
    base: Iterable[Entry],
    ours: Iterable[Entry],
    theirs: Iterable[Entry],
    read: Read,
    merge: Merge,
    accepted: Callable[[str, Entry | None], bool] | None = None,
) -> tuple[FileChange, ...]:
    """Every file that one of the three versions holds, sorted by path.

    `read` gives the bytes of a blob; `merge` is asked only where both sides changed the bytes of a file. `accepted`
    says of a path and what the target holds there (None: nothing) whether the target's lock explains it.
    """
    versions = [{entry.path: entry for entry in entries} for entries in (base, ours, theirs)]
    paths = sorted({path for version in versions for path in version})
    return tuple(_changes(paths, versions, read, merge, accepted))


def _changes(
    paths: Iterable[str],
    versions: list[dict[str, Entry]],
    read: Read,
    merge: Merge,
    accepted: Callable[[str, Entry | None], bool] | None,
) -> Iterator[FileChange]:
    for path in paths:
        base, ours, theirs = (version.get(path) for version in versions)
        if ours == theirs:
            yield FileChange(path, base, ours, theirs, Side.SAME, ours)
        elif ours == base:
            yield FileChange(path, base, ours, theirs, Side.TAKE, theirs)
        elif theirs == base:
            known = accepted is not None and accepted(path, ours)
            yield FileChange(path, base, ours, theirs, Side.KEEP, ours, accepted=known)
        else:
            yield _both(path, base, ours, theirs, read, merge)


def _both(
    path: str, base: Entry | None, ours: Entry | None, theirs: Entry | None, read: Read, merge: Merge
) -> FileChange:
    """Both sides changed it, each in its way: mode and bytes are merged apart."""
    sides = [entry for entry in (base, ours, theirs) if entry]
    if any(entry.mode not in FILES for entry in sides):  # a link or a submodule
        return FileChange(path, base, ours, theirs, Side.CONFLICT, ours)
    if base is None or ours is None or theirs is None:
        text, _ = merge(*(read(entry.blob) if entry else b"" for entry in (base, ours, theirs)))
        return FileChange(path, base, ours, theirs, Side.CONFLICT, ours, text)
    mode = _one(base.mode, ours.mode, theirs.mode)  # there are two modes of files, so two of these are equal
    blob = _one(base.blob, ours.blob, theirs.blob)
    if blob:
        return FileChange(path, base, ours, theirs, Side.MERGED, Entry(path, mode, blob), read(blob))
    text, clean = merge(read(base.blob), read(ours.blob), read(theirs.blob))
    if not clean:
        return FileChange(path, base, ours, theirs, Side.CONFLICT, ours, text)
    return FileChange(path, base, ours, theirs, Side.MERGED, Entry(path, mode, blob_id(text, ours.blob)), text)


def _one(base: str, ours: str, theirs: str) -> str:
    """What becomes of a value that has no parts, "" where both sides changed it in different ways."""
    if theirs in (ours, base):
        return ours
    return theirs if ours == base else ""


def paths_of(changes: Iterable[FileChange]) -> Mapping[str, Entry]:
    """What the target would hold, by path."""
    return {change.path: change.result for change in changes if change.result}
