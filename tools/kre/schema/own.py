"""S04 and S05: values files against their chart's keys, and kre's own files against theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from kre.load.provenance import place
from kre.load.values import Values, of_application
from kre.model.bundle import Bundle
from kre.model.finding import Finding
from kre.model.resource import Resource, dig, each
from kre.model.source import Source
from kre.schema import jsonschema_engine, store
from kre.schema.tighten import Schema

_OWN = {
    "kre.yaml": "config",
    "overlays/environments.yaml": "environments",
    "overlays/*/environment/environment.yaml": "environment",
    "overlays/*/accepted-risks.yaml": "accepted-risks",
    "overlays/*/rbac-budget.yaml": "rbac-budget",
    "overlays/*/release.lock.yaml": "lock",
    "base/*/needs.yaml": "needs",
    "overlays/*/release/*/needs.yaml": "needs",
}


def check(bundle: Bundle) -> Iterator[Finding]:
    """Findings S04 (values files of charts) and S05 (kre.yaml, environments.yaml, environment.yaml, locks, ...)."""
    for path, source in sorted(bundle.sources.items()):
        name = next((name for pattern, name in _OWN.items() if fnmatchcase(path, pattern)), None)
        if name and (bundle.environments or path == "kre.yaml"):
            yield from _against("S05", source, own_schema(name))
    yield from _listed(bundle)
    for application in bundle.resources:
        for values in of_application(bundle, application):
            yield from _values(bundle, application, values)


def _values(bundle: Bundle, application: Resource, values: Values) -> Iterator[Finding]:
    """The values files of one chart of an Application."""
    environments = (application.environment,) if application.environment else ()
    unusable = {problem.place.path for problem in bundle.problems}
    for pointer, path in values.missing:
        if path not in unusable and bundle.environments:  # elsewhere it may be in another repository
            message = f"{application} reads {path}, which is not there"
            where = place(bundle, application, pointer)
            yield Finding("S04", "error", where, message, "add it: {} will do", environments)
    schema = store.chart_schema(values.chart, values.version)
    if schema is None:
        message = f"the keys of chart {values.chart} {values.version} are not known, so its values are not checked"
        hint = "kre schemas update --from DIR, with its values.yaml"
        yield Finding("S04", "warning", place(bundle, application, values.at), message, hint, environments)
        return
    for source in values.files:
        yield from _against("S04", source, schema, f"chart {values.chart} {values.version}: ", environments)


def _listed(bundle: Bundle) -> Iterator[Finding]:
    """Values files that no Application names: kre.yaml says of which chart they are."""
    for index, entry in enumerate(each(bundle.config, "values")):
        path, chart, version = (str(dig(entry, key)) for key in ("file", "chart", "version"))
        source, schema = bundle.sources.get(path), store.chart_schema(chart, version)
        where = bundle.sources["kre.yaml"].at(("values", index))
        if source is None or schema is None:
            lack = f"{path} is not there" if source is None else f"the keys of chart {chart} {version} are not known"
            yield Finding("S04", "error", where, lack, "mend the entry, or kre schemas update --from DIR")
        else:
            yield from _against("S04", source, schema, f"chart {chart} {version}: ")


def _facts(bundle: Bundle) -> Iterator[Finding]:
    """Every environment has its facts: rendering needs them."""
    for environment in bundle.environments:
        path = f"{environment.folder}/environment/environment.yaml"
        if path not in bundle.sources and not any(problem.place.path == path for problem in bundle.problems):
            where = bundle.sources["overlays/environments.yaml"].at(("environments",))
            message = f"environment {environment.name} has no {path}"
            yield Finding("S05", "error", where, message, "copy another's", (environment.name,))


def _against(
    rule: str, source: Source, schema: Schema, prefix: str = "", environments: tuple[str, ...] = ()
) -> Iterator[Finding]:
    for document in source.documents[:1]:
        for violation in jsonschema_engine.check_against(document.value, schema):
            path = ".".join(str(step) for step in violation.pointer[: -1 if violation.missing else None])
            message = f"{prefix}{f'{path}: ' if path else ''}{violation.message}"
            yield Finding(rule, "error", source.at(violation.pointer), message, violation.hint, environments)


@cache
def own_schema(name: str) -> Schema:
    """The schema of one of kre's own files: config, environments, environment or lock."""
    found: dict[str, Any] = json.loads((store.FOLDER.parent / "own" / f"{name}.json").read_bytes())
    return found
