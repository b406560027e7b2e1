"""The metadata of an object that is to be created: apimachinery's pkg/api/validation/objectmeta.go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from kre.rbac import names
from kre.rbac.decode import Rejected, entries, table, text, texts

_MOST_ANNOTATIONS = 256 * 1024
_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_GENERATED = "\0"  # the end of a name that the API server makes up: no reference can have it


class Metadata(NamedTuple):
    """What of it matters to RBAC."""

    namespace: str
    name: str
    labels: Mapping[str, str]


def parse(value: object, *, namespaced: bool, namespace: str = "") -> Metadata:
    """The metadata of an object; `namespace` is the one that it is sent to, if it names none. Raises Rejected."""
    meta = table(value, "metadata")
    name, prefix = (text(meta.get(field), f"metadata.{field}") for field in ("name", "generateName"))
    for field, known in (("name", name), ("generateName", prefix)):
        if wrong := names.path_segment(known):
            raise Rejected(f"metadata.{field}", wrong)
    if not name and not prefix:
        raise Rejected("metadata.name", "is required")
    space = text(meta.get("namespace"), "metadata.namespace") or namespace
    if namespaced and names.namespace(space):
        raise Rejected("metadata.namespace", names.namespace(space) if space else "is required")
    if text(meta.get("resourceVersion"), "metadata.resourceVersion"):
        raise Rejected("metadata.resourceVersion", "must not be set on an object that is to be created")
    _annotations(meta.get("annotations"))
    _owners(meta.get("ownerReferences"))
    _finalizers(meta.get("finalizers"))
    found = labels(meta.get("labels"), "metadata.labels")
    return Metadata(space if namespaced else "", name or prefix + _GENERATED, found)


def labels(value: object, where: str) -> dict[str, str]:
    """Labels, each key and value checked."""
    return _pairs(value, where, names.qualified, names.label_value)


def _pairs(
    value: object, where: str, key_fits: Callable[[str], str], value_fits: Callable[[str], str]
) -> dict[str, str]:
    found = {}
    for key, inner in table(value, where).items():
        if not isinstance(key, str):
            raise Rejected(where, f"{key}: a key must be a string")
        found[key] = text(inner, f"{where}.{key}")
        if wrong := key_fits(key) or value_fits(found[key]):
            raise Rejected(f"{where}.{key}", wrong)
    return found


def _annotations(value: object) -> None:
    found = _pairs(value, "metadata.annotations", lambda key: names.qualified(key.lower()), lambda _: "")
    size = sum(len(key.encode(errors="replace")) + len(found[key].encode(errors="replace")) for key in found)
    if size > _MOST_ANNOTATIONS:
        raise Rejected("metadata.annotations", f"{size} bytes are more than {_MOST_ANNOTATIONS}")


def _owners(value: object) -> None:
    controllers = 0
    for index, owner in enumerate(entries(value, "metadata.ownerReferences")):
        where = f"metadata.ownerReferences[{index}]"
        found = {key: text(owner.get(key), f"{where}.{key}") for key in ("apiVersion", "kind", "name", "uid")}
        if missing := [key for key, known in found.items() if not known]:
            raise Rejected(where, f"{missing[0]} must not be empty")
        if (found["apiVersion"], found["kind"]) == ("v1", "Event"):
            raise Rejected(where, "an Event owns nothing")
        controllers += owner.get("controller") is True
    if controllers > 1:
        raise Rejected("metadata.ownerReferences", "only one owner can be the controller")


def _finalizers(value: object) -> None:
    found = texts(value, "metadata.finalizers")
    for name in found:
        wrong = names.qualified(name) or ("" if "/" in name or name in _FINALIZERS else "needs a domain before a slash")
        if wrong:
            raise Rejected("metadata.finalizers", f"{name}: {wrong}")
    if {"orphan", "foregroundDeletion"} <= set(found):
        raise Rejected("metadata.finalizers", "orphan and foregroundDeletion can't both be set")
