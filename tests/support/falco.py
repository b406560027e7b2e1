"""Conditions of Falco rules, as far as base/falco uses their grammar: read, and judged on an event.

Mirrors libsinsp's filter grammar: `or` binds weaker than `and`, `not` strongest; a bare name is a macro.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Event = Mapping[str, str]
Judge = Callable[[Event], bool]

_TOKEN = re.compile(r"""\s*("[^"]*"|'[^']*'|[(),]|!=|=|[^\s()"',=!]+)""")
_TESTS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda value, wanted: value == wanted,
    "!=": lambda value, wanted: value != wanted,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": lambda value, wanted: wanted in value,
}


@dataclass
class Condition:
    """A condition being read; `fields` and `macros` gather what it names."""

    text: str
    known: Mapping[str, Judge]

    def __post_init__(self) -> None:
        self.fields: set[str] = set()
        self.macros: set[str] = set()
        self.tokens = _TOKEN.findall(self.text)
        left = _TOKEN.sub("", self.text).strip()
        assert not left, f"{left!r} is no part of a condition"
        self.judge = self._any()
        assert not self.tokens, f"after the end of the condition: {' '.join(self.tokens)}"

    def _any(self) -> Judge:
        parts = [self._all()]
        while self._next("or"):
            parts.append(self._all())
        return lambda event: any(part(event) for part in parts)

    def _all(self) -> Judge:
        parts = [self._one()]
        while self._next("and"):
            parts.append(self._one())
        return lambda event: all(part(event) for part in parts)

    def _one(self) -> Judge:
        if self._next("not"):
            negated = self._one()
            return lambda event: not negated(event)
        if self._next("("):
            inner = self._any()
            self._take(")")
            return inner
        name = self._take()
        if "." not in name:
            self.macros.add(name)
            assert name in self.known, f"macro {name} is not defined before"
            return self.known[name]
        self.fields.add(name)
        return self._test(name)

    def _test(self, field: str) -> Judge:
        operator = self._take()
        if operator == "in":
            self._take("(")
            values = [self._take().strip("\"'")]
            while self._next(","):
                values.append(self._take().strip("\"'"))
            self._take(")")
            return lambda event: event.get(field) in values
        wanted, test = self._take().strip("\"'"), _TESTS[operator]
        return lambda event: field in event and test(event[field], wanted)

    def _next(self, token: str) -> bool:
        found = self.tokens[:1] == [token]
        if found:
            self.tokens.pop(0)
        return found

    def _take(self, token: str = "") -> str:
        assert self.tokens, f"{self.text!r} ends too early"
        found: str = self.tokens.pop(0)
        assert token in ("", found), f"{found!r} where {token!r} should be"
        return found
