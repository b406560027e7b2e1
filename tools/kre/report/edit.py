"""What an edit did to files, or would do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import unified_diff
from typing import Any

from kre.edit.draft import FileEdit
from kre.report.printable import printable


def as_text(edits: Sequence[FileEdit]) -> str:
    """One line for each file: what happened to it, and its path."""
    return "".join(f"{edit.what:<10} {printable(edit.path)}\n" for edit in edits)


def as_json(edits: Sequence[FileEdit], *, diff: bool) -> dict[str, Any]:
    """The files with what happened to each, and how many are other than before; on request the difference as a text."""
    files = [{"path": edit.path, "what": edit.what} for edit in edits]
    made: dict[str, Any] = {"files": files, "changed": sum(edit.before != edit.after for edit in edits)}
    return {**made, "diff": "".join(_lines(edits))} if diff else made


def as_diff(edits: Sequence[FileEdit]) -> str:
    """The difference as `git apply` takes it, with whatever could steer a terminal escaped."""
    return "".join(_safe(line) for line in _lines(edits))


def _lines(edits: Sequence[FileEdit]) -> Iterator[str]:
    for edit in edits:
        if edit.before == edit.after:
            continue
        yield f"diff --git a/{edit.path} b/{edit.path}\n"
        if edit.before is None:
            yield "new file mode 100644\n"
        if edit.after is None:
            yield "deleted file mode 100644\n"
        old = "/dev/null" if edit.before is None else f"a/{edit.path}"
        new = "/dev/null" if edit.after is None else f"b/{edit.path}"
        for line in unified_diff(_split(edit.before), _split(edit.after), old, new):
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _split(content: bytes | None) -> list[str]:
    """Lines as Git sees them: a line feed ends one, and nothing else does."""
    parts = (content or b"").decode("utf-8", "replace").split("\n")
    return [f"{part}\n" for part in parts[:-1]] + [part for part in parts[-1:] if part]


def _safe(line: str) -> str:
    body = line.removesuffix("\n")
    end = "\r\n" if body.endswith("\r") else "\n"
    return "\t".join(printable(part) for part in body.removesuffix("\r").split("\t")) + end
