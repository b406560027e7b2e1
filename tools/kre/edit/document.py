"""A YAML file that is about to be changed in place: its text, and where everything in it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from kre.errors import UsageError
from kre.load.scalars import Loader
from kre.load.source import Unreadable, parse
from kre.model.resource import Pointer
from kre.model.source import Source


@dataclass(frozen=True, slots=True)
class Opened:
    """A file's text without its byte-order mark (`bom`), and its parsed form."""

    name: str
    bom: bytes
    text: str
    source: Source

    @property
    def node(self) -> yaml.Node | None:
        return self.source.documents[0].node if self.source.documents else None

    @property
    def values(self) -> list[Any]:
        return [document.value for document in self.source.documents]

    def edited(self, edits: Sequence[tuple[int, int, str]]) -> bytes:
        """The file's bytes with these (start, end, text) put in; of two that begin alike the longer goes first."""
        text = self.text
        for start, end, written in sorted(edits, reverse=True):
            text = text[:start] + written + text[end:]
        return self.bom + text.encode()


def opened(name: str, raw: bytes) -> Opened:
    """The bytes of a YAML file, ready for an edit. Raises UsageError (with file and line) where it can't be read."""
    try:
        source = parse(name, raw)
    except Unreadable as unreadable:
        raise UsageError(f"{unreadable.finding.place}: {unreadable.finding.message}", unreadable.finding.hint) from None
    text = raw.decode("utf-8-sig")
    return Opened(name, raw[: len(raw) - len(text.encode())], text, source)


def refuse_anchors(file: Opened) -> None:
    """Raises UsageError where a file has anchors: a change in one place would show in others."""
    for event in yaml.parse(file.text, Loader):
        if getattr(event, "anchor", None):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise UsageError(f"{file.name}:{line}: the file has YAML anchors", "write the values out, or edit by hand")


def replaced(value: Any, pointer: Pointer, new: object) -> Any:  # noqa: ANN401 - JSON
    """A copy of a JSON value with `new` at the pointer, which must lead somewhere."""
    if not pointer:
        return new
    step, rest = pointer[0], pointer[1:]
    if isinstance(value, Mapping):
        return {key: replaced(inner, rest, new) if key == step else inner for key, inner in value.items()}
    return [replaced(inner, rest, new) if index == step else inner for index, inner in enumerate(value)]
