"""The bytes of the work tree with the modes of the index: what a commit would hold, but for what filters do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kre.doors.git.objects import Objects


@dataclass(frozen=True, slots=True)
class Content:
    """A file: Git's mode, and its bytes (of a link its target, of a submodule nothing)."""

    mode: str
    content: bytes


def content(root: Path, folder: str, objects: Objects | None) -> dict[str, dict[str, Content]]:
    """The files of each folder in `folder` (relative to the root): folder -> path within it -> content.

    What Git ignores is left out; a file that it does not track yet counts with the mode that it would get. Without a
    repository every file counts.
    """
    modes = _modes(objects, folder) if objects else None
    found: dict[str, dict[str, Content]] = {}
    for path in sorted(modes) if modes is not None else _walk(root / folder):
        name, slash, rest = path.partition("/")
        full, indexed = root / folder / path, modes[path] if modes is not None else ""
        if slash and (indexed == "160000" or os.path.lexists(full)) and not (full.is_dir() and not full.is_symlink()):
            found.setdefault(name, {})[rest] = _content(full, indexed)
    return found


def _content(path: Path, indexed: str) -> Content:
    if indexed == "160000":
        return Content(indexed, b"")
    if path.is_symlink():
        return Content("120000", os.fsencode(os.readlink(path)))
    usual = "100755" if os.access(path, os.X_OK) else "100644"
    return Content(indexed if indexed in ("100644", "100755") else usual, path.read_bytes())


def _modes(objects: Objects, folder: str) -> dict[str, str]:
    """path below the folder -> mode in the index, "" for what is not tracked and not ignored."""
    where = f":(top,literal){objects.prefix}{folder}"
    prefix = f"{objects.prefix}{folder}/"
    listed = objects.text("ls-files", "--full-name", "-s", "-z", "--", where).split("\0")
    new = objects.text("ls-files", "--full-name", "-o", "--exclude-standard", "-z", "--", where).split("\0")
    found = {path.removeprefix(prefix): "" for path in new if path}
    for line in filter(None, listed):
        meta, _, path = line.partition("\t")
        found[path.removeprefix(prefix)] = meta.split(" ")[0]
    return found


def _walk(folder: Path) -> Iterator[str]:
    for at, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(at, name))]
        for name in (*names, *links):
            yield Path(os.path.relpath(os.path.join(at, name), folder)).as_posix()
