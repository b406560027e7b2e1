"""What a clone knows of the past of one commit, read at once: who is whose parent, when, and what touched what."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Generator, Mapping
from datetime import UTC, datetime
from functools import cached_property

from kre.doors.git.objects import Objects
from kre.model.promotion import Commit, Entry

# Whatever the user's configuration says of `git log`, these are what is read here.
_LOG = ("-c", "log.showRoot=true", "log", "--no-show-signature", "--no-color", "--no-notes", "--no-decorate")
_RAW = ("--raw", "--no-abbrev", "--no-renames", "--ignore-submodules=none", "-z")


class History:
    """The past of commit `tip`. `cut` says that the clone lacks a part of it, as a shallow one does."""

    def __init__(self, objects: Objects, tip: str) -> None:
        self._objects, self.tip = objects, tip
        self._ancestors: dict[str, frozenset[str]] = {}
        self._latest: dict[str, datetime] = {}

    @cached_property
    def _known(self) -> Mapping[str, tuple[datetime, tuple[str, ...]]]:
        """commit -> (committer's date, parents) of every commit of the past that is here."""
        found = {}
        for line in self._objects.text("rev-list", "--timestamp", "--parents", self.tip).splitlines():
            stamp, commit, *parents = line.split()
            found[commit] = (datetime.fromtimestamp(int(stamp), UTC), tuple(parents))
        return found

    @cached_property
    def cut(self) -> bool:
        """Whether something is missing before `tip`."""
        return any(commit in self._known for commit in self._objects.boundary)

    def __contains__(self, commit: object) -> bool:
        """Whether a commit is part of the past (or the tip itself), as far as the clone knows."""
        return commit in self._known

    def date(self, commit: str) -> datetime:
        """The committer's date of a commit of the past. Raises KeyError."""
        return self._known[commit][0]

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer`, a commit of the past, contains `older` (a commit contains itself). Raises KeyError."""
        if newer not in self._ancestors:
            self._ancestors[newer] = self._before(newer)
        return older in self._ancestors[newer]

    def latest(self, commit: str) -> datetime:
        """The latest committer's date among a commit of the past and all that came before it: a commit can't be older
        than what it is built on, whatever it says. Raises KeyError."""
        if commit not in self._latest:
            self._latest[commit] = max(self._known[each][0] for each in self._before(commit))
        return self._latest[commit]

    def _before(self, commit: str) -> frozenset[str]:
        self._known[commit]
        seen, waiting = {commit}, [commit]
        while waiting:
            for parent in self._known[waiting.pop()][1]:
                if parent not in seen and parent in self._known:
                    seen.add(parent)
                    waiting.append(parent)
        return frozenset(seen)

    @cached_property
    def first_parents(self) -> tuple[str, ...]:
        """The tip, its first parent, that one's first parent, and so on: what the branch itself held, newest first."""
        chain = [self.tip]
        while (parents := self._known[chain[-1]][1]) and parents[0] in self._known:
            chain.append(parents[0])
        return tuple(chain)

    def since(self, folders: Collection[str]) -> dict[str, str]:
        """For each folder the commit of the first-parent chain since which it has stood there as it does at the tip,
        without interruption. A folder for which the chain ends before, for the clone is shallow, is left out.
        """
        wanted = {f"{self._objects.prefix}{folder}/": folder for folder in folders}
        found: dict[str, str] = {}
        if not wanted:
            return found
        depths = sorted({prefix.count("/") for prefix in wanted})
        options = (*_LOG, "--first-parent", "-m", *_RAW, "--format=%x01%H")
        changes = self._changes(self._objects.stream(*options, self.tip, "--", *self._tops(wanted)))
        with contextlib.closing(changes):
            for commit, path in changes:
                for depth in depths:
                    prefix = _head(path, depth)
                    if prefix in wanted:
                        found.setdefault(wanted[prefix], commit)
                if len(found) == len(wanted):
                    break
        return found

    def _changes(self, output: Generator[str]) -> Generator[tuple[str, str]]:
        """(commit, path) of what `git log --raw -z` prints, but for commits whose parents are missing: Git shows all
        of their files as added."""
        boundary, commit, is_path = self._objects.boundary, "", False
        with contextlib.closing(output):
            for part in output:
                if is_path:
                    is_path = False
                    if commit not in boundary:
                        yield commit, part
                elif part.lstrip("\n").startswith(":"):
                    is_path = True
                elif part.startswith("\x01"):
                    commit = part[1:].strip()

    def _tops(self, wanted: Mapping[str, str]) -> list[str]:
        """Few folders that hold all the wanted: a long list of paths would slow Git down."""
        tops = {"/".join(prefix.split("/")[: self._objects.prefix.count("/") + 1]) for prefix in wanted}
        return [f":(top,literal){top}" for top in sorted(tops)]

    def touching(self, folder: str, newer: str, older: str | None) -> tuple[Commit, ...]:
        """The commits up to `newer` that changed a folder, without those that `older` contains; newest first."""
        span = [newer, *([f"^{older}"] if older else [])]
        out = self._objects.text(*_LOG, "-z", "--format=%H %ct %s", *span, "--", self._path(folder))
        lines = [line.split(" ", 2) for line in out.split("\0") if line]
        return tuple(Commit(name, datetime.fromtimestamp(int(at), UTC), subject) for name, at, subject in lines)

    def held(self, folder: str) -> frozenset[Entry]:
        """Every file that the commits up to the tip ever had in a folder, paths relative to it."""
        out = self._objects.text(*_LOG, "-m", *_RAW, "--format=", self.tip, "--", self._path(folder))
        parts, prefix = out.split("\0"), f"{self._objects.prefix}{folder}/"
        found = set()
        for meta, path in zip(parts[::2], parts[1::2], strict=False):
            before, after, old, new, _ = meta.strip().removeprefix(":").split(" ")
            name = path.removeprefix(prefix)
            found |= {Entry(name, before, old), Entry(name, after, new)}
        return frozenset(found)

    def _path(self, folder: str) -> str:
        return f":(top,literal){self._objects.prefix}{folder}"


def _head(path: str, depth: int) -> str:
    """The first `depth` folders of a path, with the slash after them."""
    at = -1
    for _ in range(depth):
        at = path.find("/", at + 1)
        if at < 0:
            return ""
    return path[: at + 1]
