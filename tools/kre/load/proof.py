"""What a lock says of a release, recomputed: digests from the bytes that stand there, by the modes of Git's index;
where they came from, from the commits that it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kre.doors.git import blob_id
from kre.doors.git.history import History
from kre.doors.git.objects import Objects
from kre.doors.git.worktree import Content, content
from kre.errors import KreError, UsageError
from kre.load import digest, lockfile
from kre.load.deviation import unexplained
from kre.model.bundle import Environment, Foreign
from kre.model.promotion import Entry, Lock, Locked, Previous
from kre.model.resource import Pointer

HINT = "locks are written by kre promote alone: restore it, and promote"


def unproved(root: Path, environments: Iterable[Environment], locks: Mapping[str, Lock]) -> Iterator[Foreign]:
    """Everything in the releases of these environments that their locks do not prove, or that Git does not prove of
    the locks. Outside of a repository the bytes alone are held against the locks."""
    wanted = tuple(environments)
    if not wanted:
        return
    try:
        objects = Objects(root)
    except KreError:
        objects = None
    try:
        past = Past(objects) if objects and not objects.run("rev-parse", "--verify", "--quiet", "HEAD")[0] else None
        for environment in wanted:
            found = content(root, f"{environment.folder}/release", objects)
            yield from Release(environment, locks[environment.name], found, past).unproved()
    finally:
        if objects:
            objects.close()


class Past:
    """What Git knows of the commits up to HEAD."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.head = objects.resolve("HEAD")
        self._locks: dict[bytes, Lock | None] = {}

    @cached_property
    def history(self) -> History:
        return History(self.objects, self.head)

    def lock(self, path: str, commit: str) -> Lock | None:
        """The lock at a commit, None where there was none that can be read."""
        raw = self.objects.file(commit, path)
        if raw is None:
            return None
        if raw not in self._locks:
            try:
                self._locks[raw] = lockfile.read(path, raw)
            except UsageError:
                self._locks[raw] = None
        return self._locks[raw]

    def ever(self, path: str, component: str, wanted: Previous) -> bool:
        """Whether a lock of the past had this entry."""
        for commit in self.history.touching(path, self.head, None):
            lock = self.lock(path, commit.id)
            entry = lock.components.get(component) if lock else None
            if entry and Previous(entry.digest, entry.source, entry.origin) == wanted:
                return True
        return False


@dataclass(frozen=True)
class Release:
    """The release of an environment: its lock, what stands there (component -> path -> content), and Git's past."""

    environment: Environment
    lock: Lock
    held: Mapping[str, Mapping[str, Content]]
    past: Past | None

    def unproved(self) -> Iterator[Foreign]:
        """What is not proved, component by component."""
        for name in sorted({*self.held, *self.lock.components}):
            locked, files = self.lock.components.get(name), self.held.get(name, {})
            if locked is None:
                yield self._at(name, f"{self._path} says nothing of {name}")
            elif not files:
                yield self._of(name, (), f"{self.environment.folder}/release/{name} is not there")
            else:
                yield from self._component(name, locked, files)

    @property
    def _path(self) -> str:
        return f"{self.environment.folder}/release.lock.yaml"

    def _at(self, path: str, why: str) -> Foreign:
        return Foreign(self.environment.name, f"{self.environment.folder}/release/{path}", why)

    def _of(self, name: str, below: Pointer, why: str) -> Foreign:
        return Foreign(self.environment.name, self._path, f"{name}: {why}", ("components", name, *below), HINT)

    def _component(self, name: str, locked: Locked, files: Mapping[str, Content]) -> Iterator[Foreign]:
        for path, each in sorted(files.items()):
            if each.mode not in ("100644", "100755"):
                yield self._at(f"{name}/{path}", "a link or a submodule, where a copy should be")
        source, problems = self._source(locked)
        right = digest.of_files({path: (each.mode, each.content) for path, each in files.items()}) == locked.digest
        if not right:
            yield from self._edited(name, locked, files, source)
        elif source is None and not locked.accepted and locked.source.digest != locked.digest:
            yield self._of(name, ("digest",), "it differs from source.digest, and nothing is accepted")
        elif source is not None and unexplained(_entries(files), source, locked.accepted):
            yield self._of(name, ("accepted",), "this is not how the files differ from their source")
        for below, why in (*problems, *self._chain(name, locked)):
            yield self._of(name, below, why)

    def _edited(
        self, name: str, locked: Locked, files: Mapping[str, Content], source: Mapping[str, Entry] | None
    ) -> Iterator[Foreign]:
        """The files that are other than the lock says, by name where the source is known."""
        wrong = unexplained(_entries(files), source, locked.accepted) if source is not None else ()
        for path in wrong:
            yield self._at(f"{name}/{path}", f"its bytes or mode are not those that {self._path} names")
        if not wrong:
            yield self._at(name, f"its digest is not the one that {self._path} names")

    def _source(self, locked: Locked) -> tuple[Mapping[str, Entry] | None, list[tuple[Pointer, str]]]:
        """The files at the source's commit, None where Git can't say; and what is wrong with that."""
        if self.past is None:
            return None, []
        objects, source = self.past.objects, locked.source
        if not objects.has(source.commit):
            lack = f"this clone lacks commit {source.commit[:12]}: {objects.mend}"
            there = f"there is no commit {source.commit[:12]}"
            return None, [(("source", "commit"), lack if self.past.history.cut else there)]
        entries = objects.tree(source.commit, source.path)
        made = digest.digest(entries, lambda entry: digest.sha(objects, entry))
        problems: list[tuple[Pointer, str]] = []
        if made != source.digest:
            problems.append((("source", "digest"), f"{source.path} had another digest at {source.commit[:12]}"))
        for commit, below in ((source.commit, "source"), (locked.origin, "origin")):
            if commit not in self.past.history and not self.past.history.cut:
                problems.append(((below, "commit"), f"{commit[:12]} is not part of this branch's past"))
        return {entry.path: entry for entry in entries}, problems

    def _chain(self, name: str, locked: Locked) -> Iterator[tuple[Pointer, str]]:
        """Where it came from, and what it replaced."""
        if locked.environment != self.environment.source and not locked.hotfix:
            yield (
                ("from",),
                f"{self.environment.name} is promoted from {self.environment.source}, and no hotfix is stated",
            )
        path = locked.source.path
        if path == f"base/{name}":
            if locked.origin != locked.source.commit:
                yield ("origin", "commit"), "base/ was read at another commit"
        elif path != f"overlays/{locked.environment}/release/{name}":
            yield ("source", "path"), f"this is not {name} of {locked.environment}"
        elif self.past and self.past.objects.has(locked.source.commit):
            theirs = self.past.lock(f"overlays/{locked.environment}/release.lock.yaml", locked.source.commit)
            entry = theirs.components.get(name) if theirs else None
            if entry is None or (entry.digest, entry.origin) != (locked.source.digest, locked.origin):
                yield ("source",), f"the lock of {locked.environment} did not name these bytes and their origin then"
        if locked.previous and self.past and not self.past.ever(self._path, name, locked.previous):
            lack = f"; this clone has no older history: {self.past.objects.mend}" if self.past.history.cut else ""
            yield ("previous",), f"no lock of the past had this entry{lack}"


def _entries(files: Mapping[str, Content]) -> dict[str, Entry]:
    return {path: Entry(path, each.mode, blob_id(each.content)) for path, each in files.items()}
