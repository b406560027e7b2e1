"""What a Kustomize root reads: every kustomization, file and folder, followed as Kustomize follows them.

Field names: `types.Kustomization` of sigs.k8s.io/kustomize/api v0.21 (kustomize 5.8).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from kre.load.sources import Sources, relative
from kre.model.finding import Finding
from kre.model.resource import Pointer
from kre.model.source import Kustomization

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
FIELDS = frozenset(
    "apiVersion kind metadata openapi namePrefix nameSuffix namespace commonLabels labels commonAnnotations "
    "patchesStrategicMerge patchesJson6902 patches images imageTags replacements replicas vars sortOptions resources "
    "components crds bases configMapGenerator secretGenerator helmGlobals helmCharts helmChartInflationGenerator "
    "generatorOptions configurations generators transformers validators inventory buildMetadata".split()
)
_PATHS = tuple(
    tuple(path.split("/"))
    for path in (
        *("resources/*", "components/*", "bases/*", "crds/*", "configurations/*"),
        *("generators/*", "transformers/*", "validators/*", "openapi/path"),
        *("patches/*/path", "patchesStrategicMerge/*", "patchesJson6902/*/path", "replacements/*/path"),
        *("configMapGenerator/*/files/*", "configMapGenerator/*/envs/*", "configMapGenerator/*/env"),
        *("secretGenerator/*/files/*", "secretGenerator/*/envs/*", "secretGenerator/*/env"),
    )
)
_REMOTE = re.compile(r"://|^git@|^[\w-]+(\.[\w-]+)+[:/]|[?&]ref=")


@dataclass(slots=True)
class Reach:
    """Everything that one root reads, and what stands in the way of rendering it."""

    kustomizations: dict[str, Kustomization] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    problems: list[Finding] = field(default_factory=list)


def kustomization_of(root: Path, folder: str) -> str | None:
    """The path of the kustomization file in `folder`, None where there is none."""
    paths = [str(PurePosixPath(folder) / name) for name in NAMES]
    return next((path for path in paths if os.path.isfile(root / path)), None)


def follow(sources: Sources, folder: str) -> Reach:
    """Walks from the kustomization in `folder` through everything it names. Reads through `sources` alone."""
    reach = Reach()
    _visit(sources, folder, reach)
    return reach


def _visit(sources: Sources, folder: str, reach: Reach) -> None:
    folder = relative(sources.root, os.path.realpath(sources.root / folder))
    if folder in reach.folders:
        return
    reach.folders.add(folder)
    path = kustomization_of(sources.root, folder)
    if path is None:
        return
    reach.files.add(path)
    source = sources.get(path)
    if source is None:
        reach.problems.append(sources.problems[path])
        return
    known = Kustomization(folder, source)
    reach.problems.extend(_unknown(known))
    references = []
    for name, pointer, text in _named(known):
        target = _resolve(sources, known, name, pointer, text, reach)
        if target is not None:
            references.append((name, target, source.at(pointer)))
    reach.kustomizations[folder] = Kustomization(folder, source, tuple(references))
    for name, target, where in references:
        if os.path.isdir(sources.root / target):
            _visit(sources, target, reach)
            continue
        reach.files.add(target)
        held = None if name.endswith("Generator") else sources.get(target)
        if target in sources.problems:
            reach.problems.append(sources.problems[target])
        elif name == "resources" and held and not held.documents:
            message = f"{os.path.basename(target)} holds no object: Kustomize passes over it in silence"
            reach.problems.append(Finding("K02", "error", where, message, "fill it, or remove the line"))


def _resolve(
    sources: Sources, known: Kustomization, name: str, pointer: Pointer, text: str, reach: Reach
) -> str | None:
    real = os.path.realpath(sources.root / known.folder / text)
    if os.path.isdir(real):
        target = relative(sources.root, real)
        if name in ("resources", "components", "bases") and kustomization_of(sources.root, target) is None:
            readable = os.access(real, os.R_OK | os.X_OK)
            message = f"{text} has no kustomization.yaml" if readable else f"{text} can't be read: permission denied"
            reach.problems.append(
                Finding("K02", "error", known.source.at(pointer), message, "name its files, or add one")
            )
            return None
        return target
    if os.path.exists(real):
        return relative(sources.root, real)
    if name in ("resources", "components", "bases") and _REMOTE.search(text):
        message = f"{text} is fetched over the network, so nobody knows today what it renders tomorrow"
        hint = "copy it into the repository, or let an Application of its own sync it at an exact tag"
        reach.problems.append(Finding("K04", "error", known.source.at(pointer), message, hint))
        return None
    message = f"{text} ({name}) does not exist"
    near = get_close_matches(os.path.basename(text), _siblings(real), 1)
    hint = (
        f"did you mean {os.path.join(os.path.dirname(text), near[0])}?" if near else "add the file, or remove the line"
    )
    reach.problems.append(Finding("K02", "error", known.source.at(pointer), message, hint))
    return None


def _siblings(path: str) -> list[str]:
    try:
        return os.listdir(os.path.dirname(path))
    except OSError:
        return []


def _unknown(known: Kustomization) -> Iterator[Finding]:
    for key in known.value:
        if key not in FIELDS:
            near = get_close_matches(str(key), FIELDS, 1)
            hint = f"did you mean {near[0]}?" if near else "see kubectl.docs.kubernetes.io/references/kustomize"
            yield Finding("K03", "error", known.source.at((str(key),)), f"a kustomization has no field {key}", hint)


def _named(known: Kustomization) -> Iterator[tuple[str, Pointer, str]]:
    """Every (field, pointer, path) by which a kustomization names a file or folder."""
    for steps in _PATHS:
        for pointer, text in _expand(known.value, steps):
            if steps[-2:] == ("files", "*"):  # [name=]path
                yield steps[0], pointer, text.partition("=")[2] or text
            elif "\n" not in text:  # a patch may stand there itself
                yield steps[0], pointer, text


def _expand(value: object, steps: tuple[str, ...], at: Pointer = ()) -> Iterator[tuple[Pointer, str]]:
    """The texts at a path in which * stands for every element of a list."""
    if not steps:
        if isinstance(value, str):
            yield at, value
    elif steps[0] == "*":
        for index, inner in enumerate(value if isinstance(value, list) else []):
            yield from _expand(inner, steps[1:], (*at, index))
    elif isinstance(value, Mapping):
        yield from _expand(value.get(steps[0]), steps[1:], (*at, steps[0]))
