"""The patches of a kustomization, from files or written into it, each with places of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from kre.load.source import Unreadable, parse
from kre.model.bundle import Bundle
from kre.model.finding import Place
from kre.model.resource import Pointer, Resource, dig, each
from kre.model.source import Document, Kustomization, Source, find


@dataclass(frozen=True, slots=True)
class Patch:
    """One document of a patch: `entry` is what the kustomization says of it (its target), `shift` what has to be
    added to the lines of a patch that is written into the kustomization."""

    source: Source
    document: Document
    entry: Mapping[str, Any]
    shift: int = 0
    column: int = 0

    @property
    def value(self) -> Any:  # noqa: ANN401 - YAML
        return self.document.value

    def place(self, pointer: Pointer) -> Place:
        """Where a value of the patch is written."""
        return self.node_place(find(self.document.node, pointer)[0])

    def node_place(self, node: yaml.Node) -> Place:
        """Where a node of the patch is written."""
        own = self.source.place(node)
        return Place(own.path, own.line + self.shift, own.column + self.column)

    def aims_at(self, resource: Resource) -> bool:
        """Whether the patch is for this object, as it is rendered: renamed, perhaps, by a prefix or suffix."""
        target = self.entry.get("target")
        if isinstance(target, Mapping):
            kind, name = target.get("kind"), target.get("name")
            same_name = name is None or re.search(f"(?:{name})", resource.name) if _regular(name) else False
            return kind in (None, "", resource.kind) and bool(same_name)
        name = dig(self.value, "metadata", "name")
        return dig(self.value, "kind") == resource.kind and isinstance(name, str) and name in resource.name


def patches(bundle: Bundle, known: Kustomization) -> Iterator[Patch]:
    """Every patch document of a kustomization, in order. Those that can't be read are findings elsewhere."""
    paths = {place: path for field, path, place in known.references if field.startswith("patches")}
    for field in ("patches", "patchesJson6902", "patchesStrategicMerge"):
        for index, entry in enumerate(each(known.value, field)):
            about = entry if isinstance(entry, Mapping) else {}
            path = paths.get(known.source.at((field, index, "path") if about else (field, index)))
            source = bundle.sources.get(path) if path else None
            for document in source.documents if source else ():
                yield Patch(source, document, about)  # type: ignore[arg-type]
            if isinstance(text := about.get("patch"), str):
                yield from _inline(known, (field, index, "patch"), text, about)


def _inline(known: Kustomization, pointer: Pointer, text: str, entry: Mapping[str, Any]) -> Iterator[Patch]:
    try:
        source = parse(known.source.path, text.encode())
    except Unreadable:
        return
    node = _value_node(known.source, pointer)
    block = node is not None and node.style in ("|", ">")
    line = node.start_mark.line if node and node.start_mark else 0
    for document in source.documents:  # of a block the text begins on the next line
        yield Patch(source, document, entry, line + block)


def _value_node(source: Source, pointer: Pointer) -> yaml.ScalarNode | None:
    node: yaml.Node | None = source.documents[0].node
    for step in pointer:
        pairs = getattr(node, "value", [])
        if isinstance(step, int):
            node = pairs[step]
        else:
            node = next((value for key, value in pairs if key.value == step), None)
    return node if isinstance(node, yaml.ScalarNode) else None


def _regular(pattern: object) -> bool:
    try:
        re.compile(str(pattern))
    except re.error:
        return False
    return True
