"""Programs that pods run from ConfigMaps, and what they declare: needs.yaml in the folder that their code is in.

A container's command names a file below a mount; the ConfigMap that is mounted there says, by its generator, from
which folder the file came. Each need may depend on the container's environment, or on a setting in a mounted ConfigMap
(`when`); a value that is only known later counts as every value.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from kre.load.sources import mapping
from kre.model.resource import Body, Resource, dig, each
from kre.model.source import Source
from kre.rbac.budget import EVERYWHERE, TARGETS
from kre.rbac.require.model import Account, Act, Level, Need
from kre.rbac.require.scene import Scene

FILE = "needs.yaml"
Possible: TypeAlias = frozenset[str] | None  # the values that something can have; None for any
Resolve: TypeAlias = Callable[[str], Possible]  # of a text that may have parameters in it


@dataclass(frozen=True, slots=True)
class Declared:
    """What one program declares: its entry of the file, and where that stands."""

    source: Source
    index: int
    entry: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Program:
    """A file that a container runs out of a ConfigMap; `declared` is None where nothing says what it needs."""

    file: str
    declared: Declared | None


def files(scene: Scene, config: Resource) -> dict[str, str]:
    """Key -> path of the file that it came from, of a generated ConfigMap."""
    source = scene.bundle.sources.get(config.origin) if config.generated else None
    value = source.documents[0].value if source and source.documents else {}
    found: dict[str, str] = {}
    for generator in each(value, "configMapGenerator"):
        name, space = str(dig(generator, "name")), dig(generator, "namespace")
        if config.name.startswith(name) and space in (None, config.namespace):
            for entry in each(generator, "files"):
                key, equals, path = str(entry).partition("=")
                file = path if equals else key
                whole = posixpath.normpath(posixpath.join(posixpath.dirname(config.origin), file))
                found[key if equals else posixpath.basename(file)] = whole
    return found


def program(scene: Scene, namespace: str, container: Body, volumes: list[Any]) -> Program | None:
    """The program of a container; None where it runs none out of a ConfigMap."""
    words = [str(word) for field in ("command", "args") for word in each(container, field)]
    for mount in each(container, "volumeMounts"):
        folder = str(dig(mount, "mountPath")).rstrip("/") + "/"
        for word in (word for word in words if word.startswith(folder)):
            held: dict[str, str] = {}
            configs = list(_mounted(scene, namespace, mount, volumes))
            for config in configs:
                held |= files(scene, config)
            if configs:
                return Program(word, _declared(scene, held.get(word.removeprefix(folder), "")))
    return None


def _mounted(scene: Scene, namespace: str, mount: object, volumes: list[Any]) -> Iterator[Resource]:
    """The ConfigMap of a mount, or those that a projected volume puts into one folder; of the same key the last wins
    (pkg/volume/projected of k8s.io/kubernetes)."""
    volume = next((one for one in volumes if dig(one, "name") == dig(mount, "name")), None)
    for source in (volume, *each(dig(volume, "projected"), "sources")):
        name = dig(source, "configMap", "name")
        config = scene.find("ConfigMap", namespace, name) if isinstance(name, str) else None
        if config is not None:
            yield config


def _declared(scene: Scene, file: str) -> Declared | None:
    source = scene.bundle.sources.get(posixpath.join(posixpath.dirname(file), FILE)) if file else None
    for index, entry in enumerate(each(source.documents[0].value, "programs") if source and source.documents else ()):
        if source and dig(entry, "file") == posixpath.basename(file):
            return Declared(source, index, entry)
    return None


def acts(
    scene: Scene, who: Account, known: Act, container: Body, volumes: list[Any], resolve: Resolve, found: Declared
) -> Iterator[Act]:
    """What a program does under somebody's name, need by need; `known` has who runs it, and where."""
    environment = {str(dig(entry, "name")): _value(entry, resolve) for entry in each(container, "env")}
    settings = _settings(scene, who.partition(" ")[2].partition("/")[0], container, volumes)
    for position, entry in enumerate(each(found.entry, "needs")):
        if all(_holds(key, wanted, environment, settings) for key, wanted in mapping(dig(entry, "when")).items()):
            at = found.source.at(("programs", found.index, "needs", position))
            what = f"{known.what}, {dig(found.entry, 'file')} {dig(entry, 'does')}"
            lost = "which namespaces are targets is not known" if _lost(scene, entry) else ""
            yield Act(who, what, known.resource, known.pointer, tuple(needs(scene, entry)), lost, declared=at)


def needs(scene: Scene, entry: object) -> Iterator[Need]:
    """The rights of one entry, in each namespace that it means."""
    scope, level = str(dig(entry, "in")), Level.TOLERATED if dig(entry, "tolerated") else Level.REQUIRED
    for namespace in (scene.targets or ()) if scope == TARGETS else ("" if scope == EVERYWHERE else scope,):
        for group in each(entry, "apiGroups"):
            for resource in each(entry, "resources"):
                for verb in each(entry, "verbs"):
                    yield Need(level, str(verb), str(group), str(resource), namespace)


def _lost(scene: Scene, entry: object) -> bool:
    return scene.targets is None and dig(entry, "in") == TARGETS


def _value(entry: object, resolve: Resolve) -> Possible:
    value = dig(entry, "value")
    return resolve(str(value)) if value is not None or dig(entry, "valueFrom") is None else None


def _settings(scene: Scene, namespace: str, container: Body, volumes: list[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for mount in each(container, "volumeMounts"):
        for config in _mounted(scene, namespace, mount, volumes):
            data = mapping(dig(config.body, "data"))
            found.update((str(key), str(value)) for key, value in data.items())
    return found


def _holds(key: str, wanted: Any, environment: Mapping[str, Possible], settings: Mapping[str, str]) -> bool:  # noqa: ANN401 - YAML
    """Whether a condition can be true: KEY in capitals is a variable, else a setting, of whichever response."""
    words = {str(word) for word in wanted} if isinstance(wanted, list) else {str(wanted)}
    if str(key).isupper():
        possible = environment.get(str(key), frozenset())
        return possible is None or bool(possible & words)
    return any(value.strip() in words for name, value in settings.items() if name == key or name.endswith(f".{key}"))
