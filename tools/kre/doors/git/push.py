"""Pushing one branch: with a lease on what was seen there, so that of two who race one wins and the other is told."""

from __future__ import annotations

import re
from pathlib import Path

from kre.doors.git import branches
from kre.doors.git.plumbing import Plumbing, said
from kre.errors import Blocked, ToolError, UsageError

TIMEOUT = 300.0  # seconds: a pack, a slow remote, its hooks
_NO_SUCH_REF = 2  # of git ls-remote --exit-code


def seen(folder: Path, remote: str, branch: str) -> str:
    """The commit of a remote's branch as it was fetched last, "" where it was not there.

    Raises UsageError where there is no such remote.
    """
    git = Plumbing(folder)
    names = git.run("remote").split("\n")
    if remote not in names:
        known = f"there are: {', '.join(names)}" if names != [""] else "git remote add NAME URL"
        raise UsageError(f"there is no remote {remote}", known)
    ref = tracking(git, remote, branch)
    return branches.tip(git, ref) if ref else ""


def tracking(git: Plumbing, remote: str, branch: str) -> str:
    """The ref that keeps what a remote's branch was at the last fetch, "" where none is kept."""
    told = git.try_run("config", "--get-all", f"remote.{remote}.fetch").stdout
    ref = f"refs/heads/{branch}"
    for line in told.splitlines():
        source, _, kept = line.strip().removeprefix("+").partition(":")
        before, star, after = source.partition("*")
        if not star and source == ref:
            return kept
        if star and kept and ref.startswith(before) and ref.endswith(after):
            middle = ref[len(before) : len(ref) - len(after)]
            return kept.replace("*", middle, 1)
    return ""


def push(folder: Path, remote: str, branch: str, commit: str, expected: str) -> bool:
    """Makes a remote's branch this commit if it is `expected` there ("" for: there must be none). Returns whether
    anything was pushed: where the commit is there already, whatever its date, nothing is.

    Raises Blocked where the remote has something else, or what kre did not write; ToolError where the remote refuses or
    can't be reached.
    """
    git = Plumbing(folder)
    if expected == commit or (expected and branches.same(git, expected, commit)):
        return False
    if expected and (foreign := branches.strange(git, expected)):
        hint = f"merge or close it there, and delete the branch: git push {remote} --delete {branch}"
        raise Blocked(f"nothing was pushed: {branch} on {remote} holds {foreign}, which kre did not write", hint)
    ref = f"refs/heads/{branch}"
    done = git.try_run(
        "push",
        "--porcelain",
        "--no-verify",
        "--no-follow-tags",
        "--recurse-submodules=no",
        f"--force-with-lease={ref}:{expected}",
        remote,
        f"{commit}:{ref}",
        timeout=TIMEOUT,
    )
    if not done.code:
        return not re.search(r"^=\t", done.stdout, re.MULTILINE)  # it was there, and nobody had said so
    refusal = re.search(rf"^!\t\S*:{re.escape(ref)}\t(.*)$", done.stdout, re.MULTILINE)
    reason = f"{refusal[1]}; {said(done)}" if refusal else said(done)
    _look_again(git, remote, branch, commit, expected, reason)
    return refusal is None  # it was done, and only the answer was lost


def _look_again(git: Plumbing, remote: str, branch: str, commit: str, expected: str, reason: str) -> None:
    """Asks what is there now, for a push may fail and yet be done, by this process or one that was quicker. Raises as
    push where the commit, or one that does the same, is not there."""
    asked = git.try_run("ls-remote", "--exit-code", remote, f"refs/heads/{branch}", timeout=TIMEOUT)
    if asked.code not in (0, _NO_SUCH_REF):
        hint = f"`git push {remote}` by hand shows more; kre asks for no password"
        raise ToolError(f"{branch} was not pushed: {remote} can't be reached: {reason}", hint)
    there = asked.stdout.split("\t")[0]
    if there and (there == commit or _fetched(git, remote, branch, there, commit)):
        return
    if there != expected:
        what = f"another promotion, {there[:12]}" if there else "nothing any more"
        hint = f"git fetch --prune {remote}, look at it (its pull request may be open), then run it again to replace it"
        raise Blocked(f"nothing was pushed: on {remote}, {branch} holds {what}", hint)
    hint = "see its rules for branches"
    if ".lock'" in reason:
        hint = "a Git was ended there and left this lock; who runs the remote removes it when no Git runs there"
    raise ToolError(f"nothing was pushed: {remote} refuses {branch}: {reason}", hint)


def _fetched(git: Plumbing, remote: str, branch: str, there: str, commit: str) -> bool:
    """Whether what is there now does the same: somebody else was quicker with it. Brings objects here, and no ref."""
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--recurse-submodules=no", "--refmap=")
    done = git.try_run("fetch", *options, remote, f"refs/heads/{branch}", timeout=TIMEOUT)
    return not done.code and branches.same(git, there, commit)
