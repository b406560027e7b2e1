"""The only writer: one commit of some files on a branch, made from Git objects.

The user's index, work tree, HEAD and hooks are not involved. Objects that nothing names yet change nothing, so the one
step that counts is `update-ref`, which Git does at once or not at all.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kre.doors.git import branches, stale
from kre.doors.git.plumbing import Plumbing, said
from kre.errors import Blocked, ToolError, UsageError
from kre.model.promotion import Entry

_PLAIN = "100644"


@dataclass(frozen=True, slots=True)
class Change:
    """A commit to be: its branch ("promote/prod/falco"), its parent, its message, and the files in which it differs
    from that.

    Paths are relative to the folder that is written for. An Entry is taken as it is (its own path does not count),
    bytes become a file with the mode that stands there, None takes a file away. `new` holds the bytes of blobs that
    entries name and Git may not have yet.
    """

    branch: str
    parent: str
    message: str
    files: Mapping[str, Entry | bytes | None] = field(repr=False)
    new: Mapping[str, bytes] = field(repr=False, default_factory=dict)

    @property
    def ref(self) -> str:
        return f"refs/heads/{self.branch}"


@dataclass(frozen=True, slots=True)
class Written:
    """What the branch holds now, and what it held before ("" for nothing)."""

    branch: str
    commit: str
    before: str

    @property
    def changed(self) -> bool:
        return self.commit != self.before


def write(folder: Path, change: Change, known: str = "") -> Written:
    """Puts the commit on its branch; where it stands there already, whatever its date, nothing is written.

    `known` is a commit made earlier (seen on a remote): if it is the same but for its date, the branch gets that one.
    Raises Blocked where the branch is not kre's to move or somebody moved it meanwhile, UsageError where the change
    can't be, ToolError where Git fails or a lock is in the way.
    """
    git = Plumbing(folder)
    made = prepare(git, change)
    before = branches.tip(git, change.ref)
    if before and branches.same(git, before, made):
        return Written(change.branch, before, before)
    branches.require_free(git, change.branch, before)
    if known and branches.same(git, known, made):
        made = known
    publish(git, change, made, before)
    return Written(change.branch, made, before)


def prepare(git: Plumbing, change: Change) -> str:
    """The id of the commit, made but named by nothing yet. Raises UsageError and ToolError as write."""
    tree = _tree(git, change)
    text = branches.sealed(tree, change.parent, change.message)
    sign = ["-S"] if git.flag("commit.gpgSign") else []
    done = git.try_run("commit-tree", *sign, "-p", change.parent, tree, stdin=text)
    if done.code:
        hint = "git config user.name and user.email say who commits"
        if sign:
            hint = "commit.gpgSign is on: the key must be usable without asking (ssh-add, gpg-agent)"
        raise UsageError(f"Git can't make the commit: {said(done)}", hint)
    return done.stdout.strip()


def publish(git: Plumbing, change: Change, commit: str, before: str) -> None:
    """Moves the branch from `before` ("" where there must be none) to the commit, at once or not at all.

    Raises ToolError that says whose lock is in the way, or Blocked where the branch is not at `before` any more.
    """
    reason = f"kre: {change.message.partition(chr(10))[0]}"
    old = before or "0" * len(commit)
    done = git.try_run("update-ref", "--no-deref", "-m", reason, change.ref, commit, old)
    now = branches.tip(git, change.ref) if done.code else commit
    if now == commit:  # even where Git was ended right after it
        return
    if now != before:
        told = f"{change.branch} is at {now[:12]} now" if now else f"{change.branch} is gone now"
        raise Blocked(f"nothing was written: somebody else moved the branch: {told}", "look at it, then run it again")
    if lock := stale.find(git, change.ref):
        raise ToolError(f"nothing was written: {lock}", lock.remedy)
    if other := branches.in_the_way(git, change.branch):
        hint = f"rename or delete it: git branch -m {other} OTHER-NAME"
        raise Blocked(f"nothing was written: there is a branch {other}, so there can't be {change.branch}", hint)
    raise ToolError(f"nothing was written: git update-ref failed: {said(done)}")


def _tree(git: Plumbing, change: Change) -> str:
    """The parent's tree with the change made, through an index of its own."""
    with tempfile.TemporaryDirectory(prefix="kre-") as scratch:
        env = {"GIT_INDEX_FILE": str(Path(scratch).resolve() / "index")}
        git.run("read-tree", change.parent, env=env)
        before = _listed(git, env)
        wanted = _wanted(git, change, before)
        altered = {path: item for path, item in wanted.items() if item != before.get(path)}
        gone = sorted(before.keys() - wanted.keys())
        # Removals first: a file may come where a folder was.
        lines = [f"0 {'0' * len(change.parent)}\t{path}\0" for path in gone]
        lines += [f"{mode} {blob}\t{path}\0" for path, (mode, blob) in sorted(altered.items())]
        git.run("update-index", "-z", "--index-info", stdin="".join(lines), env=env)
        after = _listed(git, env)
        if lost := sorted(path for path in wanted.keys() | after.keys() if wanted.get(path) != after.get(path)):
            hint = "one name can't be both a file and a folder"
            raise UsageError(f"{lost[0]} can't be as the change wants it", hint)
        return git.run("write-tree", env=env)


def _listed(git: Plumbing, env: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """path from the top -> (mode, id) of everything in an index."""
    lines = git.run("ls-files", "--full-name", "--stage", "-z", ":/", env=env).split("\0")
    parts = (line.partition("\t") for line in lines if line)
    return {path: (meta.split(" ")[0], meta.split(" ")[1]) for meta, _, path in parts}


def _wanted(git: Plumbing, change: Change, before: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """What the index is to hold."""
    contents = {path: item for path, item in change.files.items() if isinstance(item, bytes)}
    blobs = dict(zip(contents, _blobs(git, [*contents.values(), *change.new.values()]), strict=False))
    wanted = dict(before)
    for name, item in change.files.items():
        path = git.places[2] + name
        if not _is_text(name):
            raise UsageError(f"{name!r}: the name is no UTF-8", "rename the file")
        if item is None:
            wanted.pop(path, None)
        elif isinstance(item, Entry):
            wanted[path] = (item.mode, item.blob)
        else:
            wanted[path] = (before[path][0] if path in before else _PLAIN, blobs[name])
    return wanted


def _is_text(name: str) -> bool:
    """Whether a name has no bytes that are no text: Git has such names, and Python writes them as surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _blobs(git: Plumbing, contents: list[bytes]) -> list[str]:
    """Ids of new blobs, their bytes as given: no filter and no change of line ends."""
    if not contents:
        return []
    with tempfile.TemporaryDirectory(prefix="kre-") as scratch:
        paths = [Path(scratch).resolve() / str(number) for number in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        names = "".join(f"{path}\n" for path in paths)
        return git.run("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=names).split("\n")
