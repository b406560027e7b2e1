"""Commits, trees and blobs as Git stores them. Neither the index nor the work tree is read, and nothing is written.

Objects are read by one `git cat-file --batch` that stays, and remembered by id: a folder that is the same in ten
environments is read once. What a user's configuration would change (replacement objects, lazy refreshing of the
index) is switched off.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from kre.doors.git.repository import open_repository, prefix_of
from kre.errors import ToolError, UsageError
from kre.model.promotion import Entry

LINK, SUBMODULE, FOLDER = "120000", "160000", "40000"
_PLAIN = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_OPTIONAL_LOCKS": "0"}
_DEFAULTS = ("refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/heads/main", "refs/heads/master")


class Objects:
    """The repository that `folder` is in. Paths given to it and returned are relative to `folder`; `prefix` is what
    leads to it from the top of the repository ("" or a path that ends in "/").

    Raises as open_repository, and UsageError where the repository uses SHA-256, which GitPython can't read.
    """

    def __init__(self, folder: Path) -> None:
        self._repository = open_repository(folder)
        self._git = self._repository.git
        self._git.update_environment(**_PLAIN)
        if self.text("rev-parse", "--show-object-format") != "sha1":
            raise UsageError(
                f"{folder}: this repository names its objects by SHA-256, which kre can't promote in",
                "a clone that was made with --object-format=sha1 will do",
            )
        bare = self._repository.bare
        self.folder = folder if bare else Path(os.path.realpath(folder))
        self.prefix = "" if bare or (found := prefix_of(self._repository, folder)) == "." else f"{found}/"
        self._trees: dict[str, tuple[tuple[str, str, str], ...]] = {}
        self._entries: dict[str, tuple[Entry, ...]] = {}
        self._blobs: dict[str, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes that stay."""
        self._git.clear_cache()

    # ---- names

    def resolve(self, revision: str) -> str:
        """The commit that a revision names. Raises UsageError where there is none."""
        code, out, _ = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if code:
            hint = f"a shallow clone lacks old ones: {self.mend}" if self.boundary else "see: git log"
            raise UsageError(f"there is no revision {revision}", hint)
        return out.decode().strip()

    def default_branch(self) -> str:
        """The full name of the ref whose commits count as merged: origin/HEAD, else origin's or the local main.

        Raises UsageError where there is none of them.
        """
        for name in _DEFAULTS:
            if not self.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")[0]:
                code, out, _ = self.run("symbolic-ref", "--quiet", name)
                return name if code else out.decode().strip()
        raise UsageError("this clone has no default branch", "git remote set-head origin --auto")

    def author(self) -> str:
        """The e-mail address under which Git would commit now, "" where it has none."""
        code, out, _ = self.run("var", "GIT_AUTHOR_IDENT")
        return "" if code else out.decode(errors="replace").partition("<")[2].partition(">")[0]

    def authors(self, since: str) -> frozenset[str]:
        """The e-mail addresses of everybody who wrote or made a commit after a revision, up to HEAD; and author()."""
        listed = self.text("log", "--format=%ae%n%ce", "--end-of-options", f"{since}..HEAD")
        return frozenset({*listed.split("\n"), self.author()} - {""})

    # ---- trees and blobs

    def has(self, name: str) -> bool:
        """Whether an object is here: a shallow clone lacks some."""
        return self._read(name) is not None

    def tree(self, commit: str, folder: str = "") -> tuple[Entry, ...]:
        """Every file of a folder at a commit, paths relative to the folder, sorted; () where there is no such folder.

        Raises UsageError where the commit is not here.
        """
        found = self.folder_id(commit, folder)
        return () if found is None else self._files(found)

    def folder_id(self, commit: str, folder: str = "") -> str | None:
        """The id of a folder's tree at a commit, None where there is no such folder. Equal ids, equal content."""
        at = self._root(commit)
        for part in filter(None, (self.prefix + folder).split("/")):
            at = next((name for mode, entry, name in self._tree(at) if entry == part and mode == FOLDER), "")
            if not at:
                return None
        return at

    def names(self, commit: str, folder: str) -> tuple[str, ...]:
        """The folders directly in a folder at a commit, sorted."""
        found = self.folder_id(commit, folder)
        return tuple(sorted(name for mode, name, _ in self._tree(found) if mode == FOLDER)) if found else ()

    def file(self, commit: str, path: str) -> bytes | None:
        """The bytes of one file at a commit, None where there is none (or a link, or a folder)."""
        folder, _, wanted = path.rpartition("/")
        found = self.folder_id(commit, folder)
        for mode, name, blob in self._tree(found) if found else ():
            if name == wanted and mode not in (FOLDER, LINK, SUBMODULE):
                return self.blob(blob)
        return None

    def blob(self, name: str) -> bytes:
        """The bytes of a blob. Raises ToolError where it is not here."""
        if name not in self._blobs:
            content = self._read(name)
            if content is None:
                raise ToolError(f"Git lacks the object {name}", "git fsck says what else is missing")
            self._blobs[name] = content
        return self._blobs[name]

    def blobs(self, names: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of several blobs by their ids."""
        return {name: self.blob(name) for name in names}

    # ---- history; kre.doors.git.history answers many such questions at once

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer` contains `older` (a commit contains itself)."""
        return self.run("merge-base", "--is-ancestor", older, newer)[0] == 0

    @cached_property
    def boundary(self) -> frozenset[str]:
        """The commits of a shallow clone whose parents it lacks; none in a full one."""
        path = Path(self.text("rev-parse", "--path-format=absolute", "--git-path", "shallow"))
        return frozenset(path.read_text().split()) if path.is_file() else frozenset()

    mend = "git fetch --unshallow"

    # ---- merging, and the work tree

    def merge_file(self, base: bytes, ours: bytes, theirs: bytes, labels: tuple[str, str, str]) -> tuple[bytes, bool]:
        """What `git merge-file` makes of three versions (labels: of ours, base, theirs), and whether without a
        conflict. Of bytes that are no text it makes (b"", False)."""
        with tempfile.TemporaryDirectory(prefix="kre-") as scratch:
            paths = [os.path.join(scratch, name) for name in ("ours", "base", "theirs")]
            for path, content in zip(paths, (ours, base, theirs), strict=True):
                Path(path).write_bytes(content)
            named = [word for label in labels for word in ("-L", label)]
            code, out, _ = self.run("-c", "merge.conflictStyle=merge", "merge-file", "-p", *named, *paths)
        return (b"", False) if code > 127 else (out, code == 0)  # noqa: PLR2004 - more are not conflicts but errors

    def dirty(self, folders: Iterable[str]) -> tuple[str, ...]:
        """The files below these folders that differ from HEAD in index or work tree, or are not tracked, sorted."""
        wanted = [f":(top,literal){self.prefix}{folder}" for folder in folders]
        if self._repository.bare or not wanted:
            return ()
        options = ("--porcelain=v1", "-z", "--untracked-files=all", "--ignore-submodules=none", "--no-renames")
        code, out, said = self.run("status", *options, "--", *wanted)
        if code:
            raise ToolError(f"git status failed: {said}")
        lines = out.decode("utf-8", "surrogateescape").split("\0")
        return tuple(sorted(line[3:].removeprefix(self.prefix) for line in lines if line))

    # ---- how Git is asked

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> tuple[int, bytes, str]:
        """Runs Git: exit code, what it printed, and what it said on standard error."""
        code, out, said = self._git.execute(
            ["git", *arguments],
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
            env=env,
        )
        return int(code), out if isinstance(out, bytes) else str(out).encode(), str(said)

    def text(self, *arguments: str) -> str:
        """What Git prints, without the last newline. Raises ToolError where it fails."""
        code, out, said = self.run(*arguments)
        if code:
            raise ToolError(f"git {arguments[0]} failed: {said.strip()}")
        return out.decode("utf-8", "surrogateescape").removesuffix("\n")

    def stream(self, *arguments: str) -> Generator[str]:
        """The parts, each ended by a NUL byte, of what Git prints; it is stopped where nobody reads on."""
        started = self._git.execute(["git", *arguments], as_process=True)  # ends its process with itself
        process = started.proc
        if process is None or process.stdout is None or process.stderr is None:
            raise ToolError(f"git {arguments[0]} can't be started")
        rest = b""
        with process:
            try:
                while block := process.stdout.read1(2**16):  # type: ignore[attr-defined]
                    *parts, rest = (rest + block).split(b"\0")
                    for part in parts:
                        yield part.decode("utf-8", "surrogateescape")
                if process.wait():
                    raise ToolError(f"git {arguments[0]} failed: {process.stderr.read().decode(errors='replace')}")
            finally:
                process.kill()

    def _root(self, commit: str) -> str:
        content = self._read(commit)
        if content is None or not content.startswith(b"tree "):
            raise UsageError(f"commit {commit} is not in this clone", self.mend if self.boundary else "")
        return content[5:].split(b"\n", 1)[0].decode()

    def _tree(self, name: str) -> tuple[tuple[str, str, str], ...]:
        """(mode, name, id) of each entry of a tree, in Git's order."""
        if name not in self._trees:
            content = self._read(name)
            if content is None:
                raise ToolError(f"Git lacks the tree {name}", "git fsck says what else is missing")
            made, at = [], 0
            while at < len(content):
                space, end = content.index(b" ", at), content.index(b"\0", at)
                entry = content[space + 1 : end].decode("utf-8", "surrogateescape")
                made.append((content[at:space].decode(), entry, content[end + 1 : end + 21].hex()))
                at = end + 21
            self._trees[name] = tuple(made)
        return self._trees[name]

    def _files(self, name: str) -> tuple[Entry, ...]:
        if name not in self._entries:
            made: list[Entry] = []
            for mode, entry, found in self._tree(name):
                if mode == FOLDER:
                    made += (Entry(f"{entry}/{inner.path}", inner.mode, inner.blob) for inner in self._files(found))
                else:
                    made.append(Entry(entry, mode, found))
            self._entries[name] = tuple(sorted(made))
        return self._entries[name]

    def _read(self, name: str) -> bytes | None:
        try:
            return self._git.get_object_data(name)[3]
        except ValueError:  # there is none of this name
            return None
