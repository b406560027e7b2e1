"""Files below release/ that no promotion put there: somebody edited a copy by hand.

Where an environment has a lock, kre.load.proof holds every digest against it. Where it has none yet, a release is a
byte copy of a component as base/ had it at some time, so each of its files equals base/'s file today, or one that Git
knows base/ to have had.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from kre.doors import files, git
from kre.errors import KreError, UsageError
from kre.load import lockfile, proof
from kre.load.sources import Sources, relative
from kre.model.bundle import Environment, Foreign
from kre.model.promotion import Lock


def locks(sources: Sources, environments: Iterable[Environment]) -> tuple[dict[str, Lock], list[Foreign]]:
    """The locks of the environments that have one, and those that can't be read."""
    found: dict[str, Lock] = {}
    problems: list[Foreign] = []
    for environment in environments:
        path = f"{environment.folder}/release.lock.yaml"
        source = sources.get(path) if environment.source and os.path.exists(sources.root / path) else None
        if source is None:
            continue
        try:
            lock = lockfile.of(source)
        except UsageError as error:
            hint = "restore it: git log says who changed it"
            problems.append(Foreign(environment.name, path, f"nothing proves this release: {error}", (), hint))
            continue
        if lock.environment != environment.name:
            why = f"this is the lock of {lock.environment}"
            problems.append(Foreign(environment.name, path, why, ("environment",), proof.HINT))
        found[environment.name] = lock
    return found, problems


def foreign(root: Path, environments: Iterable[Environment], known: Mapping[str, Lock]) -> tuple[Foreign, ...]:
    """Every such file, with its environment and the reason."""
    all_of_them = tuple(environments)
    locked = [environment for environment in all_of_them if environment.name in known]
    copied = [environment for environment in all_of_them if environment.name not in known]
    return (*_copies(root, copied), *proof.unproved(root, locked, known))


def _copies(root: Path, environments: Iterable[Environment]) -> Iterable[Foreign]:
    """Without a lock. Git is asked only where a copy differs from base/."""
    differing: list[tuple[str, str, str, bytes]] = []
    for environment in environments:
        release = root / environment.folder / "release"
        if environment.source is None or not os.path.isdir(release):
            continue
        for path in files.walk(release, []):
            shown, original = relative(root, path), f"base/{relative(release, path)}"
            if path.is_symlink():
                yield Foreign(environment.name, shown, "a link, where a copy should be")
                continue
            content = _content(path)
            if content is not None and content != _content(root / original):
                differing.append((environment.name, shown, original, content))
    yield from _edited(root, differing)


def _edited(root: Path, differing: list[tuple[str, str, str, bytes]]) -> Iterable[Foreign]:
    if not differing:
        return
    try:
        held = git.held(root, {original for _, _, original, _ in differing})
        lack = "; this clone has no older history: git fetch --unshallow" if git.is_shallow(root) else ""
    except KreError:
        held, lack = {}, "; and there is no Git history to ask"
    for environment, shown, original, content in differing:
        known = held.get(original, set())
        if git.blob_id(content, next(iter(known), "")) not in known:
            why = f"its bytes are not {original}'s, neither now nor at any commit{lack}"
            yield Foreign(environment, shown, why)


def _content(path: Path) -> bytes | None:
    try:
        return files.read(path)
    except files.FileProblem:
        return None
