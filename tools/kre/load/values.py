"""The values files of a chart Application, merged as Helm merges them, each value with the file that sets it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kre.model.bundle import Bundle
from kre.model.finding import Place
from kre.model.resource import Pointer, Resource, dig, each, sources
from kre.model.source import Source

PREFIX = "$values/"


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one chart: its name and version, and its files in the order of an Application; later wins.

    `at` is where the Application names the version. `missing` are files that are named and can't be had, each with
    the pointer to its name in the Application.
    """

    chart: str
    version: str
    at: Pointer
    files: tuple[Source, ...]
    missing: tuple[tuple[Pointer, str], ...] = ()

    def get(self, *keys: str) -> Any:  # noqa: ANN401 - YAML
        """The value at a path of keys: the last file that sets it has its way."""
        source = self._setter(keys)
        return dig(source.documents[0].value, *keys) if source else None

    def place(self, *keys: str) -> Place:
        """Where that value is written."""
        source = self._setter(keys) or self.files[0]
        return source.at(keys)

    def _setter(self, keys: tuple[str, ...]) -> Source | None:
        setters = [
            source for source in self.files if source.documents and dig(source.documents[0].value, *keys) is not None
        ]
        return setters[-1] if setters else None


def of_application(bundle: Bundle, application: Resource) -> Iterator[Values]:
    """The Values of every chart source of an Application, from this repository's files (`$values/...`)."""
    for pointer, source in sources(application):
        chart = dig(source, "chart")
        if not isinstance(chart, str):
            continue
        files, missing = [], []
        for position, name in enumerate(each(source, "helm", "valueFiles")):
            path = str(name).removeprefix(PREFIX)
            if found := bundle.sources.get(path):
                files.append(found)
            elif str(name).startswith(PREFIX):
                missing.append(((*pointer, "helm", "valueFiles", position), path))
        version = str(dig(source, "targetRevision"))
        yield Values(chart, version, (*pointer, "targetRevision"), tuple(files), tuple(missing))
