"""A commit with some files changed, as a work tree of its own that nobody has registered: what a branch would be when
it is checked out, before there is a branch, or a commit, or anything new in the repository."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kre.doors.git.objects import LINK, SUBMODULE, Objects
from kre.doors.git.plumbing import Plumbing
from kre.doors.git.repository import blob_id
from kre.errors import UsageError
from kre.model.promotion import Entry


@contextlib.contextmanager
def checked_out(
    objects: Objects,
    commit: str,
    files: Mapping[str, Entry | bytes | None],
    new: Mapping[str, bytes],
    only: Iterable[str] | None = None,
) -> Iterator[Path]:
    """The folder that `objects` was opened for, as it is at a commit with `files` changed, in a temporary place.

    Git works there as in a linked work tree: HEAD is the commit, the index is what is on disk, objects and refs are
    the repository's. `files` is as a Change has it; `new` holds the bytes of blobs that Git does not have. `only` names
    files and folders: nothing else is put on disk.
    """
    entries = {entry.path: entry for entry in objects.tree(commit)}
    contents = dict(new)
    for path, item in files.items():
        old = entries.pop(path, None)
        if isinstance(item, bytes):
            blob = blob_id(item, commit)
            contents[blob] = item
            entries[path] = Entry(path, old.mode if old else "100644", blob)
        elif item is not None:
            entries[path] = Entry(path, item.mode, item.blob)
    with tempfile.TemporaryDirectory(prefix="kre-") as temporary:
        top = Path(temporary).resolve() / "tree"
        _administer(objects, commit, top, entries.values())
        root = top / objects.prefix
        root.mkdir(parents=True, exist_ok=True)
        _put_all(objects, root, entries.values(), contents, only)
        yield root


def written(objects: Objects, commit: str, root: Path, only: Iterable[str] | None = None) -> None:
    """Writes the files of a commit into a folder, which knows nothing of Git then; `only` as checked_out has it."""
    _put_all(objects, root, objects.tree(commit), {}, only)


def _administer(objects: Objects, commit: str, top: Path, entries: Iterable[Entry]) -> None:
    """Git's own files of a work tree, beside it."""
    own = top.parent / "git"
    own.mkdir()
    top.mkdir()
    (own / "HEAD").write_text(f"{commit}\n")
    (own / "commondir").write_text(f"{Plumbing(objects.folder).places[1]}\n")
    (own / "gitdir").write_text(f"{top / '.git'}\n")
    (top / ".git").write_text(f"gitdir: {own}\n")
    lines = [f"{entry.mode} {entry.blob}\t{objects.prefix}{entry.path}\0" for entry in entries]
    Plumbing(top).run("update-index", "-z", "--index-info", stdin="".join(lines))


def _put_all(
    objects: Objects, root: Path, entries: Iterable[Entry], contents: Mapping[str, bytes], only: Iterable[str] | None
) -> None:
    wanted = None if only is None else tuple(f"{name}/" for name in only)
    for entry in entries:
        if wanted is None or f"{entry.path}/".startswith(wanted):
            _put(objects, root, entry, contents)


def _put(objects: Objects, root: Path, entry: Entry, contents: Mapping[str, bytes]) -> None:
    """One file as Git has it: no filter and no change of line ends."""
    parts = entry.path.split("/")
    if any(part.casefold() in ("", ".", "..", ".git") for part in parts):
        raise UsageError(f"{entry.path!r} is no path that a repository may have")
    path = os.path.join(root, *parts)
    if entry.mode == SUBMODULE:
        os.makedirs(path, exist_ok=True)
        return
    content = contents[entry.blob] if entry.blob in contents else objects.blob(entry.blob)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if entry.mode == LINK:
        os.symlink(os.fsdecode(content), path)
        return
    with open(path, "wb") as file:
        file.write(content)
        os.fchmod(file.fileno(), 0o755 if entry.mode == "100755" else 0o644)
