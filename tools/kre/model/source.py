"""A YAML file that was read, with the position of everything in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from kre.model.finding import Place
from kre.model.resource import Pointer


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its node tree, which knows lines, and its value, which does not."""

    node: yaml.Node
    value: Any


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file: its path relative to the root, and its documents, empty ones left out."""

    path: str
    documents: tuple[Document, ...]

    def place(self, node: yaml.Node) -> Place:
        """Where a node of this file begins."""
        return Place(self.path, node.start_mark.line + 1, node.start_mark.column + 1)

    def at(self, pointer: Pointer, document: int = 0) -> Place:
        """The place of what is at `pointer`, or of the deepest thing on the way there."""
        if document >= len(self.documents):
            return Place(self.path)
        node, _ = find(self.documents[document].node, pointer)
        return self.place(node)


@dataclass(frozen=True, slots=True)
class Kustomization:
    """A kustomization file: its folder, and the paths (relative to the root) that it names, each with its field."""

    folder: str
    source: Source
    references: tuple[tuple[str, str, Place], ...] = ()

    @property
    def value(self) -> dict[str, Any]:
        found = self.source.documents[0].value if self.source.documents else None
        return found if isinstance(found, dict) else {}


def entry(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """One step down: (what to show, where to go on). Of a mapping's entry its key is shown."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(step):
                return key, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def find(node: yaml.Node, pointer: Pointer) -> tuple[yaml.Node, int]:
    """The node to show for `pointer`, as deep as there is one, and the number of steps taken."""
    shown, inner, steps = node, node, 0
    for step in pointer:
        found = entry(inner, step)
        if found is None:
            break
        shown, inner = found
        steps += 1
    return shown, steps
