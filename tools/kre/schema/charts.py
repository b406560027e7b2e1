"""The keys that a chart knows, from its default values. Pure.

No chart of the pinned five ships a values schema but argo-cd's, and Helm passes over a key that no template reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kre.schema.tighten import DIALECT, Schema

# Fields of Kubernetes objects that charts pass on as they are: any key may stand in them.
_PASSED_ON = frozenset(
    "affinity annotations labels nodeSelector resources "
    "containerSecurityContext podSecurityContext securityContext".split()
)


def keys(defaults: Mapping[str, Any], extra: Iterable[str] = (), free: Iterable[str] = ()) -> Schema:
    """A closed schema of the values that a chart takes.

    `defaults` is its values.yaml, `extra` more keys as dotted paths, `free` dotted paths of maps with keys of the
    user's own. Types are only asked for where another would be read wrongly: booleans (any string is true to a
    template), maps and lists.
    """
    schema = _map(defaults, (), {tuple(path.split(".")) for path in free})
    for path in extra:
        _allow(schema, path.split("."))
    return {"$schema": DIALECT, **schema}


def _map(defaults: Mapping[str, Any], here: tuple[str, ...], free: set[tuple[str, ...]]) -> Schema:
    if not defaults or here in free or (here and here[-1] in _PASSED_ON):
        return {"type": ["object", "null"]}
    properties = {str(key): _value(value, (*here, str(key)), free) for key, value in defaults.items()}
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


def _value(default: object, here: tuple[str, ...], free: set[tuple[str, ...]]) -> Schema:
    if isinstance(default, Mapping):
        return _map(default, here, free)
    if isinstance(default, bool):
        return {"type": ["boolean", "null"]}
    if isinstance(default, list):
        return {"type": ["array", "null"]}
    return {}


def _allow(schema: Schema, path: list[str]) -> None:
    for key in path[:-1]:
        schema = schema.setdefault("properties", {}).setdefault(key, {})
    schema.setdefault("properties", {}).setdefault(path[-1], {})
