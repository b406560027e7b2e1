"""Killed at any point: refs, index and files are those of before or of after, and the next run copes or says how to."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from kre.doors import command
from kre.doors.command import Completed
from kre.doors.git import push as pushing
from kre.doors.git import write as door
from kre.errors import ToolError
from support.promotion import Stage
from support.writing import BRANCH, change, user

REF = f"refs/heads/{BRANCH}"


@pytest.fixture(autouse=True)
def busy(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of something, with a place of its own for temporary files."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    stage.write({"base/falco/values.yaml": "staged: 1\n"})
    stage.git("add", "--all")
    stage.write({"base/falco/values.yaml": "dirty: 1\n", "untracked": "1"})


def in_a_child(work: Callable[[], object]) -> int:
    """Runs it in a process of its own; returns how that ended, as waitstatus_to_exitcode has it."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except ToolError:
            os._exit(3)
        except BaseException:  # noqa: BLE001 - it must never come back into pytest
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killing(point: int, when: str) -> Callable[..., Completed]:
    """The process door, which ends the process that uses it before or after the program that is the `point`-th."""
    real, calls = command.run, [0]

    def run(*arguments, **options) -> Completed:
        calls[0] += 1
        if (calls[0], when) == (point, "before"):
            os.kill(os.getpid(), signal.SIGKILL)
        done = real(*arguments, **options)
        if (calls[0], when) == (point, "after"):
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    return run


def points(stage: Stage, work: Callable[[], object]) -> int:
    """How many programs it runs."""
    real, calls = command.run, []

    def run(*arguments, **options) -> Completed:
        calls.append(arguments)
        return real(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "run", run)
        work()
    return len(calls)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("there", ["new", "replaced"])
def test_killed_around_every_step(stage: Stage, there: str, when: str) -> None:
    first = door.write(stage.folder, change(stage, {"a": b"1"})).commit if there == "replaced" else ""
    wanted = change(stage)

    def reset() -> None:
        if first:
            stage.git("update-ref", REF, first)
        else:
            stage.git("update-ref", "-d", REF)

    number = points(stage, lambda: door.write(stage.folder, wanted))
    assert number > 8
    result = stage.files(BRANCH)
    ends = set()
    for point in range(1, number + 1):
        reset()
        before = user(stage.folder)

        def work(point: int = point) -> None:
            command.run = killing(point, when)
            door.write(stage.folder, wanted)

        assert in_a_child(work) == -signal.SIGKILL
        assert user(stage.folder) == before
        now = stage.refs().get(REF, "")
        ends.add("before" if now == first else "after")
        assert now == first or stage.files(BRANCH) == result
        assert door.write(stage.folder, wanted).changed == (now == first)  # the next run copes
        assert stage.files(BRANCH) == result
    assert ends == ({"before"} if when == "before" else {"before", "after"})
    stage.git("fsck", "--strict", "--no-dangling")


def hook(folder: Path, state: str, kills: str) -> None:
    """A reference-transaction hook that kills what `kills` says as soon as it comes to a state: the Git that runs it,
    or process $KRE_VICTIM, or both."""
    lines = {"git": "kill -9 $PPID", "kre": "kill -9 $KRE_VICTIM", "both": "kill -9 $KRE_VICTIM $PPID"}
    path = folder / "reference-transaction"
    folder.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\n[ "$1" = {state} ] && {lines[kills]}\nexit 0\n')
    path.chmod(0o755)


def git_with_hooks(stage: Stage, hooks: Path) -> str:
    """A PATH on which Git runs these hooks in `update-ref`, which kre turns off."""
    folder = stage.folder.parent / "bin"
    folder.mkdir(exist_ok=True)
    real = command.find("git")
    text = f"""#!/bin/bash
for argument; do
  [ "$argument" = update-ref ] && kept+=(-c core.hooksPath={hooks})
  kept+=("$argument")
done
exec {real} "${{kept[@]}}"
"""
    (folder / "git").write_text(text)
    (folder / "git").chmod(0o755 | stat.S_IXUSR)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize("there", ["new", "replaced"])
@pytest.mark.parametrize("kills", ["git", "kre", "both"])
@pytest.mark.parametrize("state", ["prepared", "committed"])
def test_killed_inside_of_update_ref(stage: Stage, state: str, kills: str, there: str) -> None:
    first = door.write(stage.folder, change(stage, {"a": b"1"})).commit if there == "replaced" else ""
    hooks, wanted, before = stage.folder.parent / "hooks", change(stage), user(stage.folder)
    hook(hooks, state, kills)
    path = git_with_hooks(stage, hooks)

    def work() -> None:
        os.environ.update(PATH=path, KRE_VICTIM=str(os.getpid()))
        door.write(stage.folder, wanted)

    code = in_a_child(work)
    lock = stage.folder / f".git/{REF}.lock"
    if kills == "git":  # kre is there to tell: a lock is in the way, or all is well
        assert code == (3 if state == "prepared" else 0)
    else:
        assert code == -signal.SIGKILL
    now = wait_for_git(stage, first) if kills == "kre" else stage.refs().get(REF, "")
    left = {f".git/{REF}.lock": None} if lock.exists() else {}
    assert user(stage.folder).keys() - before.keys() == left.keys()
    assert {name: value for name, value in user(stage.folder).items() if name not in left} == before
    assert lock.exists() == (state == "prepared" and kills != "kre")
    if lock.exists():
        assert now == first
        with pytest.raises(ToolError, match=r"made by user .*; no Git runs in this repository now") as caught:
            door.write(stage.folder, wanted)
        assert caught.value.hint == f"rm {lock}, then run it again"
        lock.unlink()
    assert door.write(stage.folder, wanted).changed == (now == first)
    assert stage.git("show", f"{BRANCH}:overlays/staging/release.lock.yaml") == "version: 1"
    stage.git("fsck", "--strict", "--no-dangling")


def wait_for_git(stage: Stage, first: str) -> str:
    """The branch, when the Git that outlived kre has moved it."""
    import time

    for _ in range(600):
        if (now := stage.refs().get(REF, "")) != first:
            return now
        time.sleep(0.05)
    return first


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_around_every_step_of_a_push(stage: Stage, when: str) -> None:
    commit = door.write(stage.folder, change(stage)).commit

    def work() -> bool:
        expected = pushing.seen(stage.folder, "origin", BRANCH)
        return pushing.push(stage.folder, "origin", BRANCH, commit, expected)

    def reset() -> None:
        stage.git("update-ref", "-d", REF, cwd=stage.remote)
        stage.git("update-ref", "-d", f"refs/remotes/origin/{BRANCH}")

    number = points(stage, work)
    for point in range(1, number + 1):
        reset()
        before = user(stage.remote)

        def killed(point: int = point) -> None:
            command.run = killing(point, when)
            work()

        assert in_a_child(killed) == -signal.SIGKILL
        assert user(stage.remote) == before
        there = stage.refs(cwd=stage.remote).get(REF, "")
        assert there in ("", commit)
        assert work() == (there == "")
        assert stage.refs(cwd=stage.remote)[REF] == commit


@pytest.mark.parametrize("state", ["prepared", "committed"])
def test_the_remote_is_killed_inside_of_its_update(stage: Stage, state: str) -> None:
    commit = door.write(stage.folder, change(stage)).commit
    hook(stage.remote / "hooks", state, "git")
    if state == "prepared":
        with pytest.raises(ToolError, match="nothing was pushed: origin refuses"):
            pushing.push(stage.folder, "origin", BRANCH, commit, "")
    else:  # it never heard that it was done, and asked
        assert pushing.push(stage.folder, "origin", BRANCH, commit, "")
    (stage.remote / "hooks/reference-transaction").unlink()
    there = stage.refs(cwd=stage.remote).get(REF, "")
    assert there == ("" if state == "prepared" else commit)
    if state == "prepared":
        with pytest.raises(ToolError, match=rf"origin refuses {BRANCH}: .*falco\.lock'") as caught:
            pushing.push(stage.folder, "origin", BRANCH, commit, "")
        assert "removes it" in caught.value.hint
        (stage.remote / f"{REF}.lock").unlink()
    assert pushing.push(stage.folder, "origin", BRANCH, commit, "") == (state == "prepared")
    assert stage.refs(cwd=stage.remote)[REF] == commit
