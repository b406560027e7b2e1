"""The files of an environment, byte by byte: which differ, never what is in them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from kre.compare.objects import Side
from kre.doors import files
from kre.load.sources import relative


@dataclass(frozen=True, slots=True)
class FileDelta:
    """A file that is added, removed or changed, with its sizes in bytes; None where there is none."""

    path: str
    before: int | None
    after: int | None

    @property
    def what(self) -> str:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


def content(before: Side, after: Side) -> tuple[FileDelta, ...]:
    """The files below the folders of an environment that differ, sorted. What an environment runs stands below
    `release/`, whether it is a release or base/; what is its own below its folder, without the name."""
    old, new = dict(_files(before)), dict(_files(after))
    return tuple(
        FileDelta(path, *(entry[0] if entry else None for entry in (old.get(path), new.get(path))))
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path)
    )


def _files(side: Side) -> Iterator[tuple[str, tuple[int, str]]]:
    if side.environment is None:
        return
    root, folder = side.bundle.root, side.environment.folder
    shown = [(f"apps/{side.name}", "apps"), (folder, "."), *([] if side.environment.source else [("base", "release")])]
    for top, name in shown:
        for path in files.walk(root / top, []) if os.path.isdir(root / top) else ():
            try:
                held = files.read(path)
            except files.FileProblem:
                continue
            inside = relative(root / top, path)
            yield (inside if name == "." else f"{name}/{inside}"), (len(held), hashlib.sha256(held).hexdigest())
