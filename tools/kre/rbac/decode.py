"""Values of an object as Go's decoder takes them: null is the same as absent, and nothing turns into a string."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Rejected(ValueError):
    """The API server would refuse the object: where in it, and why."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}" if where else why)
        self.where = where


def mapping(value: object, where: str) -> Mapping[str, Any]:
    """`value`, which has to be an object."""
    if not isinstance(value, Mapping):
        raise Rejected(where, "must be an object")
    return value


def table(value: object, where: str) -> Mapping[str, Any]:
    """`value`, an object or null."""
    return {} if value is None else mapping(value, where)


def text(value: object, where: str) -> str:
    """`value`, a string or null."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Rejected(where, "must be a string")
    return value


def _listed(value: object, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Rejected(where, "must be a list")
    return value


def texts(value: object, where: str) -> tuple[str, ...]:
    """`value`, a list of strings or null."""
    return tuple(text(entry, f"{where}[{index}]") for index, entry in enumerate(_listed(value, where)))


def entries(value: object, where: str) -> list[Mapping[str, Any]]:
    """`value`, a list of objects or null."""
    return [table(entry, f"{where}[{index}]") for index, entry in enumerate(_listed(value, where))]
