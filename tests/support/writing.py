"""A change to write, and everything of a repository that writing it must leave as it was."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from kre.doors.git.write import Change
from kre.model.promotion import Entry
from support.promotion import Stage

BRANCH = "promote/staging/falco"
MESSAGE = "feat(staging): promote falco\n\nWhat and why.\n\nPromoted-From: dev\nPromoted-Digest: sha256:12"
LOCK = "overlays/staging/release.lock.yaml"


def change(stage: Stage, files: Mapping[str, Entry | bytes | None] | None = None, **other: str) -> Change:
    """A small promotion of the component falco."""
    wanted = files if files is not None else {**copied(stage, "falco"), LOCK: b"version: 1\n"}
    return Change(**{"branch": BRANCH, "parent": stage.head("main"), "message": MESSAGE, **other}, files=wanted)


def copied(stage: Stage, component: str) -> dict[str, Entry]:
    """base/ of a component as release/ of staging."""
    found = {}
    for path, entry in stage.files("main", f"base/{component}").items():
        mode, blob = entry.split()
        found[path.replace("base/", "overlays/staging/release/")] = Entry(path, mode, blob)
    return found


def user(folder: Path) -> dict[str, object]:
    """Every file of a work tree and of its Git directories, with its bytes and time; without objects, which nothing
    need name, and without branch BRANCH and its log."""
    found: dict[str, object] = {}
    for top, folders, names in os.walk(folder):
        if Path(top).name == "objects":
            folders.clear()
            continue
        for path in (Path(top) / name for name in [*names, *folders]):
            shown = path.relative_to(folder).as_posix()
            if BRANCH.startswith(shown.partition("refs/heads/")[2] or " ") or shown.endswith(BRANCH):
                continue  # the branch itself, and the folders above it
            if path.is_dir() and "logs" in path.parts:
                continue
            state = path.lstat()
            if path.is_symlink():
                found[shown] = os.readlink(path)
            elif path.is_file():
                found[shown] = (path.read_bytes(), state.st_mode, state.st_mtime_ns)
            else:
                found[shown] = state.st_mode
    return found


def everything(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file, Git's own and its objects among them: mode, time of the last change, bytes."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() or path.is_symlink()]
    return {str(path): ((state := path.lstat()).st_mode, state.st_mtime_ns, path.read_bytes()) for path in paths}
