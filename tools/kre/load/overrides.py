"""Who changed a rendered value: the patches and replacements of the kustomizations that a root reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kre.load.alike import MISSING, alike, value_of
from kre.load.patches import Patch, patches
from kre.model.bundle import Bundle
from kre.model.finding import Place
from kre.model.resource import Pointer, Resource, dig, each
from kre.model.source import Kustomization


def overrides(bundle: Bundle, resource: Resource, pointer: Pointer, wanted: object) -> Iterator[Place]:
    """Every place that sets the value at `pointer` of an object to the one that was rendered (`wanted`)."""
    root = bundle.root_at(resource.root)
    for folder in sorted(root.folders if root else ()):
        known = bundle.kustomizations.get(folder)
        for patch in patches(bundle, known) if known else ():
            if patch.aims_at(resource):
                yield from _patch(patch, resource, pointer, wanted)
        if known and root:
            yield from _replacements(bundle, known, resource, root.files, wanted)


def _patch(patch: Patch, resource: Resource, pointer: Pointer, wanted: object) -> Iterator[Place]:
    if isinstance(patch.value, list):
        yield from _operations(patch, pointer, wanted)
        return
    found = alike(patch.document.node, resource.body, pointer)
    partly = isinstance(wanted, Mapping | list) or wanted is MISSING
    if found and (partly or value_of(found[1]) == wanted):
        yield patch.node_place(found[0])


def _operations(patch: Patch, pointer: Pointer, wanted: object) -> Iterator[Place]:
    """JSON 6902: an operation on `pointer`, or on something around it. `-` stands for any index; of several that may
    have put something there, the one that holds just that comes first."""
    found: list[tuple[bool, Pointer]] = []
    for index, operation in enumerate(patch.value):
        parts = str(dig(operation, "path")).split("/")[1:]
        steps = [part.replace("~1", "/").replace("~0", "~") for part in parts]
        around = [str(step) for step in pointer[: len(steps)]]
        covers = bool(steps) and len(around) == len(steps)
        inner = pointer[len(steps) :]
        if covers and all(a in (b, "-") for a, b in zip(steps, around, strict=True)):
            given = dig(operation, "value", *inner)
            if given == wanted or isinstance(wanted, Mapping | list) or wanted is MISSING:
                found.append((given != wanted, (index, "value", *inner)))
    yield from (patch.place(at) for _, at in sorted(found, key=lambda entry: entry[0]))


def _replacements(
    bundle: Bundle, known: Kustomization, resource: Resource, files: frozenset[str], wanted: object
) -> Iterator[Place]:
    """The field that a replacement took a value from, if that is the whole value that was rendered."""
    for replacement in each(known.value, "replacements"):
        steps: Pointer = tuple(str(dig(replacement, "source", "fieldPath") or "metadata.name").split("."))
        targets = [dig(target, "select", "kind") for target in each(replacement, "targets")]
        if resource.kind not in targets and None not in targets:
            continue
        for path in sorted(files):
            source = bundle.sources.get(path)
            for index, document in enumerate(source.documents if source else ()):
                kind, value = dig(replacement, "source", "kind"), dig(document.value, *steps)
                if source and dig(document.value, "kind") == kind and value is not None and value == wanted:
                    yield source.at(steps, index)
