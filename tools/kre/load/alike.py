"""Walks a source and what was rendered from it side by side: Kustomize reorders lists and adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import yaml

from kre.load.scalars import Loader
from kre.model.resource import Pointer, dig
from kre.model.source import entry

MISSING = object()


def at(value: Any, pointer: Pointer) -> Any:  # noqa: ANN401 - JSON
    """The value at a pointer, MISSING where there is none (null is a value)."""
    for step in pointer:
        held = value if isinstance(value, Mapping) else dict(enumerate(value)) if isinstance(value, list) else {}
        if step not in held:
            return MISSING
        value = held[step]
    return value


@lru_cache(maxsize=4096)
def value_of(node: yaml.Node) -> Any:  # noqa: ANN401 - YAML
    """The value that a node stands for."""
    loader = Loader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def alike(node: yaml.Node, rendered: object, pointer: Pointer) -> tuple[yaml.Node, yaml.Node] | None:
    """What of a source became the value at `pointer` of an object: (what to show, the value), None where it ends early.

    An element of a list is the one with the same `name`, else an equal one, else the one at the same index.
    """
    shown, inner = node, node
    for step in pointer:
        following = at(rendered, (step,))
        found = _element(inner, following, step) if isinstance(step, int) else entry(inner, step)
        if found is None:
            return None
        (shown, inner), rendered = found, following
    return shown, inner


def _element(node: yaml.Node, rendered: object, index: int) -> tuple[yaml.Node, yaml.Node] | None:
    if not isinstance(node, yaml.SequenceNode):
        return None
    same = entry(node, index)
    if same and value_of(same[1]) == rendered:
        return same
    name = dig(rendered, "name")
    for element in node.value:
        found = entry(element, "name")
        if isinstance(name, str) and found and found[1].value == name:
            return element, element
    return next(((element, element) for element in node.value if value_of(element) == rendered), same)
