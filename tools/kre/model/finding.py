"""A finding: what is wrong, where in the source, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a source file: POSIX path relative to the root, line and column counted from 1."""

    path: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Related:
    """The other end of a finding, such as the object that a reference should have named."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `environments` are those whose rendering shows it, in their order; none outside."""

    rule: str
    severity: Severity
    place: Place
    message: str
    hint: str = ""
    environments: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
