"""Which branches the writer moves, and which it leaves to their owners."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from kre.doors.git import write as door
from kre.errors import Blocked, Exit, ToolError
from support.promotion import Stage
from support.writing import BRANCH, change, user


def refused(stage: Stage, says: str, hint: str) -> None:
    """The write is refused, and nothing is other than before."""
    before = stage.refs(), user(stage.folder)
    with pytest.raises(Blocked, match=says) as caught:
        door.write(stage.folder, change(stage, {"a": b"other"}))
    assert (stage.refs(), user(stage.folder)) == before
    assert hint in caught.value.hint
    assert caught.value.exit is Exit.BLOCKED


def test_checked_out_here(stage: Stage) -> None:
    door.write(stage.folder, change(stage))
    stage.git("checkout", "--quiet", BRANCH)
    refused(stage, f"branch {BRANCH} is checked out in {stage.folder}", f"git -C {stage.folder} switch --detach")


def test_checked_out_before_its_first_commit(stage: Stage) -> None:
    stage.git("symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")
    refused(stage, "is checked out in", "switch --detach")


def test_checked_out_in_another_worktree(stage: Stage) -> None:
    door.write(stage.folder, change(stage))
    stage.git("worktree", "add", "--quiet", "../linked", BRANCH)
    refused(stage, f"is checked out in {stage.folder.parent}/linked", "linked switch --detach")


@pytest.mark.parametrize("linked", [False, True], ids=["here", "in another worktree"])
def test_being_rebased(stage: Stage, linked: bool) -> None:
    door.write(stage.folder, change(stage))
    folder = stage.folder
    if linked:
        folder = stage.folder.parent / "linked"
        stage.git("worktree", "add", "--quiet", str(folder), BRANCH)
    else:
        stage.git("checkout", "--quiet", BRANCH)
    stage.git("-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "--quiet", "-i", "--force", "main", cwd=folder)
    assert stage.git("branch", "--show-current", cwd=folder) == ""
    refused(stage, f"is checked out in {folder}", "switch --detach")


def test_being_bisected(stage: Stage) -> None:
    door.write(stage.folder, change(stage))
    stage.git("checkout", "--quiet", BRANCH)
    stage.git("bisect", "start", "HEAD", "main")
    stage.git("checkout", "--quiet", "--detach")
    refused(stage, "is checked out in", "switch --detach")


def test_a_commit_of_a_person_on_top(stage: Stage) -> None:
    door.write(stage.folder, change(stage))
    stage.git("checkout", "--quiet", BRANCH)
    made = stage.commit({"mine": "1"}, "fix: by hand")
    stage.git("checkout", "--quiet", "main")
    refused(stage, f'holds {made[:12]} "fix: by hand", which kre did not write', f"git branch -m {BRANCH} OTHER-NAME")


@pytest.mark.parametrize("what", ["tree", "message", "parent"])
def test_a_commit_that_a_person_amended(stage: Stage, what: str) -> None:
    door.write(stage.folder, change(stage))
    stage.edit("pipeline")
    stage.git("checkout", "--quiet", BRANCH)
    if what == "tree":
        stage.write({"mine": "1"})
        stage.git("add", "mine")
        stage.git("commit", "--quiet", "--amend", "--no-edit")
    elif what == "message":
        text = stage.git("show", "-s", "--format=%B").replace("What and why", "Why not")
        stage.git("commit", "--quiet", "--amend", "--message", text)
    else:
        stage.git("rebase", "--quiet", "main")
    stage.git("checkout", "--quiet", "main")
    refused(stage, "which kre did not write", "git branch -m")


def test_an_amended_date_or_author_is_nobodys_work(stage: Stage) -> None:
    first = door.write(stage.folder, change(stage))
    stage.git("checkout", "--quiet", BRANCH)
    stage.git("commit", "--quiet", "--amend", "--no-edit", "--author=other <o@example.com>", "--date=2001-01-01")
    stage.git("checkout", "--quiet", "main")
    assert stage.head(BRANCH) != first.commit
    assert not door.write(stage.folder, change(stage)).changed


def test_somebody_elses_branch_of_that_name(stage: Stage) -> None:
    stage.git("branch", BRANCH, "main")
    refused(stage, "test: start", "git branch -m")
    stage.git("branch", "trunk")
    with pytest.raises(Blocked, match="branch trunk holds"):
        door.write(stage.folder, change(stage, branch="trunk"))


def test_a_branch_that_was_merged_is_used_again(stage: Stage) -> None:
    door.write(stage.folder, change(stage))
    stage.git("push", "--quiet", "origin", BRANCH)
    stage.merge(BRANCH)
    again = door.write(stage.folder, change(stage, {"a": b"2"}))
    assert again.changed
    assert stage.git("rev-list", f"main..{BRANCH}") == again.commit


def test_another_name_of_main(stage: Stage) -> None:
    stage.git("symbolic-ref", f"refs/heads/{BRANCH}", "refs/heads/main")
    refused(stage, f"branch {BRANCH} is another name of refs/heads/main", "git symbolic-ref --delete")


@pytest.mark.parametrize("other", ["promote/staging", "promote", f"{BRANCH}/x"])
def test_a_branch_besides_which_it_can_not_be(stage: Stage, other: str) -> None:
    stage.git("branch", other)
    refused_by = other
    before = stage.refs()
    with pytest.raises(Blocked, match=f"there is a branch {refused_by}") as caught:
        door.write(stage.folder, change(stage))
    assert f"git branch -m {other}" in caught.value.hint
    assert stage.refs() == before


def test_names_that_are_no_branch(stage: Stage) -> None:
    for name in ("a..b", "-x ", "a.lock", "a b", "promote/../main"):
        with pytest.raises(ToolError, match="update-ref"):
            door.write(stage.folder, change(stage, branch=name))
    assert "refs/heads/main" in stage.refs()


def test_a_stale_lock_is_reported_with_its_owner(stage: Stage) -> None:
    lock = stage.folder / f".git/refs/heads/{BRANCH}.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("")
    os.utime(lock, (time.time() - 7300,) * 2)
    with pytest.raises(ToolError, match="2 hours, made by user") as caught:
        door.write(stage.folder, change(stage))
    assert f"nothing was written: {lock} has been there for" in str(caught.value)
    assert "no Git runs in this repository now" in str(caught.value)
    assert caught.value.hint == f"rm {lock}, then run it again"
    lock.unlink()  # as it says
    assert door.write(stage.folder, change(stage)).changed


def test_a_lock_in_use_is_not_called_stale(stage: Stage) -> None:
    lock = stage.folder / f".git/refs/heads/{BRANCH}.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("")
    busy = subprocess.Popen(
        ["git", "cat-file", "--batch"], cwd=stage.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        with pytest.raises(ToolError, match=f"Git runs in this repository now, as process {busy.pid}") as caught:
            door.write(stage.folder, change(stage))
        assert caught.value.hint == "wait until that has ended, then run it again"
    finally:
        busy.communicate()
