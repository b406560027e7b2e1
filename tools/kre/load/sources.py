"""All YAML files of a tree, each read and parsed once; those that can't be used become findings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kre.doors import files
from kre.load.source import Unreadable, parse
from kre.model.finding import Finding, Place
from kre.model.source import Document, Source

ENDINGS = (".yaml", ".yml")


@dataclass(slots=True)
class Sources:
    """The parsed files of one root, by path relative to it, and what was wrong with the others.

    A file that is the same, byte by byte, in the root of `like`, or elsewhere (a release is a copy of base/), is not
    parsed again.
    """

    root: Path
    like: Sources | None = None
    raw: dict[str, bytes] = field(default_factory=dict)
    parsed: dict[str, Source] = field(default_factory=dict)
    problems: dict[str, Finding] = field(default_factory=dict)
    _documents: dict[tuple[str, bytes], tuple[Document, ...]] = field(default_factory=dict)

    def get(self, path: str) -> Source | None:
        """The file at `path`, read now if it was not yet; None where it can't be used (see `problems`)."""
        if path not in self.parsed and path not in self.problems:
            self._read(path)
        return self.parsed.get(path)

    def value(self, path: str) -> object:
        """The first document's value, None where there is none."""
        source = self.get(path)
        return source.documents[0].value if source and source.documents else None

    def _read(self, path: str) -> None:
        try:
            self.raw[path] = files.read(self.root / path)
            known = self.like.parsed.get(path) if self.like and self.like.raw.get(path) == self.raw[path] else None
            self.parsed[path] = known or self._parsed(path, self.raw[path])
        except files.FileProblem as problem:
            self.problems[path] = Finding("Y01", "error", Place(path), f"the file can't be used: {problem}")
        except Unreadable as unreadable:
            self.problems[path] = unreadable.finding

    def _parsed(self, path: str, raw: bytes) -> Source:
        key = (os.path.splitext(path)[1], raw)
        if key in self._documents:
            return Source(path, self._documents[key])
        made = parse(path, raw)
        self._documents[key] = made.documents
        return made

    def same(self, path: str) -> bool:
        """Whether a file, parsed or not, is the same in the root of `like`."""
        if self.like is None:
            return False
        if path in self.raw and path in self.like.raw:
            return self.raw[path] == self.like.raw[path]
        try:
            return files.read(self.root / path) == files.read(self.like.root / path)
        except files.FileProblem:
            return False

    def read_all(self, folders: Iterable[str], endings: tuple[str, ...] = ENDINGS) -> None:
        """Reads every file with these endings below the folders (relative to the root; one that is not there is
        passed over)."""
        for folder in folders:
            unlisted: list[tuple[Path, str]] = []
            for path in files.walk(self.root / folder, unlisted) if os.path.isdir(self.root / folder) else ():
                if path.suffix in endings:
                    self.get(relative(self.root, path))
            for path, problem in unlisted:
                shown = relative(self.root, path)
                self.problems[shown] = Finding("Y01", "error", Place(shown), problem)


def relative(root: Path, path: Path | str) -> str:
    """`path` as people and findings write it: POSIX, relative to `root`, with `..` where it lies outside."""
    return Path(os.path.relpath(path, root)).as_posix()


def mapping(value: object) -> Mapping[str, object]:
    """`value` if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}
