"""Pushing with a lease: of two who race one wins and the other is told; what is there already is not pushed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kre.doors.git import push as pushing
from kre.doors.git import write as door
from kre.errors import Blocked, KreError, ToolError, UsageError
from support.promotion import Stage, small
from support.writing import BRANCH, LOCK, change, user

REF = f"refs/heads/{BRANCH}"


def promote(stage: Stage, folder: Path, text: bytes = b"version: 1\n") -> bool:
    """Writes and pushes as a promotion does: the lease is what was seen before."""
    seen = pushing.seen(folder, "origin", BRANCH)
    main = stage.git("rev-parse", "origin/main", cwd=folder)
    written = door.write(folder, change(stage, {LOCK: text}, parent=main), seen)
    return pushing.push(folder, "origin", BRANCH, written.commit, seen)


def there(stage: Stage) -> str:
    return stage.refs(cwd=stage.remote).get(REF, "")


def test_pushed_once(stage: Stage) -> None:
    assert promote(stage, stage.folder)
    assert there(stage) == stage.head(BRANCH)
    before = user(stage.remote), user(stage.folder)
    assert not promote(stage, stage.folder)
    assert (user(stage.remote), user(stage.folder)) == before


def test_the_same_from_another_clone_is_not_pushed_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    promote(stage, stage.folder)
    other = stage.clone("other")
    stage.forward(hours=1)
    monkeypatch.setenv("GIT_COMMITTER_DATE", stage.environ()["GIT_COMMITTER_DATE"])
    first = there(stage)
    assert not promote(stage, other)
    assert there(stage) == first == stage.git("rev-parse", BRANCH, cwd=other)


def test_the_same_in_a_commit_of_ones_own_is_not_pushed_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    other = stage.clone("other")
    promote(stage, stage.folder)
    first = there(stage)
    stage.forward(hours=1)
    monkeypatch.setenv("GIT_COMMITTER_DATE", stage.environ()["GIT_COMMITTER_DATE"])
    refs = stage.refs(cwd=other)
    assert not promote(stage, other)  # it lost a race, but the winner did the same
    assert stage.git("rev-parse", BRANCH, cwd=other) != first == there(stage)
    assert stage.refs(cwd=other) == refs | {REF: stage.git("rev-parse", BRANCH, cwd=other)}
    assert not (other / ".git/FETCH_HEAD").exists()
    stage.git("fetch", "--quiet", "origin", cwd=other)
    assert not promote(stage, other)
    assert there(stage) == first


def test_one_that_was_seen_is_replaced(stage: Stage) -> None:
    promote(stage, stage.folder)
    assert promote(stage, stage.folder, b"version: 2\n")
    assert there(stage) == stage.head(BRANCH)


def test_one_that_was_not_seen_is_not(stage: Stage) -> None:
    other = stage.clone("other")
    promote(stage, stage.folder)
    first = there(stage)
    with pytest.raises(Blocked, match=f"on origin, {BRANCH} holds another promotion, {first[:12]}") as caught:
        promote(stage, other, b"version: 2\n")
    assert "git fetch --prune origin" in caught.value.hint
    assert there(stage) == first
    stage.git("fetch", "--quiet", "--prune", "origin", cwd=other)  # as it says
    assert promote(stage, other, b"version: 2\n")
    assert there(stage) == stage.git("rev-parse", BRANCH, cwd=other)


def test_one_that_was_merged_meanwhile_does_not_come_back(stage: Stage) -> None:
    promote(stage, stage.folder)
    other = stage.clone("other")
    stage.merge(BRANCH)
    with pytest.raises(Blocked, match="holds nothing any more"):
        promote(stage, other, b"version: 2\n")
    assert there(stage) == ""


def test_a_persons_commit_on_the_remote_stays(stage: Stage) -> None:
    promote(stage, stage.folder)
    other = stage.clone("other")
    stage.git("checkout", "--quiet", "-b", BRANCH, f"origin/{BRANCH}", cwd=other)
    stage.git("commit", "--quiet", "--allow-empty", "-m", "fix: by hand", cwd=other)
    stage.git("push", "--quiet", "origin", BRANCH, cwd=other)
    by_hand = there(stage)
    with pytest.raises(Blocked, match="holds another promotion"):
        promote(stage, stage.folder, b"version: 2\n")
    stage.git("fetch", "--quiet", "origin")
    with pytest.raises(Blocked, match='"fix: by hand", which kre did not write') as caught:
        promote(stage, stage.folder, b"version: 2\n")
    assert f"git push origin --delete {BRANCH}" in caught.value.hint
    assert there(stage) == by_hand


def test_two_at_once(stage: Stage) -> None:
    """Two processes that both came as far as the remote's last check: its hook lets them go on together."""
    gate = stage.folder.parent / "gate"
    hook = stage.remote / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!/bin/sh\ncat > /dev/null\nmkdir -p {gate}\ntouch {gate}/$$\n"
        f"for i in $(seq 1200); do [ $(ls {gate} | wc -l) -ge 2 ] && exit 0; sleep 0.05; done\nexit 1\n"
    )
    hook.chmod(0o755)
    clones = [stage.clone("one"), stage.clone("two")]
    children = [in_a_child(stage, folder, f"version: {number}\n") for number, folder in enumerate(clones)]
    told = [json.loads(read(pipe)) for _, pipe in children]
    assert [os.waitpid(pid, 0)[1] for pid, _ in children] == [0, 0]
    assert len(list(gate.iterdir())) == 2
    winners = [folder for folder, said in zip(clones, told, strict=True) if said == ["pushed", "", 0]]
    assert len(winners) == 1
    assert there(stage) == stage.git("rev-parse", BRANCH, cwd=winners[0])
    (message, hint, code) = next(said for said in told if said[0] != "pushed")
    assert message == f"nothing was pushed: on origin, {BRANCH} holds another promotion, {there(stage)[:12]}"
    assert hint.startswith("git fetch --prune origin")
    assert code == 4
    stage.git("fsck", "--strict", "--no-dangling", cwd=stage.remote)


def read(pipe: int) -> str:
    with os.fdopen(pipe) as stream:
        return stream.read()


def in_a_child(stage: Stage, folder: Path, text: str) -> tuple[int, int]:
    """A process that promotes; it says how that ended through the pipe."""
    out, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        return child, out
    try:
        said: list[object] = ["pushed" if promote(stage, folder, text.encode()) else "there", "", 0]
    except KreError as error:
        said = [str(error), error.hint, error.exit]
    except BaseException as error:  # noqa: BLE001 - it must never come back into pytest
        said = [repr(error), "", 1]
    os.write(write, json.dumps(said).encode())
    os._exit(0)


def test_a_remote_that_refuses(stage: Stage) -> None:
    hook = stage.remote / "hooks/update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'protected branch' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(ToolError, match=r"origin refuses .*hook declined.*protected branch") as caught:
        promote(stage, stage.folder)
    assert "rules for branches" in caught.value.hint
    assert there(stage) == ""


def test_a_remote_out_of_reach(stage: Stage) -> None:
    stage.git("remote", "set-url", "origin", "file:///no/such/place")
    with pytest.raises(ToolError, match=f"{BRANCH} was not pushed: origin can't be reached"):
        promote(stage, stage.folder)
    with pytest.raises(UsageError, match="there is no remote upstream") as caught:
        pushing.seen(stage.folder, "upstream", BRANCH)
    assert caught.value.hint == "there are: origin"


def test_nothing_else_is_pushed(stage: Stage) -> None:
    """Whatever the user's settings add to a push."""
    submodule = small(stage.folder.parent / "other", components=("falco",))
    stage.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", f"file://{submodule.remote}", "vendored"
    )
    stage.land()
    stage.git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--allow-empty", "-m", "x",
              cwd=stage.folder / "vendored")  # fmt: skip
    stage.git("tag", "-a", "-m", "x", "v1")
    for setting in ("push.followTags=true", "push.recurseSubmodules=on-demand", "push.default=matching"):
        stage.git("config", *setting.split("="))
    hooks = stage.folder / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "pre-push").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-push").chmod(0o755)
    before = stage.refs(cwd=stage.remote), submodule.refs(cwd=submodule.remote)
    assert promote(stage, stage.folder)
    assert stage.refs(cwd=stage.remote) == before[0] | {REF: stage.head(BRANCH)}
    assert submodule.refs(cwd=submodule.remote) == before[1]


@pytest.mark.parametrize(
    ("refspec", "kept"),
    [
        ("+refs/heads/*:refs/remotes/origin/*", f"refs/remotes/origin/{BRANCH}"),
        ("refs/heads/promote/*:refs/seen/*-x", "refs/seen/staging/falco-x"),
        (f"+refs/heads/{BRANCH}:refs/mine", "refs/mine"),
        ("+refs/heads/main:refs/remotes/origin/main", ""),
    ],
)
def test_where_the_last_fetch_kept_it(stage: Stage, refspec: str, kept: str) -> None:
    stage.git("config", "--replace-all", "remote.origin.fetch", refspec)
    assert pushing.tracking(door.Plumbing(stage.folder), "origin", BRANCH) == kept
