"""What a branch holds, and whether it is kre's to move."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from kre.doors.git.plumbing import Plumbing
from kre.errors import Blocked, ToolError

SEAL = "Kre-Seal"
_SEAL_LINE = re.compile(rf"^{SEAL}: (?P<seal>[0-9a-f]{{64}})\n*\Z", re.MULTILINE)
_TRAILER = re.compile(r"[A-Za-z][A-Za-z-]*: ")


@dataclass(frozen=True, slots=True)
class Made:
    """A commit, as far as two of them can be the same at different times."""

    tree: str
    parents: tuple[str, ...]
    text: str  # the whole message

    @property
    def message(self) -> str:
        """The message without its seal."""
        return _SEAL_LINE.sub("", self.text).strip()

    @property
    def own(self) -> bool:
        """Whether kre wrote exactly this commit: nobody amended it, nor took it to another parent."""
        found = _SEAL_LINE.search(self.text)
        return found is not None and found["seal"] == _seal(self.tree, self.parents, self.message)


def sealed(tree: str, parent: str, message: str) -> str:
    """The message with one trailer more, which says what the rest of the commit is."""
    body = message.strip()
    trailers = all(_TRAILER.match(line) for line in body.rpartition("\n\n")[2].splitlines()) and "\n\n" in body
    return f"{body}\n{'' if trailers else chr(10)}{SEAL}: {_seal(tree, (parent,), body)}\n"


def _seal(tree: str, parents: tuple[str, ...], message: str) -> str:
    return hashlib.sha256("\0".join((tree, *parents, message)).encode()).hexdigest()


def tip(git: Plumbing, ref: str) -> str:
    """The object that a ref names, "" where there is none."""
    return git.try_run("rev-parse", "--verify", "--quiet", "--end-of-options", ref).stdout.strip()


def read(git: Plumbing, commit: str) -> Made:
    """A commit. Raises ToolError where there is none of this id."""
    head, _, text = git.run("cat-file", "commit", commit).partition("\n\n")
    lines = [line.split(" ", 1) for line in head.splitlines() if line.startswith(("tree ", "parent "))]
    parents = tuple(value for name, value in lines if name == "parent")
    return Made(lines[0][1], parents, f"{text}\n")


def same(git: Plumbing, there: str, made: str) -> bool:
    """Whether the commit that is there does what `made` would: kre wrote it, with the same message, the same change of
    the same files, from the same parent or one that `made` builds on."""
    try:
        old, new = read(git, there), read(git, made)
    except ToolError:
        return False
    if not old.own or old.message != new.message or len(old.parents) != 1:
        return False
    if old.parents == new.parents:
        return old.tree == new.tree
    known = git.try_run("merge-base", "--is-ancestor", old.parents[0], new.parents[0]).code == 0
    return known and _effect(git, old) == _effect(git, new)


def require_free(git: Plumbing, branch: str, before: str) -> None:
    """Raises Blocked where the branch must not be moved away from `before` ("" where there is none yet): it is in use
    in a work tree, or holds what kre did not write."""
    ref = f"refs/heads/{branch}"
    if named := git.try_run("symbolic-ref", "--quiet", ref).stdout.strip():
        hint = f"take the other name away: git symbolic-ref --delete {ref}"
        raise Blocked(f"branch {branch} is another name of {named}", hint)
    if place := in_use(git, ref):
        hint = f"leave it there: git -C {place} switch --detach"
        raise Blocked(f"branch {branch} is checked out in {place}", hint)
    if before and (foreign := strange(git, before)):
        hint = f"keep it under another name, or delete it: git branch -m {branch} OTHER-NAME"
        raise Blocked(f"branch {branch} holds {foreign}, which kre did not write", hint)


def strange(git: Plumbing, commit: str) -> str:
    """The commit in words where kre did not write it, "" where it did. What is below it need not be asked: it is what
    kre built on, or the seal is broken."""
    try:
        made = read(git, commit)
    except ToolError:
        return f"{commit[:12]}, which is no commit that is here"
    return "" if made.own else f'{commit[:12]} "{made.text.partition(chr(10))[0]}"'


def in_use(git: Plumbing, ref: str) -> str:
    """The work tree in which a branch is checked out, or is being rebased or bisected; "" where there is none."""
    place = ""
    for line in git.run("worktree", "list", "--porcelain").splitlines():
        place = line.removeprefix("worktree ") if line.startswith("worktree ") else place
        if line == f"branch {ref}":
            return place
    shared = git.places[1]
    for own in (shared, *sorted(shared.glob("worktrees/*"))):
        states = [own / "rebase-merge/head-name", own / "rebase-apply/head-name", own / "BISECT_START"]
        names = {_line(state) for state in states if state.is_file()}
        if names & {ref, ref.removeprefix("refs/heads/")}:
            return _line(own / "gitdir").removesuffix("/.git") or str(shared.parent)
    return ""


def in_the_way(git: Plumbing, branch: str) -> str:
    """A branch besides which this one can't be: `a` besides `a/b`."""
    names = git.run("for-each-ref", "--format=%(refname)", "refs/heads/").split("\n")
    for name in (name.removeprefix("refs/heads/") for name in names):
        if name and (branch.startswith(f"{name}/") or name.startswith(f"{branch}/")):
            return name
    return ""


def _effect(git: Plumbing, made: Made) -> str:
    return git.run("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", made.parents[0], made.tree)


def _line(path: Path) -> str:
    return path.read_text().strip() if path.is_file() else ""
