"""From what upstream publishes to one closed schema for each kind. Pure: parsed files in, schemas out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kre.schema.compact import compact
from kre.schema.tighten import QUANTITY, Schema, close, top

META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
# What the published definitions say of these in prose only (JSON or YAML numbers, free JSON).
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_SPECIAL: dict[str, Schema] = {
    _QUANTITY: {"type": ["number", "string"], "pattern": QUANTITY},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["integer", "string"]},
    "io.k8s.apimachinery.pkg.runtime.RawExtension": {"type": "object"},
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": {"type": "object"},
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind's schema, ready to be stored."""

    group: str
    version: str
    kind: str
    schema: Schema

    @property
    def file(self) -> str:
        """Where it is stored, in the form that kubeconform's `{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}`
        finds: the core group stands as its version."""
        return f"{self.group or self.version}/{self.kind.lower()}_{self.version}.json"


def from_crd(crd: Mapping[str, Any], metadata: Schema) -> Iterator[Kind]:
    """Every served version of a CustomResourceDefinition. `metadata` is a closed ObjectMeta."""
    spec = crd["spec"]
    for version in spec["versions"]:
        closed = close(version["schema"]["openAPIV3Schema"])
        name, kind, group = version["name"], spec["names"]["kind"], spec["group"]
        yield Kind(group, name, kind, compact(top(closed, group, name, kind, metadata)))


def from_definitions(definitions: Mapping[str, Any], groups: frozenset[str] = frozenset()) -> Iterator[Kind]:
    """Every object kind among OpenAPI 2 definitions, lists left out.

    With `groups` only the kinds of these API groups; without, all but alpha versions. References between definitions
    are kept, as `$defs` of each file.
    """
    closed = {name: _SPECIAL.get(name) or close(published) for name, published in definitions.items()}
    for name, published in sorted(definitions.items()):
        kinds = published.get("x-kubernetes-group-version-kind", [])
        if len(kinds) != 1 or "metadata" not in published.get("properties", {}):
            continue
        group, version, kind = kinds[0].get("group", ""), kinds[0]["version"], kinds[0]["kind"]
        wanted = group in groups if groups else "alpha" not in version
        if kind.endswith("List") or not wanted:
            continue
        yield Kind(group, version, kind, compact(_standalone(closed, name, group, version, kind)))


def metadata_of(definitions: Mapping[str, Any]) -> Schema:
    """The closed ObjectMeta, with nothing left to resolve."""
    closed = {name: _SPECIAL.get(name) or close(published) for name, published in definitions.items()}
    inlined: Schema = _inline(closed[META], closed)
    return inlined


def _standalone(closed: Mapping[str, Schema], name: str, group: str, version: str, kind: str) -> Schema:
    schema = top(closed[name], group, version, kind, {"$ref": f"#/definitions/{META}"})
    reached: dict[str, Schema] = {}
    waiting = [schema]
    while waiting:
        for target in _references(waiting.pop()):
            if target not in reached:
                reached[target] = closed[target]
                waiting.append(closed[target])
    short = _short(reached)
    schema = _rename(schema, short)
    return {**schema, "$defs": {short[target]: _rename(reached[target], short) for target in sorted(reached)}}


def _short(names: Mapping[str, Schema]) -> dict[str, str]:
    """Readable names for definitions: the last part, with more in front where two would be the same."""
    short: dict[str, str] = {}
    for name in sorted(names):
        parts = name.split(".")
        length = next(n for n in range(1, len(parts) + 1) if ".".join(parts[-n:]) not in short.values())
        short[name] = ".".join(parts[-length:])
    return short


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _rename(value: Any, short: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        renamed = {key: _rename(inner, short) for key, inner in value.items()}
        if isinstance(value.get("$ref"), str):
            renamed["$ref"] = f"#/$defs/{short[value['$ref'].rpartition('/')[2]]}"
        return renamed
    return [_rename(inner, short) for inner in value] if isinstance(value, list) else value


def _inline(value: Any, closed: Mapping[str, Schema]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            return _inline(closed[value["$ref"].rpartition("/")[2]], closed)
        return {key: _inline(inner, closed) for key, inner in value.items()}
    return [_inline(inner, closed) for inner in value] if isinstance(value, list) else value
