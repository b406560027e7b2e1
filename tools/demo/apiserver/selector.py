"""Label selectors, parsed as the API server parses them (apimachinery, pkg/labels/selector.go)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from demo.apiserver.labels import check_key, check_value
from demo.apiserver.status import Refusal

_TOKEN = re.compile(r"\s*(==|!=|=|!|\(|\)|,|<|>|[^\s=!(),<>]+)")
_END = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on a label: operator is one of in, notin, exists, !, gt, lt."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels meet it. `!=` and `notin` are met by labels without the key, as in Kubernetes."""
        has, value = self.key in labels, labels.get(self.key, "")
        if self.operator == "in":
            return has and value in self.values
        if self.operator == "notin":
            return not has or value not in self.values
        if self.operator in ("gt", "lt"):
            limit = int(next(iter(self.values)))
            digits = has and re.fullmatch(r"-?\d+", value) is not None
            return digits and (int(value) > limit if self.operator == "gt" else int(value) < limit)
        return has is (self.operator == "exists")


def parse(text: str) -> tuple[Requirement, ...]:
    """The requirements of `a=b,c in (d,e),!f,g`; none for an empty text. Raises Refusal (400) where it is malformed."""
    return _Parser(text).all()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[str] = _TOKEN.findall(text) if text.strip() else []
        if "".join(self._tokens) != re.sub(r"\s+", "", text):
            raise self._bad("unknown character")

    def all(self) -> tuple[Requirement, ...]:
        if not self._tokens:
            return ()
        found = [self._one()]
        while (token := self._next()) == ",":
            found.append(self._one())
        if token != _END:
            raise self._bad(f"found '{token}', expected: ',' or 'end of string'")
        return tuple(found)

    def _one(self) -> Requirement:
        absent = self._peek() == "!"
        if absent:
            self._next()
        key = self._word("identifier")
        self._checked(check_key(key))
        if absent:
            return Requirement(key, "!")
        operator = self._peek()
        if operator in (",", _END):
            return Requirement(key, "exists")
        self._next()
        if operator in ("in", "notin"):
            return Requirement(key, operator, self._values())
        if operator in ("=", "==", "!="):
            return Requirement(key, "notin" if operator == "!=" else "in", frozenset({self._value()}))
        if operator in ("<", ">"):
            return self._compared(key, "gt" if operator == ">" else "lt")
        raise self._bad(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")

    def _compared(self, key: str, operator: str) -> Requirement:
        value = self._value()
        if not re.fullmatch(r"[-+]?\d+", value):
            raise self._bad(f"{value}: for 'Gt', 'Lt' operators, the value must be an integer")
        return Requirement(key, operator, frozenset({value}))

    def _values(self) -> frozenset[str]:
        if (token := self._next()) != "(":
            raise self._bad(f"found '{token}', expected: '('")
        values = {self._value()}
        while (found := self._next()) == ",":
            values.add(self._value())
        if found != ")":
            raise self._bad(f"found '{found}', expected: ',', or ')'")
        return frozenset(values)

    def _value(self) -> str:
        if self._peek() in (",", ")", _END):  # "a=" and "a in (,b)": an empty value
            return ""
        value = self._word("identifier")
        self._checked(check_value(value))
        return value

    def _word(self, expected: str) -> str:
        token = self._next()
        if token == _END or re.fullmatch(r"[=!(),<>]+", token):
            raise self._bad(f"found '{token}', expected: {expected}")
        return token

    def _checked(self, problem: str) -> None:
        if problem:
            raise self._bad(problem)

    def _peek(self) -> str:
        return self._tokens[0] if self._tokens else _END

    def _next(self) -> str:
        return self._tokens.pop(0) if self._tokens else _END

    def _bad(self, problem: str) -> Refusal:
        return Refusal(400, f"unable to parse requirement: {problem}: {self._text!r}")
