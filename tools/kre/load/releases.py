"""Files below release/ that base/ never held: somebody edited a copy by hand.

A release is a byte copy of a component as base/ had it at some time, so each of its files equals base/'s file today,
or one that Git knows base/ to have had.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from kre.doors import files, git
from kre.errors import KreError
from kre.load.sources import relative
from kre.model.bundle import Environment

Foreign = tuple[str, str, str]  # environment, path, why


def foreign(root: Path, environments: Iterable[Environment]) -> tuple[Foreign, ...]:
    """Every such file, with its environment and the reason. Git is asked only where a copy differs from base/."""
    found: list[Foreign] = []
    differing: list[tuple[str, str, str, bytes]] = []
    for environment in environments:
        release = root / environment.folder / "release"
        if environment.source is None or not os.path.isdir(release):
            continue
        for path in files.walk(release, []):
            shown, original = relative(root, path), f"base/{relative(release, path)}"
            if path.is_symlink():
                found.append((environment.name, shown, "a link, where a copy should be"))
                continue
            content = _content(path)
            if content is not None and content != _content(root / original):
                differing.append((environment.name, shown, original, content))
    return (*found, *_edited(root, differing))


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
            yield environment, shown, f"its bytes are not {original}'s, neither now nor at any commit{lack}"


def _content(path: Path) -> bytes | None:
    try:
        return files.read(path)
    except files.FileProblem:
        return None
