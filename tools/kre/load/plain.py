"""A folder without environments: Kustomize roots are rendered, other manifests are taken as they stand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from kre.load.build import build
from kre.load.graph import NAMES, follow
from kre.load.objects import resource
from kre.load.sources import Sources, mapping
from kre.model.bundle import Bundle
from kre.model.finding import Finding
from kre.model.resource import Resource, Root
from kre.model.source import Source


def load(root: Path) -> Bundle:
    """The Bundle of a folder of manifests. A folder that another kustomization includes is not rendered by itself."""
    sources = Sources(root)
    sources.read_all(["."])
    _read_json(sources)
    config = mapping(sources.value("kre.yaml")) if os.path.exists(root / "kre.yaml") else {}
    folders = [Path(path).parent.as_posix() for path in sorted(sources.parsed) if Path(path).name in NAMES]
    included = {
        target
        for folder in folders
        for known in follow(sources, folder).kustomizations.values()
        for name, target, _ in known.references
        if name in ("resources", "components", "bases")
    }
    tops = [folder for folder in folders if folder not in included and not _component(sources, folder)]
    roots, reaches, problems = build(sources, [(folder, "plain", None) for folder in tops])
    read_by_kustomize = {file for reach in reaches for file in reach.files}
    broken = [PurePosixPath(path).parent for path in sources.problems if PurePosixPath(path).name in NAMES]
    loose = [
        source
        for path, source in sorted(sources.parsed.items())
        if path not in read_by_kustomize and not any(PurePosixPath(path).is_relative_to(folder) for folder in broken)
    ]
    single, unclear = _loose(loose)
    return Bundle(
        root=root,
        roots=(*roots, *single),
        sources=sources.parsed,
        kustomizations={folder: known for reach in reaches for folder, known in reach.kustomizations.items()},
        problems=(*sources.problems.values(), *problems, *unclear),
        config=config,
    )


def _read_json(sources: Sources) -> None:
    """Manifests in JSON, too; what is no JSON that YAML can hold is nobody's manifest."""
    before = set(sources.problems)
    sources.read_all(["."], (".json",))
    for path in set(sources.problems) - before:
        del sources.problems[path]


def _headed(body: Mapping[str, object]) -> bool:
    """Whether a document without `kind` was meant as an object all the same."""
    return "apiVersion" in body and "metadata" in body


def _component(sources: Sources, folder: str) -> bool:
    return any(
        mapping(sources.value((Path(folder) / name).as_posix())).get("kind") == "Component"
        for name in NAMES
        if os.path.isfile(sources.root / folder / name)
    )


def _loose(files: list[Source]) -> tuple[list[Root], list[Finding]]:
    """Manifests as they stand. A document without `kind` is somebody else's YAML; one with half a head is a finding."""
    roots, unclear = [], []
    for source in files:
        found: list[Resource] = []
        for index, document in enumerate(source.documents):
            body = mapping(document.value)
            if Path(source.path).name in NAMES or not ("kind" in body or _headed(body)):
                continue
            if not isinstance(body.get("apiVersion"), str) or not isinstance(body.get("kind"), str):
                place = source.at(("kind",) if "kind" in body else (), index)
                unclear.append(
                    Finding("S02", "error", place, "no object: an object needs apiVersion and kind, both text")
                )
                continue
            found.extend(resource(body, source.path, source.path))
        if found:
            roots.append(Root(source.path, "plain", None, frozenset({source.path}), frozenset(), tuple(found)))
    return roots, unclear
