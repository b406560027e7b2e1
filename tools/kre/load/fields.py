"""Takes one of kre's own files apart, key by key: what is missing, of another kind or left over ends with its line.

The JSON Schemas of schema/own say the same to editors and to `kre validate`; this is what decides, for a misspelt
key in a policy would otherwise be a gate that is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from kre.errors import UsageError
from kre.load.source import Unreadable, parse
from kre.model.resource import Pointer
from kre.model.source import Source

_REQUIRED = object()
NAME = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"


class Fields:
    """A mapping of a file, and which of its keys were taken. Every method raises UsageError with file and line."""

    def __init__(self, source: Source, value: object, pointer: Pointer = ()) -> None:
        self._source, self._pointer = source, pointer
        if not isinstance(value, Mapping):
            self.fail("must be a mapping")
        self._value: Mapping[str, Any] = value
        self._left = set(value)

    def __contains__(self, key: str) -> bool:
        return self._value.get(key) is not None

    @property
    def keys(self) -> list[str]:
        """All keys, as they stand in the file."""
        return [str(key) for key in self._value]

    def take(self, key: str, kind: type | tuple[type, ...], default: Any = _REQUIRED) -> Any:  # noqa: ANN401
        """The value of a key; null and a missing key are the default, or a fault where there is none."""
        self._left.discard(key)
        value = self._value.get(key)
        if value is None:
            if default is _REQUIRED:
                self.fail(f"{key} is missing")
            return default
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            names = " or ".join(each.__name__ for each in (kind if isinstance(kind, tuple) else (kind,)))
            self.fail(f"{key} must be of type {names}", key)
        return value

    def text(self, key: str, pattern: str = r"(?s).+", default: Any = _REQUIRED) -> str:  # noqa: ANN401
        """A text that matches a pattern as a whole."""
        value = self.take(key, str, default)
        if value != default and not re.fullmatch(pattern, value):
            self.fail(f"{key}: {value!r} does not match {pattern}", key)
        return str(value)

    def texts(self, key: str, pattern: str = r"(?s).+", default: Any = _REQUIRED) -> tuple[str, ...]:  # noqa: ANN401
        """A list of such texts."""
        values = self.take(key, (list, tuple), default)
        for index, value in enumerate(values):
            if not isinstance(value, str) or not re.fullmatch(pattern, value):
                self.fail(f"{key}: {value!r} does not match {pattern}", key, index)
        return tuple(values)

    def inner(self, key: str) -> Fields:
        """A mapping below a key; an empty one where it is missing."""
        return Fields(self._source, self.take(key, Mapping, {}), (*self._pointer, key))

    def each(self, key: str) -> Iterator[Fields]:
        """The mappings of a list; none where it is missing."""
        for index, value in enumerate(self.take(key, list, [])):
            yield Fields(self._source, value, (*self._pointer, key, index))

    def end(self) -> None:
        """Nothing else may be there."""
        for key in self._value:
            if key in self._left:
                self.fail(f"unknown field {key!r}", key)

    def fail(self, message: str, *below: str | int) -> NoReturn:
        """Ends with the place of this mapping, or of something below it."""
        where = self._source.at((*self._pointer, *below))
        raise UsageError(f"{where}: {message}", "kre validate says what else is wrong")


def fields(path: str, content: bytes) -> Fields:
    """The first document of a file. Raises UsageError where it is no YAML, or no mapping."""
    try:
        source = parse(path, content)
    except Unreadable as unreadable:
        raise UsageError(f"{unreadable.finding.place}: {unreadable}", unreadable.finding.hint) from None
    return of(source)


def of(source: Source) -> Fields:
    """As fields, of a file that was parsed."""
    return Fields(source, source.documents[0].value if source.documents else {})
