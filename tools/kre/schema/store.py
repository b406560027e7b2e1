"""The stored schemas: found by apiVersion and kind, or by chart and version, and loaded once."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from kre.schema.tighten import Schema

FOLDER = Path(str(files("kre.schema") / "data"))
LOCK = FOLDER / "lock.json"

# Go drops a null where it decodes into a struct; a structural CRD schema refuses one that it does not call nullable
# (apiextensions-apiserver, pkg/apiserver/schema). So nulls are taken out first, but for these.
_STRUCTURAL = frozenset(
    "Application ApplicationSet AppProject Workflow WorkflowTemplate ClusterWorkflowTemplate CronWorkflow "
    "WorkflowArtifactGCTask WorkflowEventBinding WorkflowTaskResult WorkflowTaskSet".split()
)


def path_of(api_version: str, kind: str) -> str:
    """Where the schema of a kind is stored, relative to FOLDER (whether or not there is one)."""
    group, _, version = api_version.rpartition("/")
    return f"{group or version}/{kind.lower()}_{version}.json"


@cache
def schema_of(api_version: str, kind: str) -> Schema | None:
    """The closed schema of a kind, None where none is stored."""
    schema = _read(path_of(api_version, kind))
    # Files are found by lower case, as kubeconform finds them; a kind is not.
    return schema if schema is not None and kind in schema["properties"]["kind"]["enum"] else None


@cache
def chart_schema(chart: str, version: str) -> Schema | None:
    """The keys of a chart at exactly this version, None where they are not stored."""
    return _read(f"charts/{chart}_{version}.json")


def kinds() -> list[tuple[str, str]]:
    """Every (apiVersion, kind) that is stored, sorted."""
    return sorted((entry["apiVersion"], entry["kind"]) for entry in lock()["schemas"] if "kind" in entry)


@cache
def lock() -> dict[str, Any]:
    """lock.json: what is stored, from which sources, with the SHA-256 of each."""
    found: dict[str, Any] = json.loads(LOCK.read_bytes())
    return found


def instance(body: Any, kind: str) -> Any:  # noqa: ANN401 - JSON
    """What the schema of `kind` is to be held against: the object, without the nulls that decoding drops."""
    return body if kind in _STRUCTURAL else _without_nulls(body)


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _read(path: str) -> Schema | None:
    try:
        found: Schema = json.loads((FOLDER / path).read_bytes())
    except FileNotFoundError:
        return None
    return found
