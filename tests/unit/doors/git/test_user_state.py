"""Whatever the user is in the middle of: after a write all of it is as it was, to the byte, and the branch is right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kre.doors.git import write as door
from support.promotion import Stage, small
from support.writing import BRANCH, LOCK, change, user


def staged_and_dirty(stage: Stage) -> Path:
    stage.write({"base/falco/values.yaml": "staged: 1\n", "base/falco/new.yaml": "staged\n", ".gitignore": "*.log\n"})
    stage.git("add", "--all")
    stage.write(
        {"base/falco/values.yaml": "dirty: 1\n", "base/pipeline/values.yaml": None, "untracked": "1", "x.log": "1"}
    )
    stage.git("add", "--intent-to-add", "untracked")
    return stage.folder


def detached(stage: Stage) -> Path:
    stage.git("checkout", "--quiet", "--detach")
    stage.commit({"own": "1"})
    return stage.folder


def linked_worktree(stage: Stage) -> Path:
    stage.git("worktree", "add", "--quiet", "-b", "side", "../linked")
    (stage.folder.parent / "linked/dirty").write_text("1")
    return stage.folder.parent / "linked"


def worktree_of_a_bare(stage: Stage) -> Path:
    stage.git("config", "user.name", "test", cwd=stage.remote)
    stage.git("config", "user.email", "test@example.com", cwd=stage.remote)
    stage.git("worktree", "add", "--quiet", "--detach", str(stage.folder.parent / "linked"), cwd=stage.remote)
    return stage.folder.parent / "linked"


def shallow(stage: Stage) -> Path:
    stage.edit("falco")
    return stage.clone("shallow", "--depth=1")


def partial(stage: Stage) -> Path:
    stage.git("config", "uploadpack.allowFilter", "true", cwd=stage.remote)
    return stage.clone("partial", "--filter=blob:none")


def submodule(stage: Stage) -> Path:
    other = small(stage.folder.parent / "other", components=("falco",))
    stage.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", f"file://{other.remote}", "vendored")
    stage.land()
    (stage.folder / "vendored/dirty").write_text("1")
    return stage.folder


def inside_a_submodule(stage: Stage) -> Path:
    outer = small(stage.folder.parent / "other", components=("falco",))
    allowed = ("-c", "protocol.file.allow=always")
    outer.git(*allowed, "submodule", "--quiet", "add", f"file://{stage.remote}", "kre")
    for name, value in (("user.name", "test"), ("user.email", "test@example.com")):
        outer.git("config", name, value, cwd=outer.folder / "kre")
    return outer.folder / "kre"


def windows(stage: Stage) -> Path:
    stage.git("config", "core.autocrlf", "true")
    stage.git("config", "core.fileMode", "false")
    stage.land({"overlays/prod/crlf.yaml": "a: 1\r\n", ".gitattributes": "* text=auto eol=crlf\n"})
    return stage.folder


def names_that_differ_in_case(stage: Stage) -> Path:
    stage.land({"overlays/staging/Release.lock.yaml": "another file\n", "BASE/x": "1"})
    stage.git("config", "core.ignoreCase", "true")
    return stage.folder


def sparse(stage: Stage) -> Path:
    stage.git("sparse-checkout", "set", "--cone", "--sparse-index", "base/falco")
    assert not (stage.folder / "overlays/staging").exists()
    return stage.folder


def split_index(stage: Stage) -> Path:
    stage.git("config", "core.splitIndex", "true")
    stage.git("update-index", "--split-index")
    return stage.folder


def failing_hooks(stage: Stage) -> Path:
    """Every hook that Git has fails, in the usual folder and in one of the user's."""
    hooks = (
        "pre-commit prepare-commit-msg commit-msg post-commit post-index-change reference-transaction pre-push".split()
    )
    other = stage.folder.parent / "hooks"
    for folder in (stage.folder / ".git/hooks", other):
        folder.mkdir(exist_ok=True)
        for name in hooks:
            (folder / name).write_text(f"#!/bin/sh\ntouch {stage.folder}/hook-{name}-ran\nexit 1\n")
            (folder / name).chmod(0o755)
    stage.git("config", "core.hooksPath", str(other))
    return stage.folder


def in_a_merge(stage: Stage) -> Path:
    stage.git("checkout", "--quiet", "-b", "one")
    stage.commit({"base/falco/values.yaml": "one\n"})
    stage.git("checkout", "--quiet", "main")
    stage.commit({"base/falco/values.yaml": "two\n"})
    stage.git("merge", "one", check=False)
    assert (stage.folder / ".git/MERGE_HEAD").exists()
    return stage.folder


def locked_index(stage: Stage) -> Path:
    (stage.folder / ".git/index.lock").write_text("")
    return stage.folder


def without_checkout(stage: Stage) -> Path:
    return stage.clone("empty", "--no-checkout")


def another_default_branch(stage: Stage) -> Path:
    stage.git("branch", "-m", "main", "trunk")
    stage.git("branch", "main", "trunk")  # `change` reads it
    return stage.folder


def awkward_settings(stage: Stage) -> Path:
    settings = "diff.noprefix=true diff.relative=true diff.renames=copies log.showSignature=true core.quotePath=true "
    settings += "color.ui=always core.fsmonitor=true core.untrackedCache=true push.default=matching core.abbrev=4 "
    settings += "i18n.commitEncoding=ISO-8859-1 i18n.logOutputEncoding=UTF-16 core.commentChar=f commit.cleanup=strip"
    for setting in settings.split():
        stage.git("config", *setting.split("=", 1))
    return stage.folder


STATES = [
    staged_and_dirty,
    detached,
    linked_worktree,
    worktree_of_a_bare,
    shallow,
    partial,
    submodule,
    inside_a_submodule,
    windows,
    names_that_differ_in_case,
    sparse,
    split_index,
    failing_hooks,
    in_a_merge,
    locked_index,
    without_checkout,
    another_default_branch,
    awkward_settings,
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_everything_of_the_users_is_as_it_was(stage: Stage, state: Callable[[Stage], Path]) -> None:
    folder = state(stage)
    wanted = change(stage, parent=stage.head("HEAD" if folder != stage.folder else "main"))
    if folder != stage.folder:  # another clone: what it has is the remote's
        wanted = change(stage, parent=stage.git("rev-parse", "HEAD", cwd=folder))
    before = user(stage.folder.parent)
    written = door.write(folder, wanted)
    assert user(stage.folder.parent) == before
    assert stage.git("rev-parse", BRANCH, cwd=folder) == written.commit
    named = stage.git("diff-tree", "-r", "--name-only", wanted.parent, BRANCH, cwd=folder).splitlines()
    assert named == sorted(wanted.files)
    assert stage.git("cat-file", "blob", f"{BRANCH}:{LOCK}", cwd=folder) == "version: 1"
    before = user(stage.folder.parent)  # Git itself may have refreshed something
    assert not door.write(folder, wanted).changed
    assert user(stage.folder.parent) == before


def test_signed_when_the_user_signs(stage: Stage) -> None:
    key = stage.key("ann")
    signers = stage.folder.parent / "signers"
    signers.write_text(key.line)
    for name, value in (
        ("commit.gpgSign", "true"),
        ("gpg.format", "ssh"),
        ("user.signingKey", str(key.path)),
        ("gpg.ssh.allowedSignersFile", str(signers)),
    ):
        stage.git("config", name, value)
    written = door.write(stage.folder, change(stage))
    stage.git("verify-commit", BRANCH)  # fails where it is not signed
    signers.write_text(stage.key("bob").line)
    with pytest.raises(AssertionError):
        stage.git("verify-commit", BRANCH)
    assert not door.write(stage.folder, change(stage)).changed
    assert stage.head(BRANCH) == written.commit


def test_not_signed_when_the_key_can_not_be_used(stage: Stage) -> None:
    for name, value in (("commit.gpgSign", "true"), ("gpg.format", "ssh"), ("user.signingKey", "/no/such/key")):
        stage.git("config", name, value)
    before = user(stage.folder)
    with pytest.raises(door.UsageError, match="can't make the commit") as caught:
        door.write(stage.folder, change(stage))
    assert "ssh-add" in caught.value.hint
    assert user(stage.folder) == before
    assert BRANCH not in "".join(stage.refs())
