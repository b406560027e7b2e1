"""What an edit makes of the files of a repository, held in memory until all of it is known to be right."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kre.doors import files
from kre.edit.document import opened
from kre.errors import UsageError


@dataclass(frozen=True, slots=True)
class FileEdit:
    """A file before and after, by path relative to the root; None where it is not there."""

    path: str
    before: bytes | None
    after: bytes | None

    @property
    def what(self) -> str:
        """`new`, `changed`, `removed`, or `as it was`."""
        if self.before == self.after:
            return "as it was"
        return "new" if self.before is None else "removed" if self.after is None else "changed"


@dataclass(slots=True)
class Draft:
    """The files that an edit goes through; those that it wrote are read back as written, and nothing is on disk yet."""

    root: Path
    edits: dict[str, FileEdit] = field(default_factory=dict)

    def has(self, path: str) -> bool:
        """Whether the file is there, after the edits made so far."""
        held = self.edits.get(path)
        return held.after is not None if held else (self.root / path).is_file()

    def read(self, path: str) -> bytes:
        """A file's bytes, after the edits made so far. Raises UsageError where it can't be used."""
        held = self.edits.get(path)
        try:
            content = held.after if held else files.read(self.root / path)
        except files.FileProblem as problem:
            raise UsageError(f"{path}: {problem}", "compare with another environment's") from None
        if content is None:
            raise UsageError(f"{path}: there is no such file")
        return content

    def value(self, path: str) -> object:
        """The value of a YAML file's first document, None where it has none. Raises UsageError as read."""
        return next(iter(opened(path, self.read(path)).values), None)

    def write(self, path: str, content: bytes | None) -> None:
        """What the file is to hold, None if it is to go. A file given what it holds already counts as looked at."""
        held = self.edits.get(path)
        before = held.before if held else self.read(path) if self.has(path) else None
        self.edits[path] = FileEdit(path, before, content)

    @property
    def files(self) -> list[FileEdit]:
        """The files that the edit went through, sorted; what was never there and is not to be is left out."""
        held = (self.edits[path] for path in sorted(self.edits))
        return [edit for edit in held if edit.before is not None or edit.after is not None]

    @property
    def changes(self) -> list[FileEdit]:
        """Those of `files` that are other than they were."""
        return [edit for edit in self.files if edit.before != edit.after]

    def save(self) -> None:
        """Writes every change, or none. Raises UsageError."""
        files.write_all({self.root / edit.path: edit.after for edit in self.changes})
