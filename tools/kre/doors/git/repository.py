"""A repository: finding it, its remote and HEAD, what it held, and its files at a revision."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kre.doors import command
from kre.errors import ToolError, UsageError

if TYPE_CHECKING:
    from git import Repo


def open_repository(folder: Path) -> Repo:
    """The repository that `folder` is in. Raises UsageError where it is in none, ToolError where Git is missing."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    from git import InvalidGitRepositoryError, NoSuchPathError, Repo
    from git.exc import GitCommandNotFound, UnsafeProtocolError

    try:
        repository = Repo(folder, search_parent_directories=True)
        repository.git.rev_parse("--git-dir")
    except (InvalidGitRepositoryError, NoSuchPathError):
        raise UsageError(f"{folder} is not in a Git repository", "run it in a clone, or `git init` first") from None
    except GitCommandNotFound:
        raise ToolError("git was not found", "install it: your system's package git") from None
    except (UnsafeProtocolError, ValueError) as error:
        raise ToolError(f"Git can't open the repository at {folder}: {error}") from None
    return repository


def origin(folder: Path) -> str:
    """The URL of remote `origin`. Raises UsageError where there is none."""
    repository = open_repository(folder)
    if "origin" not in [remote.name for remote in repository.remotes]:
        raise UsageError("this repository has no remote origin", "give the URL: kre init --repo-url URL")
    return next(iter(repository.remote("origin").urls))


def head(folder: Path) -> str:
    """The commit that HEAD names, "" outside of a repository or before the first commit. Reads files alone: quick."""
    here = next((parent / ".git" for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)
    try:
        if here is None:
            return ""
        if here.is_file():  # a worktree or submodule says where its directory is
            here = (here.parent / here.read_text().partition("gitdir:")[2].strip()).resolve()
        text = (here / "HEAD").read_text().strip()
        if not text.startswith("ref: "):
            return text
        name = text.removeprefix("ref: ")
        shared = (here / (here / "commondir").read_text().strip()).resolve() if (here / "commondir").exists() else here
        for loose in (here / name, shared / name):
            if loose.exists():
                return loose.read_text().strip()
        packed = (shared / "packed-refs").read_text().splitlines() if (shared / "packed-refs").exists() else []
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
    except OSError:
        return ""


def modes(folder: Path, below: str) -> str:
    """Mode and path of every file that the index has below a folder, a line for each; "" where there is no index."""
    listed = command.run(["git", "ls-files", "-s", "-z", "--", below], cwd=folder).stdout
    parts = [line.partition("\t") for line in listed.split("\0") if line]
    return "\n".join(f"{meta.split(' ')[0]} {path}" for meta, _, path in parts)


def held(folder: Path, paths: Iterable[str]) -> dict[str, set[str]]:
    """For each path (relative to `folder`) the ids of every blob that the commits up to HEAD ever had there.

    Raises as open_repository; a repository without commits held nothing.
    """
    repository = open_repository(folder)
    wanted = {path: set[str]() for path in paths}
    if not repository.head.is_valid():
        return wanted
    prefix = prefix_of(repository, folder)
    full = {path if prefix == "." else f"{prefix}/{path}": path for path in wanted}
    log = repository.git.log("-z", "--format=", "--raw", "--no-abbrev", "--no-renames", "-m", "--", *full)
    fields = log.split("\0")
    for meta, path in zip(fields[::2], fields[1::2], strict=False):
        ids = meta.strip().removeprefix(":").split()[2:4]
        if path in full:
            wanted[full[path]].update(ids)
    return wanted


def is_shallow(folder: Path) -> bool:
    """Whether the clone lacks a part of its history. Raises as open_repository."""
    return str(open_repository(folder).git.rev_parse("--is-shallow-repository")) == "true"


def blob_id(content: bytes, like: str = "") -> str:
    """The id that Git gives a blob of this content, in the hash of the id `like` (SHA-1 without)."""
    algorithm = "sha256" if len(like) == 64 else "sha1"  # noqa: PLR2004 - hex digits of SHA-256
    return hashlib.new(algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def export(folder: Path, revision: str, into: Path, only: Iterable[str] | None = None) -> None:
    """Writes the files of `folder` as they were at `revision` into another folder; `only` names files and folders that
    were there.

    Raises UsageError where there is no such revision, or no such folder at it.
    """
    from git.exc import GitCommandError

    repository = open_repository(folder)
    commit, prefix, archive = _commit(repository, revision), prefix_of(repository, folder), io.BytesIO()
    try:
        treeish = commit if prefix == "." else f"{commit}:{prefix}"
        repository.archive(archive, treeish=treeish, format="tar", path=[*(only or ())])
    except GitCommandError:
        raise UsageError(f"{prefix} was not there at revision {revision}") from None
    archive.seek(0)
    into.mkdir(exist_ok=True)
    top = os.path.realpath(into)
    with tarfile.open(fileobj=archive) as tar:
        for member in tar:
            _extract(tar, member, top)


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, top: str) -> None:
    """Files, folders and links as they are in Git; whatever would be written outside of `top`, a real path, is left
    out.

    By hand, for tarfile's own filter="data" is not there in every Python 3.11 (before 3.11.4).
    """
    target = os.path.join(top, member.name)
    inside = os.path.realpath(os.path.dirname(target)) + os.sep
    if ".." in member.name.split("/") or not inside.startswith(top + os.sep):
        return
    if member.isdir():
        os.makedirs(target, exist_ok=True)
    elif member.issym():
        os.symlink(member.linkname, target)
    elif content := tar.extractfile(member):
        with open(target, "wb") as file:
            file.write(content.read())


def _commit(repository: Repo, revision: str) -> str:
    from git.exc import GitCommandError

    try:
        return str(repository.git.rev_parse("--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"))
    except GitCommandError:
        hint = "a shallow clone lacks old ones: git fetch --unshallow"
        raise UsageError(f"there is no revision {revision}", hint) from None


def prefix_of(repository: Repo, folder: Path) -> str:
    """The folder relative to the top of the work tree, "." for the top itself."""
    top = os.path.realpath(str(repository.working_tree_dir))
    return Path(os.path.relpath(os.path.realpath(folder), top)).as_posix()
