"""From folders to rendered Roots: each followed, then all built at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from kre.load.graph import Reach, follow, kustomization_of
from kre.load.objects import resource
from kre.load.render import Rendered, Renderer
from kre.load.sources import Sources
from kre.model.finding import Finding, Place
from kre.model.resource import Role, Root, dig


def build(
    sources: Sources, units: Sequence[tuple[str, Role, str | None]]
) -> tuple[tuple[Root, ...], list[Reach], list[Finding]]:
    """Follows and renders each (folder, role, environment). What can't be rendered is a failed root and a finding."""
    roots: list[Root] = []
    reaches: list[Reach] = []
    problems: list[Finding] = []
    with Renderer(sources.root) as renderer:
        for folder, _, _ in units:
            reach = follow(sources, folder)
            reaches.append(reach)
            if reach.kustomizations and not reach.problems:
                renderer.start(folder)
        for (folder, role, environment), reach in zip(units, reaches, strict=True):
            rendered = renderer.result(folder)
            found = [*reach.problems, *_failures(sources, folder, reach, rendered)]
            names = (environment,) if environment else ()
            problems += [replace(problem, environments=names) for problem in found]
            resources = tuple(
                item
                for body, origin, generated in (rendered.objects if rendered else ())
                for item in resource(body, origin, folder, environment, generated=generated)
            )
            reads = frozenset(reach.files), frozenset(reach.folders)
            roots.append(Root(folder, role, environment, *reads, resources, bool(found)))
    return tuple(roots), reaches, problems


def _failures(sources: Sources, folder: str, reach: Reach, rendered: Rendered | None) -> Iterable[Finding]:
    path = kustomization_of(sources.root, folder)
    if path is None:
        yield Finding("K02", "error", Place(folder), "there is no kustomization.yaml", "add one")
    elif rendered and rendered.error:
        place = _culprit(sources, reach, rendered.error) or Place(path)
        message = f"Kustomize can't build it: {rendered.error}"
        yield Finding("K01", "error", place, message, f"try: kubectl kustomize {folder}")


def _culprit(sources: Sources, reach: Reach, error: str) -> Place | None:
    """The file that Kustomize complains of, where it names it, or the object (Kind.version.group/name) in it."""
    files = sorted(reach.files, key=lambda file: (-len(file), file))
    if named := [file for file in files if file in error]:
        return Place(named[0])
    found = re.search(r"\b([A-Z]\w+)\.[\w.-]+/([\w-]+)", error)
    for file in files if found else ():
        source = sources.parsed.get(file)
        for index, document in enumerate(source.documents if source else ()):
            head = dig(document.value, "kind"), dig(document.value, "metadata", "name")
            if source and found and head == found.groups():
                return source.at((), index)
    return None
