"""From a place in a rendered object back to the line that a person wrote.

Kustomize says from which file an object came; a field may since have been changed by a patch or a replacement. So
the file's own line counts if its value is the one that was rendered; else whoever changed it is looked for among the
kustomizations that the root reads; else the nearest thing in the file that is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import yaml

from kre.load.scalars import Loader
from kre.model.bundle import Bundle
from kre.model.finding import Place
from kre.model.resource import Pointer, Resource, dig
from kre.model.source import Document, Kustomization, Source, entry, find

_MISSING = object()


def place(bundle: Bundle, resource: Resource, pointer: Pointer = ()) -> Place:
    """Where the value at `pointer` of a rendered object is written."""
    source = bundle.sources.get(resource.origin)
    if resource.generated:
        return _generated(bundle, resource)
    if source is None or (document := _document(source, resource)) is None:
        return Place(resource.origin or resource.root)
    wanted = _at(resource.body, pointer)
    own = _alike(document.node, resource.body, pointer)
    if own is not None and (wanted is _MISSING or _at_node(own[1]) == wanted):
        return source.place(own[0])
    changed = next(_changes(bundle, resource, pointer, wanted), None)
    if changed:
        return changed
    return source.place(find(document.node, pointer)[0])


def _document(source: Source, resource: Resource) -> Document | None:
    """The document of an object, which Kustomize may have given another name."""
    same = [document for document in source.documents if dig(document.value, "kind") == resource.kind]
    named = [document for document in same if _name(document) == resource.name]
    renamed = [document for document in same if _name(document) and _name(document) in resource.name]
    listed = [document for document in source.documents if dig(document.value, "kind") == "List"]
    return next(iter((*named, *renamed, *same, *listed)), None)


def _name(document: Document) -> str:
    return str(dig(document.value, "metadata", "name") or "")


def _generated(bundle: Bundle, resource: Resource) -> Place:
    source = bundle.sources.get(resource.origin)
    value = source.documents[0].value if source and source.documents else {}
    for field in ("configMapGenerator", "secretGenerator"):
        generators = value.get(field) if isinstance(value, Mapping) else None
        for index, generator in enumerate(generators if isinstance(generators, list) else []):
            if source and dig(generator, "name") and resource.name.startswith(str(dig(generator, "name"))):
                return source.at((field, index, "name"))
    return Place(resource.origin)


def _at(value: Any, pointer: Pointer) -> Any:  # noqa: ANN401 - JSON
    for step in pointer:
        held = value if isinstance(value, Mapping) else dict(enumerate(value)) if isinstance(value, list) else {}
        if step not in held:
            return _MISSING
        value = held[step]
    return value


@lru_cache(maxsize=4096)
def _at_node(node: yaml.Node) -> Any:  # noqa: ANN401 - YAML
    loader = Loader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _alike(node: yaml.Node, rendered: object, pointer: Pointer) -> tuple[yaml.Node, yaml.Node] | None:
    """Walks source and rendered object side by side; a list's element is the one of the same name, else of the same
    index. Returns (what to show, the value), None where the source ends early."""
    shown, inner = node, node
    for step in pointer:
        following = _at(rendered, (step,))
        found = _named(inner, following) if isinstance(step, int) else None
        found = found or entry(inner, step)
        if found is None:
            return None
        (shown, inner), rendered = found, following
    return shown, inner


def _named(node: yaml.Node, rendered: object) -> tuple[yaml.Node, yaml.Node] | None:
    name = dig(rendered, "name")
    if not isinstance(node, yaml.SequenceNode) or not isinstance(name, str):
        return None
    for element in node.value:
        found = entry(element, "name")
        if found and isinstance(found[1], yaml.ScalarNode) and found[1].value == name:
            return element, element
    return None


def _changes(bundle: Bundle, resource: Resource, pointer: Pointer, wanted: object) -> Iterator[Place]:
    root = bundle.root_at(resource.root)
    for folder in sorted(root.folders if root else ()):
        known = bundle.kustomizations.get(folder)
        if known is None:
            continue
        yield from _patches(bundle, known, resource, pointer)
        yield from _replacements(bundle, known, resource, root.files if root else frozenset(), wanted)


def _patches(bundle: Bundle, known: Kustomization, resource: Resource, pointer: Pointer) -> Iterator[Place]:
    for field, path, _ in known.references:
        source = bundle.sources.get(path) if field.startswith("patches") else None
        for document in source.documents if source else ():
            if source and isinstance(document.value, list):
                yield from _operations(source, document, pointer)
            elif source and dig(document.value, "kind") in (resource.kind, None):
                found = _alike(document.node, resource.body, pointer)
                if found and _name(document) in resource.name:
                    yield source.place(found[0])


def _operations(source: Source, document: Document, pointer: Pointer) -> Iterator[Place]:
    """JSON 6902: the operation on `pointer`, or on something around it. `-` stands for any index."""
    for index, operation in enumerate(document.value):
        parts = str(dig(operation, "path")).split("/")[1:]
        steps = [part.replace("~1", "/").replace("~0", "~") for part in parts]
        around = [str(step) for step in pointer[: len(steps)]]
        if steps and len(around) == len(steps) and all(a in (b, "-") for a, b in zip(steps, around, strict=True)):
            yield source.at((index, "value", *pointer[len(steps) :]))


def _replacements(
    bundle: Bundle, known: Kustomization, resource: Resource, files: frozenset[str], wanted: object
) -> Iterator[Place]:
    """The field that a replacement took a value from, if that is the whole value that was rendered."""
    for replacement in known.value.get("replacements") or []:
        field_path = str(dig(replacement, "source", "fieldPath") or "metadata.name")
        steps: Pointer = tuple(field_path.split("."))
        if not any(
            dig(target, "select", "kind") in (resource.kind, None) for target in dig(replacement, "targets") or []
        ):
            continue
        for path in sorted(files):
            source = bundle.sources.get(path)
            for index, document in enumerate(source.documents if source else ()):
                kind, value = dig(replacement, "source", "kind"), dig(document.value, *steps)
                if source and dig(document.value, "kind") == kind and value is not None and value == wanted:
                    yield source.at(steps, index)
