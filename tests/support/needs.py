"""What the engine's programs declare that they need, needs.yaml beside their code, right by right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

import yaml

from support.repository import PROJECT

BASE = PROJECT / "base/responses"
FILES = (BASE / "manifests/code/needs.yaml", *sorted((BASE / "options").glob("*/code/needs.yaml")))
TARGETS = "<targets>"
ACTIONS = ("delete", "isolate", "release", "label", "notify")


class Right(NamedTuple):
    """`where` is a namespace, or TARGETS."""

    verb: str
    group: str
    resource: str
    where: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource} in {self.where}"


class Row(NamedTuple):
    """One operation of our own: the program, and what its environment or its settings say."""

    program: str
    conditions: tuple[tuple[str, str], ...]

    @property
    def rights(self) -> frozenset[Right]:
        return declared(self.program, dict(self.conditions))

    def __str__(self) -> str:
        return "-".join((self.program.partition(".")[0], *(value for _, value in self.conditions)))


def _row(program: str, **conditions: str) -> Row:
    return Row(program, tuple(conditions.items()))


ACTING = tuple(_row("responder.py", KRE_STEP="act", KRE_ACTION=action) for action in ACTIONS)
RECORDING = _row("responder.py", KRE_STEP="record", KRE_ACTION="delete")
DISPATCHING = tuple(_row("dispatcher.py", lane=lane) for lane in ("workflow", "label"))
RESPONDER = (*ACTING, RECORDING)


@cache
def _entries(program: str) -> tuple[dict[str, Any], ...]:
    every = (entry for file in FILES for entry in yaml.safe_load(file.read_text())["programs"])
    (found,) = [entry for entry in every if entry["file"] == program]
    return tuple(found["needs"])


def declared(program: str, conditions: Mapping[str, str]) -> frozenset[Right]:
    """What a program declares for these conditions; an entry with another one does not count."""
    return frozenset(
        Right(verb, group, resource, entry["in"])
        for entry in _entries(program)
        if all(conditions.get(key) in wanted for key, wanted in entry.get("when", {}).items())
        for group in entry["apiGroups"]
        for resource in entry["resources"]
        for verb in entry["verbs"]
    )


def rules(rights: Iterable[Right], target: str) -> dict[str, list[dict[str, list[str]]]]:
    """Namespace -> the rules of a Role with exactly these rights there."""
    found: dict[str, list[dict[str, list[str]]]] = {}
    for right in sorted(rights):
        rule = {"apiGroups": [right.group], "resources": [right.resource], "verbs": [right.verb]}
        found.setdefault(target if right.where == TARGETS else right.where, []).append(rule)
    return found


def without(rows: Iterable[Row]) -> list[tuple[Row, Right]]:
    """Each right of each row: what is taken away to see that it is missed."""
    return [(row, right) for row in rows for right in sorted(row.rights)]
