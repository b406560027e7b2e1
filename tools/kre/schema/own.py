"""S04 and S05: values files against their chart's keys, and kre's own files against theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from kre.load.provenance import place
from kre.load.values import of_application
from kre.model.bundle import Bundle
from kre.model.finding import Finding
from kre.model.source import Source
from kre.schema import jsonschema_engine, store
from kre.schema.tighten import Schema

_OWN = {
    "kre.yaml": "config",
    "overlays/environments.yaml": "environments",
    "overlays/*/environment/environment.yaml": "environment",
}


def check(bundle: Bundle) -> Iterator[Finding]:
    """Findings S04 (values files of charts) and S05 (kre.yaml, environments.yaml, environment.yaml)."""
    for path, source in sorted(bundle.sources.items()):
        name = next((name for pattern, name in _OWN.items() if fnmatchcase(path, pattern)), None)
        if name and (bundle.environments or path == "kre.yaml"):
            yield from _against("S05", source, own_schema(name))
    unusable = {problem.place.path for problem in bundle.problems}
    yield from _facts(bundle)
    for application in bundle.resources:
        environments = (application.environment,) if application.environment else ()
        for values in of_application(bundle, application):
            for pointer, path in values.missing:
                if path in unusable:
                    continue
                message = f"{application} reads {path}, which is not there"
                yield Finding(
                    "S04", "error", place(bundle, application, pointer), message, "add it: {} will do", environments
                )
            schema = store.chart_schema(values.chart, values.version)
            if schema is None:
                where = place(bundle, application, ("spec", "sources", 0, "targetRevision"))
                message = (
                    f"the keys of chart {values.chart} {values.version} are not known, so its values are not checked"
                )
                yield Finding(
                    "S04",
                    "warning",
                    where,
                    message,
                    "kre schemas update --from DIR, with its values.yaml",
                    environments,
                )
                continue
            for source in values.files:
                yield from _against("S04", source, schema, f"chart {values.chart} {values.version}: ", environments)


def _facts(bundle: Bundle) -> Iterator[Finding]:
    """Every environment has its facts: rendering needs them."""
    for environment in bundle.environments:
        path = f"{environment.folder}/environment/environment.yaml"
        if path not in bundle.sources and not any(problem.place.path == path for problem in bundle.problems):
            where = bundle.sources["overlays/environments.yaml"].at(("environments",))
            yield Finding(
                "S05",
                "error",
                where,
                f"environment {environment.name} has no {path}",
                "copy another's",
                (environment.name,),
            )


def _against(
    rule: str, source: Source, schema: Schema, prefix: str = "", environments: tuple[str, ...] = ()
) -> Iterator[Finding]:
    for document in source.documents[:1]:
        for violation in jsonschema_engine.check_against(document.value, schema):
            path = ".".join(str(step) for step in violation.pointer)
            message = f"{prefix}{f'{path}: ' if path else ''}{violation.message}"
            yield Finding(rule, "error", source.at(violation.pointer), message, violation.hint, environments)


@cache
def own_schema(name: str) -> Schema:
    """The schema of one of kre's own files: config, environments or environment."""
    found: dict[str, Any] = json.loads((store.FOLDER.parent / "own" / f"{name}.json").read_bytes())
    return found
