"""The repository as promotion sees it: commits, never the work tree. It reads Git, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Self

from kre.doors.git.history import History
from kre.doors.git.objects import Objects
from kre.doors.ssh import Signers
from kre.errors import UsageError
from kre.load import digest, policy
from kre.load.layout import POLICY
from kre.model.policy import Policy, Step
from kre.model.promotion import Entry, Lock
from kre.promote import lockfile, signatures
from kre.promote.soak import Standing, standing


class View:
    """A repository at a commit of its default branch: `branch` is its name, `base` its commit, `source` the commit at
    which sources are read (the same, unless another revision was asked for). `base` may be given: what a change is to
    be merged into.

    Raises as Objects, and UsageError where there is no default branch or no such revision.
    """

    def __init__(self, folder: Path, source: str = "", base: str = "") -> None:
        self.objects = Objects(folder)
        name = base or self.objects.default_branch()
        self.branch = name.removeprefix("refs/heads/").removeprefix("refs/remotes/")
        self.base = self.objects.resolve(name)
        self.source = self.objects.resolve(source) if source else self.base
        self._shas: dict[str, bytes] = {}
        self._digests: dict[tuple[Entry, ...], str] = {}
        self._locks: dict[tuple[str, str], Lock | None] = {}

    @cached_property
    def history(self) -> History:
        """The past of `base`."""
        return History(self.objects, self.base)

    @cached_property
    def policy(self) -> Policy:
        """The policy at `base`. Raises UsageError where there is none, or where it can't be read."""
        content = self.objects.file(self.base, POLICY)
        if content is None:
            raise UsageError(f"{POLICY} is not on {self.branch}", "docs/promote.md shows one")
        return policy.read(content)

    def step(self, name: str) -> Step:
        """An environment of the policy. Raises UsageError where there is none of this name."""
        found = self.policy.step(name)
        if found is None:
            known = ", ".join(step.name for step in self.policy.steps)
            raise UsageError(f"there is no environment {name}", f"there are: {known}")
        return found

    def lock(self, step: Step, commit: str = "") -> Lock | None:
        """The lock of an environment at `base` (or another commit), None where it was never filled.

        Raises UsageError where it can't be read.
        """
        key = (step.name, commit or self.base)
        if key not in self._locks:
            content = self.objects.file(key[1], step.lock)
            self._locks[key] = None if content is None else lockfile.read(step.lock, content)
        return self._locks[key]

    def components(self, step: Step, commit: str = "") -> tuple[str, ...]:
        """The folders of a release (or of base/)."""
        return self.objects.names(commit or self.base, step.release)

    def entries(self, step: Step, component: str, commit: str = "") -> tuple[Entry, ...]:
        """The files of a component in an environment at `base`, or at another commit."""
        return self.objects.tree(commit or self.base, f"{step.release}/{component}")

    def digest(self, entries: Iterable[Entry], new: Mapping[str, bytes] | None = None) -> str:
        """The digest of these files. `new` holds the bytes of blobs that Git does not have yet, by their ids."""
        key = tuple(entries)
        if key not in self._digests:
            self._shas.update({blob: hashlib.sha256(content).digest() for blob, content in (new or {}).items()})
            self._digests[key] = digest.digest(key, self._sha)
        return self._digests[key]

    def _sha(self, entry: Entry) -> bytes:
        if entry.blob not in self._shas:
            self._shas[entry.blob] = digest.sha(self.objects, entry)
        return self._shas[entry.blob]

    @cached_property
    def standing(self) -> Mapping[str, Standing]:
        """For the folder of each component of each environment (and of each that it lacks), since when it stands there
        as it does at `base`. One for which the history is missing is left out."""
        names = {name for step in self.policy.steps for name in self.components(step)}
        names |= {name for step in self.policy.steps if (lock := self.lock(step)) for name in lock.components}
        return standing(self.history, [f"{step.release}/{name}" for step in self.policy.steps for name in names])

    @cached_property
    def signers(self) -> Signers | None:
        """The allowed signers at `base`, None where there is no list."""
        allowed = self.objects.file(self.base, signatures.SIGNERS)
        revoked = self.objects.file(self.base, signatures.REVOKED)
        return Signers(allowed, revoked or b"") if allowed is not None else None

    def approvals(self, environment: str, component: str) -> dict[str, bytes]:
        """The signature files for a component in an environment, by path."""
        folder = signatures.folder(environment, component)
        entries = self.objects.tree(self.base, folder)
        return {f"{folder}/{each.path}": self.objects.blob(each.blob) for each in entries if each.path.endswith(".sig")}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes of Git that stay."""
        self.objects.close()
