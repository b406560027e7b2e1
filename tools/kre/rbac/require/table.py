"""The table of operations, data/needs.yaml: what each asks of the API server, and where that was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from kre.load.scalars import Loader
from kre.rbac.require.model import Level, Need

OWN, OBJECT = "own", "object"


@dataclass(frozen=True, slots=True)
class Object:
    """What an operation is about: the group and resource, and the namespace ("" where it is in none)."""

    group: str
    resource: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Row:
    """One operation: `needs` as the file has them, `source` the code that they were read in."""

    id: str
    source: str
    needs: tuple[Mapping[str, Any], ...]

    def of(self, own: str, about: Object | None = None) -> Iterator[Need]:
        """The needs of something in the namespace `own` that is about an object."""
        for entry in self.needs:
            there = entry["in"]
            namespace = own if there == OWN else there
            group, resource = entry.get("group"), entry.get("resource")
            if there == OBJECT or resource is None:
                if about is None:
                    raise ValueError(f"{self.id} is about an object")
                namespace = about.namespace if there == OBJECT else namespace
                group, resource = (about.group, about.resource) if resource is None else (group, resource)
            for level in Level:
                for verb in entry.get(str(level), ()):
                    yield Need(level, verb, str(group or ""), resource, namespace, entry.get("why", ""))


@cache
def rows() -> Mapping[str, Row]:
    """Every row by its id."""
    text = (files("kre.rbac") / "data" / "needs.yaml").read_text(encoding="utf-8")
    found = yaml.load(text, Loader)["operations"]
    return {entry["id"]: Row(entry["id"], entry["source"], tuple(entry["needs"])) for entry in found}
