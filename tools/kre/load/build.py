"""From folders to rendered Roots: each followed, then all built at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from kre.load.complaint import culprit, shorten
from kre.load.graph import NAMES, Reach, follow, kustomization_of
from kre.load.objects import resource
from kre.load.render import Rendered, Renderer
from kre.load.sources import Sources
from kre.model.finding import Finding, Place
from kre.model.resource import Role, Root


def build(
    sources: Sources,
    units: Sequence[tuple[str, Role, str | None]],
    like: Sequence[Root] = (),
    folders: Iterable[str] = (),
) -> tuple[tuple[Root, ...], list[Reach], list[Finding]]:
    """Follows and renders each (folder, role, environment). What can't be rendered is a failed root and a finding.

    Of a root that reads the very files that one of `like` read (in the root of `sources.like`), its objects are taken.
    All other YAML files below `folders` are read while Kustomize is at work.
    """
    rendered_before = {root.path: root for root in like if not root.failed}
    roots: list[Root] = []
    reaches: list[Reach] = []
    problems: list[Finding] = []
    with Renderer(sources.root) as renderer:
        for folder, _, _ in units:
            reach = follow(sources, folder)
            reaches.append(reach)
            if _unchanged(sources, reach, rendered_before.get(folder)):
                continue
            rendered_before.pop(folder, None)
            if reach.kustomizations and not reach.problems:
                renderer.start(folder)
        sources.read_all(folders)
        for (folder, role, environment), reach in zip(units, reaches, strict=True):
            if folder in rendered_before:
                roots.append(rendered_before[folder])
                continue
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


def _unchanged(sources: Sources, reach: Reach, known: Root | None) -> bool:
    """Whether a root reads the same files as one that was rendered, byte by byte."""
    if known is None or reach.problems or (reach.files, reach.folders) != (set(known.files), set(known.folders)):
        return False
    return all(sources.same(path) for path in reach.files)


def unreached(sources: Sources, reaches: Sequence[Reach]) -> tuple[list[Reach], list[Finding]]:
    """Kustomizations among the parsed files that no root reads, such as options that nobody chose: followed, not
    rendered."""
    seen = {folder for reach in reaches for folder in reach.kustomizations}
    found = []
    for path in sorted(sources.parsed):
        folder = str(PurePosixPath(path).parent)
        if PurePosixPath(path).name in NAMES and folder not in seen:
            found.append(follow(sources, folder))
            seen |= found[-1].kustomizations.keys()
    return found, [problem for reach in found for problem in reach.problems]


def _failures(sources: Sources, folder: str, reach: Reach, rendered: Rendered | None) -> Iterable[Finding]:
    path = kustomization_of(sources.root, folder)
    if path is None:
        yield Finding("K02", "error", Place(folder), "there is no kustomization.yaml", "add one")
    elif rendered and rendered.error:
        place = culprit(sources, reach, rendered.error) or Place(path)
        message = f"Kustomize can't build it: {shorten(rendered.error)}"
        yield Finding("K01", "error", place, message, f"try: kubectl kustomize {folder}")
