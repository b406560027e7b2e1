"""A Kubernetes object, and the build unit it came out of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from kre.model.finding import Place

Body: TypeAlias = Mapping[str, Any]
Role: TypeAlias = Literal["bootstrap", "applications", "leaf", "plain"]
Pointer: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """One rendered object.

    `body` is the object as it would be applied, without marks of our own. `origin` is the source file that it came
    from, relative to the root (a kustomization.yaml for a generated object), `root` the path of the Kustomize root
    or plain file that rendered it. `namespace` is its own, or the one that its Application gives it. `brought` is the
    line that brings an object which stands in no file here, such as one of a chart.
    """

    body: Body
    origin: str
    root: str
    environment: str | None = None
    namespace: str = ""
    generated: bool = False
    brought: Place | None = None

    @property
    def api_version(self) -> str:
        return str(self.body.get("apiVersion", ""))

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]

    @property
    def kind(self) -> str:
        return str(self.body.get("kind", ""))

    @property
    def metadata(self) -> Body:
        found = self.body.get("metadata")
        return found if isinstance(found, Mapping) else {}

    @property
    def name(self) -> str:
        return str(self.metadata.get("name", ""))

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Root:
    """A folder (or plain file) that is rendered as one: what Argo CD, or `kubectl apply`, takes at once.

    `files` and `folders` are everything that Kustomize reads for it, relative to the root of the repository.
    `failed` means that it could not be rendered, which is a finding of its own.
    """

    path: str
    role: Role
    environment: str | None = None
    files: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    resources: tuple[Resource, ...] = field(default=(), repr=False)
    failed: bool = False


def dig(value: object, *keys: str | int) -> Any:  # noqa: ANN401 - whatever the object holds there
    """The value at a path of keys and indexes, None where the path ends early."""
    for key in keys:
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value):
            value = value[key]
        else:
            return None
    return value


def each(value: object, *keys: str | int) -> list[Any]:
    """The elements of the list at a path of keys; none where there is no list, whatever else stands there."""
    found = dig(value, *keys)
    return found if isinstance(found, list) else []


def sources(application: Resource) -> list[tuple[Pointer, Body]]:
    """The sources of an Argo CD Application with their pointers: `spec.sources`, which wins, or `spec.source`."""
    if application.kind != "Application":
        return []
    listed: list[tuple[Pointer, Any]] = [
        (("spec", "sources", index), entry) for index, entry in enumerate(each(application.body, "spec", "sources"))
    ]
    single: list[tuple[Pointer, Any]] = [(("spec", "source"), dig(application.body, "spec", "source"))]
    return [(pointer, entry) for pointer, entry in listed or single if isinstance(entry, Mapping)]


def synced_paths(application: Resource) -> list[tuple[Pointer, str]]:
    """The folders that an Application syncs, without slashes around them, with the pointers to their names."""
    named = [((*pointer, "path"), dig(source, "path")) for pointer, source in sources(application)]
    return [(pointer, path.strip("/")) for pointer, path in named if isinstance(path, str)]


def walk(value: object, at: Pointer = ()) -> Iterator[tuple[Pointer, object]]:
    """Every value inside `value` with its pointer, the value itself first, in order."""
    yield at, value
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from walk(inner, (*at, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk(inner, (*at, index))
