"""From a place in a rendered object back to the line that a person wrote.

Kustomize says from which file an object came; a field may since have been changed by a patch or a replacement. So
the file's own line counts if its value is the one that was rendered; else whoever changed it is looked for among the
kustomizations that the root reads; else the nearest thing in the file that is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kre.load.alike import MISSING, alike, at, value_of
from kre.load.overrides import overrides
from kre.model.bundle import Bundle
from kre.model.finding import Place
from kre.model.resource import Pointer, Resource, dig, each
from kre.model.source import Source, entry, find


@dataclass(frozen=True, slots=True)
class _Home:
    """Where an object stands in a file: the document, and the way to it for one inside of a List."""

    source: Source
    index: int
    prefix: Pointer
    value: object


def place(bundle: Bundle, resource: Resource, pointer: Pointer = ()) -> Place:
    """Where the value at `pointer` of a rendered object is written."""
    if resource.brought is not None:
        return resource.brought
    if resource.generated:
        wanted = at(resource.body, pointer)
        changed = next(overrides(bundle, resource, pointer, wanted), None) if isinstance(wanted, str) else None
        return changed or _generated(bundle, resource)
    home = _home(bundle, resource)
    if home is None:
        return Place(resource.origin or resource.root)
    node = home.source.documents[home.index].node
    for step in home.prefix:
        found = entry(node, step)
        node = found[1] if found else node
    wanted = at(resource.body, pointer)
    own = alike(node, resource.body, pointer)
    if own is not None and (wanted is MISSING or isinstance(wanted, Mapping | list) or value_of(own[1]) == wanted):
        return home.source.place(own[0])
    changed = next(overrides(bundle, resource, pointer, wanted), None)
    return changed or home.source.place(find(node, pointer)[0])


def _home(bundle: Bundle, resource: Resource) -> _Home | None:
    """The best match among the objects of the file that an object came from. Kustomize may have renamed it, so the
    longest name that its own one holds wins."""
    candidates = [home for home in _objects(bundle, resource) if dig(home.value, "kind") == resource.kind]

    def score(home: _Home) -> tuple[bool, bool, int]:
        name, namespace = dig(home.value, "metadata", "name"), dig(home.value, "metadata", "namespace")
        inside = len(name) if isinstance(name, str) and name in resource.name else -1
        return name == resource.metadata.get("name"), namespace == resource.metadata.get("namespace"), inside

    return max(candidates, key=score, default=None)


def _objects(bundle: Bundle, resource: Resource) -> Iterator[_Home]:
    """Every object of the file, those inside of a List included; of all resources of the root where Kustomize does
    not say which file it was."""
    paths = [resource.origin] if resource.origin else list(_resources(bundle, resource))
    for source in (bundle.sources[path] for path in paths if path in bundle.sources):
        for index, document in enumerate(source.documents):
            yield _Home(source, index, (), document.value)
            if str(dig(document.value, "kind")).endswith("List"):
                for position, item in enumerate(each(document.value, "items")):
                    yield _Home(source, index, ("items", position), item)


def _resources(bundle: Bundle, resource: Resource) -> Iterator[str]:
    root = bundle.root_at(resource.root)
    for folder in sorted(root.folders if root else ()):
        known = bundle.kustomizations.get(folder)
        yield from (path for field, path, _ in (known.references if known else ()) if field == "resources")


def _generated(bundle: Bundle, resource: Resource) -> Place:
    """The generator's name; two of one name differ by their namespace."""
    source = bundle.sources.get(resource.origin)
    value = source.documents[0].value if source and source.documents else {}
    found = [
        (dig(generator, "namespace") != (resource.namespace or None), field, index)
        for field in ("configMapGenerator", "secretGenerator")
        for index, generator in enumerate(each(value, field))
        if isinstance(dig(generator, "name"), str) and dig(generator, "name") in resource.name
    ]
    if source and found:
        _, field, index = min(found)
        return source.at((field, index, "name"))
    return Place(resource.origin)
