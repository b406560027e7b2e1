"""Loads a Bundle: reads every file, follows every kustomization, renders every root once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from kre.doors import git
from kre.doors.git.objects import Objects
from kre.errors import UsageError
from kre.load import layout, plain
from kre.load.build import build, unreached
from kre.load.extent import extent, extent_of
from kre.load.merged import merged
from kre.load.objects import cluster_scoped
from kre.load.owners import owners
from kre.load.releases import foreign, locks
from kre.load.sources import Sources, mapping
from kre.model.bundle import Bundle, Environment
from kre.model.resource import Resource, Root, dig
from kre.model.source import Source

Like: TypeAlias = tuple[Sources, Sequence[Root]]


def load(
    root: Path, only: Iterable[str] | None = None, since: str | None = None, objects: Objects | None = None
) -> Bundle:
    """The Bundle of a folder. `only` limits what is rendered to these environments; `since` is a revision to load as
    well, as `before`: a commit where `objects`, those of this folder, are open already.

    Raises UsageError where the folder, its environments or the revision can't be read, ToolError where Kustomize is
    missing or hangs.
    Whatever is wrong with a single file is no error but one of the bundle's `problems`.
    """
    return _load(root, only, since, objects=objects)


def exported(root: Path, only: Iterable[str] | None = None, like: Like | None = None) -> Bundle:
    """As load, of files that were taken out of Git: no release is proved, for there is no history beside them. What
    is the same in `like`, the files and roots of another folder, is neither parsed nor rendered again."""
    return _load(root, only, None, like, proved=False)


def _load(
    root: Path,
    only: Iterable[str] | None,
    since: str | None,
    like: Like | None = None,
    objects: Objects | None = None,
    *,
    proved: bool = True,
) -> Bundle:
    root = Path(os.path.realpath(root))
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such folder")
    if not os.access(root, os.R_OK | os.X_OK):
        raise UsageError(f"{root}: the folder can't be read: permission denied")
    if not layout.is_layout(root):
        return plain.load(root)
    sources = Sources(root, like[0] if like else None)
    config = mapping(sources.value(layout.CONFIG)) if os.path.exists(root / layout.CONFIG) else {}
    environments = layout.environments(sources)
    names = select([environment.name for environment in environments], only)
    units = layout.build_units(root, names)
    roots, reaches, problems = build(sources, units, like[1] if like else (), layout.FOLDERS)
    unused, unread = unreached(sources, reaches)
    before = _before(root, names, since, (sources, roots), objects) if since else None
    if before and since:
        changed = _relocked(environments, before.sources, sources.parsed)
        before = replace(before, merged=merged(objects or root, since, changed))
    chosen = [environment for environment in environments if environment.name in names]
    known, unreadable = locks(sources, chosen)
    return Bundle(
        root=root,
        environments=environments,
        roots=_with_namespaces(roots),
        sources=sources.parsed,
        kustomizations={path: known for reach in (*reaches, *unused) for path, known in reach.kustomizations.items()},
        problems=(*sources.problems.values(), *problems, *unread),
        config=config,
        before=before,
        owners=owners(root),
        locks=known,
        foreign=(*unreadable, *foreign(root, chosen, known)) if proved else (),
    )


def _before(root: Path, names: Sequence[str], since: str, like: Like, objects: Objects | None) -> Bundle | None:
    """The same environments as they were at a revision, None where there were none yet."""
    with tempfile.TemporaryDirectory(prefix="kre-") as scratch:
        if objects:
            from kre.doors.git.scratch import written

            written(objects, since, Path(scratch), extent(objects, since))
        else:
            git.export(root, since, Path(scratch), extent_of(root, since))
        if not layout.is_layout(Path(scratch)):
            return None
        known = [item.name for item in layout.environments(Sources(Path(scratch)))]
        return exported(Path(scratch), [name for name in names if name in known], like)


def _relocked(
    environments: Iterable[Environment], old: Mapping[str, Source], new: Mapping[str, Source]
) -> list[Environment]:
    """The environments whose lock is another than it was."""

    def held(sources: Mapping[str, Source], path: str) -> list[object]:
        return [document.value for document in sources[path].documents] if path in sources else []

    paths = {environment.name: f"{environment.folder}/release.lock.yaml" for environment in environments}
    return [each for each in environments if held(old, paths[each.name]) != held(new, paths[each.name])]


def select(known: Sequence[str], only: Iterable[str] | None) -> list[str]:
    """`only`, in the order of `known`; all of them for None. Raises UsageError for a name that is not known."""
    if only is None:
        return list(known)
    wanted = set(only)
    if unknown := sorted(wanted - set(known)):
        raise UsageError(f"there is no environment {', '.join(unknown)}", f"there are: {', '.join(known)}")
    return [name for name in known if name in wanted]


def _with_namespaces(roots: Sequence[Root]) -> tuple[Root, ...]:
    """Gives objects without a namespace the one that the Application which syncs their folder sends them to."""
    sent: dict[tuple[str | None, str], str] = {}
    for root in roots:
        for application in root.resources:
            path = dig(application.body, "spec", "source", "path")
            namespace = dig(application.body, "spec", "destination", "namespace")
            if application.kind == "Application" and isinstance(path, str) and isinstance(namespace, str):
                sent[root.environment, path.strip("/")] = namespace

    def placed(root: Root, item: Resource) -> Resource:
        namespace = sent.get((root.environment, root.path), "")
        return item if item.namespace or cluster_scoped(item) or not namespace else replace(item, namespace=namespace)

    return tuple(replace(root, resources=tuple(placed(root, item) for item in root.resources)) for root in roots)
