"""Closes a schema as published: whatever is not described is refused. Pure; JSON in, JSON Schema 2020-12 out.

Published schemas describe; the API server prunes or ignores what they do not name, so a misspelled field is lost in
silence. Closed, it is a finding. Rules of CRD schemas: kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/
custom-resource-definitions. Numbers and IntOrString: k8s.io/apimachinery/pkg/util/intstr and pkg/api/resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# k8s.io/apimachinery/pkg/api/resource, quantity.go: the pattern that CRD generators write for a Quantity.
QUANTITY = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)

_KEPT = (
    "type",
    "enum",
    "const",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "uniqueItems",
    "required",
    "multipleOf",
)
_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
# Base64 as Go decodes it (encoding/base64 StdEncoding passes over line ends).
_B = r"[A-Za-z0-9+/][\r\n]*"
BASE64 = rf"^[\r\n]*(?:{_B}{_B}{_B}{_B})*(?:{_B}{_B}=[\r\n]*=[\r\n]*|{_B}{_B}{_B}=[\r\n]*)?$"


def close(published: Mapping[str, Any]) -> Schema:
    """A published (sub)schema, closed. References are kept as they are."""
    special = _special(published)
    if special is not None:
        return special
    closed: Schema = {key: published[key] for key in _KEPT if key in published}
    if "pattern" in closed:
        closed["pattern"] = _portable(closed["pattern"])
    if "$ref" in published:
        closed["$ref"] = published["$ref"]
    if "items" in published:
        closed["items"] = close(published["items"])
    if "properties" in published:
        closed["properties"] = {name: close(inner) for name, inner in published["properties"].items()}
    for key in ("allOf", "anyOf", "oneOf"):
        if key in published:
            closed[key] = [close(inner) for inner in published[key]]
    if "not" in published:
        closed["not"] = published["not"]
    _close_object(published, closed)
    _numbers(published, closed)
    if published.get("format") == "byte":
        closed["pattern"] = BASE64
    return _nullable(published, _unwrap(closed))


def _portable(pattern: str) -> str:
    """Go takes flags anywhere in a pattern, Python at its beginning or for a group: `^(?i)(a|b)$` -> `^(?i:(a|b))$`."""
    return f"^(?i:{pattern[5:-1]})$" if pattern.startswith("^(?i)") and pattern.endswith("$") else pattern


def _special(published: Mapping[str, Any]) -> Schema | None:
    """The types that JSON Schema has no word for."""
    name = published.get("format")
    if published.get("x-kubernetes-int-or-string") or name in ("int-or-string", "int64-or-string"):
        special: Schema = {"type": ["integer", "string"]}
        if "pattern" in published:  # a Quantity, as CRD generators write it; a decimal number is one too
            special = {"type": ["number", "string"], "pattern": published["pattern"]}
        return _nullable(published, special)
    if name == "quantity":
        return {"type": ["number", "string"], "pattern": QUANTITY}
    return None


def _close_object(published: Mapping[str, Any], closed: Schema) -> None:
    more = published.get("additionalProperties")
    if isinstance(more, Mapping):
        closed["additionalProperties"] = close(more)
    elif isinstance(more, bool):
        closed["additionalProperties"] = more
    elif published.get("x-kubernetes-preserve-unknown-fields"):
        return
    elif "properties" in published:
        closed["additionalProperties"] = False


def _numbers(published: Mapping[str, Any], closed: Schema) -> None:
    if closed.get("type") == "integer" and published.get("format") in _RANGES:
        low, high = _RANGES[published["format"]]
        closed["minimum"] = max(low, closed.get("minimum", low))
        closed["maximum"] = min(high, closed.get("maximum", high))


def _unwrap(closed: Schema) -> Schema:
    """OpenAPI 3 wraps a reference in allOf to give it a description."""
    only = closed.get("allOf")
    return only[0] if isinstance(only, list) and len(only) == 1 and len(closed) == 1 else closed


def _nullable(published: Mapping[str, Any], closed: Schema) -> Schema:
    if not published.get("nullable"):
        return closed
    if "$ref" in closed or "enum" in closed:
        return {"anyOf": [closed, {"type": "null"}]}
    if "type" in closed:
        kinds = closed["type"] if isinstance(closed["type"], list) else [closed["type"]]
        closed["type"] = [*kinds, "null"]
    return closed


def top(schema: Schema, group: str, version: str, kind: str, metadata: Schema) -> Schema:
    """A kind's schema as a file of its own: exact apiVersion and kind, closed metadata, dialect stated."""
    properties = dict(schema.get("properties", {}))
    properties["apiVersion"] = {"type": "string", "enum": [f"{group}/{version}" if group else version]}
    properties["kind"] = {"type": "string", "enum": [kind]}
    properties["metadata"] = metadata
    required = sorted({*schema.get("required", ()), "apiVersion", "kind", "metadata"})
    return {**schema, "$schema": DIALECT, "properties": properties, "required": required}
