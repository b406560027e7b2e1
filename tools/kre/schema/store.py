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


@cache
def schema_of(api_version: str, kind: str) -> Schema | None:
    """The closed schema of a kind, None where none is stored."""
    return _read(_files().get(("kind", api_version, kind)))


@cache
def chart_schema(chart: str, version: str) -> Schema | None:
    """The keys of a chart at exactly this version, None where they are not stored."""
    return _read(_files().get(("chart", chart, version)))


def kinds() -> list[tuple[str, str]]:
    """Every (apiVersion, kind) that is stored, sorted."""
    return sorted((version, kind) for what, version, kind in _files() if what == "kind")


@cache
def lock() -> dict[str, Any]:
    """lock.json: what is stored, from which sources, with the SHA-256 of each."""
    found: dict[str, Any] = json.loads(LOCK.read_bytes())
    return found


def instance(body: Any) -> Any:  # noqa: ANN401 - JSON
    """What a schema is to be held against: the object without its nulls, those in lists excepted.

    Go drops a null where it decodes into a struct, and the API server does so for custom resources (proved on 1.34;
    apiextensions-apiserver, PruneNonNullableNullsWithoutDefaults).
    """
    if isinstance(body, dict):
        return {key: instance(inner) for key, inner in body.items() if inner is not None}
    return [instance(inner) for inner in body] if isinstance(body, list) else body


@cache
def _files() -> dict[tuple[str, str, str], str]:
    """What each stored file describes: ("kind", apiVersion, kind) or ("chart", name, version) -> file."""
    return {
        ("kind", entry["apiVersion"], entry["kind"])
        if "kind" in entry
        else ("chart", entry["chart"], entry["chartVersion"]): entry["file"]
        for entry in lock()["schemas"]
    }


def _read(path: str | None) -> Schema | None:
    if path is None:
        return None
    found: Schema = json.loads((FOLDER / path).read_bytes())
    return found
