"""Lock files that a Git left behind which was killed: whose they are, and what to do."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kre.doors.git.plumbing import Plumbing

_FOR_ALL = ("packed-refs.lock", "reftable/tables.list.lock")


@dataclass(frozen=True, slots=True)
class StaleLock:
    """A lock file: its age in seconds, the user who made it, and the Git processes that run in the repository now (None
    where this system does not say)."""

    path: Path
    age: float
    owner: str
    running: tuple[int, ...] | None

    def __str__(self) -> str:
        who = f"{self.path} has been there for {_words(self.age)}, made by {self.owner}"
        if self.running:
            return f"{who}; Git runs in this repository now, as process {', '.join(map(str, self.running))}"
        return who if self.running is None else f"{who}; no Git runs in this repository now"

    @property
    def remedy(self) -> str:
        """What to do about it."""
        if self.running:
            return "wait until that has ended, then run it again"
        first = "" if self.running is not None else "where no Git runs in this repository: "
        return f"{first}rm {shlex.quote(str(self.path))}, then run it again"


def find(git: Plumbing, ref: str) -> StaleLock | None:
    """The lock that keeps a ref from being changed, None where there is none."""
    shared = git.places[1]
    for path in (shared / f"{ref}.lock", *(shared / name for name in _FOR_ALL)):
        try:
            state = path.stat()
        except OSError:
            continue
        return StaleLock(path, max(0.0, time.time() - state.st_mtime), _name(state.st_uid), _running(git))
    return None


def _running(git: Plumbing) -> tuple[int, ...] | None:
    """The Git processes of this machine that work in the repository, as far as this user may see them."""
    if not os.path.isdir("/proc/self/cwd"):
        return None
    own, shared, _ = git.places
    top = git.try_run("rev-parse", "--show-toplevel").stdout.strip()
    return tuple(sorted(_those_in({str(own), str(shared), *([top] if top else [])})))


def _those_in(folders: set[str]) -> Iterator[int]:
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            program = Path(f"/proc/{name}/comm").read_text().strip()
            folder = os.readlink(f"/proc/{name}/cwd")
        except OSError:
            continue  # it ended, or is somebody else's
        if program.startswith("git") and any(folder == top or folder.startswith(f"{top}/") for top in folders):
            yield int(name)


def _name(uid: int) -> str:
    try:
        import pwd

        return f"user {pwd.getpwuid(uid).pw_name}"
    except (ImportError, KeyError):
        return f"user {uid}"


def _words(seconds: float) -> str:
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {word}{'' if number == 1 else 's'}"
    return f"{int(seconds)} s"
