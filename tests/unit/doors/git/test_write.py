"""The writer: one commit on a branch, exactly as wanted, once, and nothing of the user's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kre.doors.git import blob_id
from kre.doors.git import write as door
from kre.errors import Blocked, ToolError, UsageError
from kre.model.promotion import Entry
from support.promotion import Stage, small
from support.writing import BRANCH, LOCK, change


def test_the_commit_is_as_wanted(stage: Stage) -> None:
    before = stage.files("main")
    written = door.write(stage.folder, change(stage))
    assert (written.branch, written.before, written.changed) == (BRANCH, "", True)
    assert stage.head(BRANCH) == written.commit
    after = stage.files(BRANCH)
    assert after == before | {
        LOCK: after[LOCK],
        "overlays/staging/release/falco/kustomization.yaml": before["base/falco/kustomization.yaml"],
        "overlays/staging/release/falco/values.yaml": before["base/falco/values.yaml"],
    }
    assert stage.git("show", f"{BRANCH}:{LOCK}") == "version: 1"
    assert stage.git("show", "-s", "--format=%P %an <%ae>", BRANCH) == f"{stage.head('main')} test <test@example.com>"
    assert stage.git("show", "-s", "--format=%s|%(trailers:key=Promoted-From,valueonly)", BRANCH).startswith(
        "feat(staging): promote falco|dev"
    )


def test_again_writes_nothing_however_late(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    first = door.write(stage.folder, change(stage))
    stage.forward(hours=3)
    monkeypatch.setenv("GIT_COMMITTER_DATE", stage.environ()["GIT_COMMITTER_DATE"])
    again = door.write(stage.folder, change(stage))
    assert (again.commit, again.changed) == (first.commit, False)
    assert len(stage.git("reflog", BRANCH).splitlines()) == 1


def test_again_on_a_newer_main_writes_nothing_where_the_change_is_the_same(stage: Stage) -> None:
    first = door.write(stage.folder, change(stage))
    stage.edit("pipeline")
    assert not door.write(stage.folder, change(stage)).changed
    assert stage.head(BRANCH) == first.commit


def test_again_on_a_main_with_another_lock_is_written_anew(stage: Stage) -> None:
    first = door.write(stage.folder, change(stage))
    stage.land({LOCK: "version: 1\ncomponents: {}\n"})
    second = door.write(stage.folder, change(stage))
    assert (second.before, second.changed) == (first.commit, True)
    assert stage.git("rev-list", f"main..{BRANCH}").splitlines() == [second.commit]


def test_not_the_same_on_a_parent_that_is_no_ancestor(stage: Stage) -> None:
    first = stage.head("main")
    stage.edit("pipeline")
    door.write(stage.folder, change(stage))
    assert door.write(stage.folder, change(stage, parent=first)).changed


@pytest.mark.parametrize("other", [{"message": "feat: another"}, {"files": {LOCK: b"version: 2\n"}}], ids=list)
def test_another_change_replaces_the_commit(stage: Stage, other: dict) -> None:
    door.write(stage.folder, change(stage))
    again = door.write(stage.folder, change(stage, **other))
    assert again.changed
    assert stage.git("rev-list", "--count", f"main..{BRANCH}") == "1"


def test_what_was_seen_elsewhere_is_taken_over(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    first = door.write(stage.folder, change(stage))
    stage.git("update-ref", "-d", f"refs/heads/{BRANCH}")
    stage.forward(hours=1)
    monkeypatch.setenv("GIT_COMMITTER_DATE", stage.environ()["GIT_COMMITTER_DATE"])
    assert door.write(stage.folder, change(stage), first.commit).commit == first.commit


def test_modes_removals_and_a_file_where_a_folder_was(stage: Stage) -> None:
    stage.write({"a/run.sh": "#!/bin/sh\n", "a/gone": "1", "b/inner/file": "1", "c": "1"})
    (stage.folder / "a/run.sh").chmod(0o755)
    stage.commit()
    wanted: dict[str, Entry | bytes | None] = {
        "a/run.sh": b"#!/bin/sh\nexit 1\n",
        "a/gone": None,
        "a/was never there": None,
        "b/inner/file": None,
        "b/inner": b"now a file",
        "c": None,
        "c/d": b"now a folder",
    }
    door.write(stage.folder, change(stage, wanted))
    files = stage.files(BRANCH)
    assert files["a/run.sh"].startswith("100755 ")
    assert {path for path in files if path[:2] in ("a/", "b/", "c", "c/")} == {"a/run.sh", "b/inner", "c/d"}
    assert stage.git("cat-file", "blob", f"{BRANCH}:b/inner") == "now a file"


@pytest.mark.parametrize(
    "files", [{"base": b"a file in place of a folder"}, {"x": b"1", "x/y": b"2"}], ids=["hides", "contradicts"]
)
def test_nothing_goes_that_was_not_named(stage: Stage, files: dict[str, bytes]) -> None:
    with pytest.raises(UsageError, match="can't be as the change wants it"):
        door.write(stage.folder, change(stage, files))
    assert list(stage.refs()) == list(small_refs())


def small_refs() -> list[str]:
    return ["refs/heads/main", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]


@pytest.mark.parametrize("path", [".git/hooks/post-checkout", "../outside", "a/../../b", "/etc/x", "a//b"])
def test_paths_that_lead_out(stage: Stage, path: str) -> None:
    with pytest.raises((ToolError, UsageError)):
        door.write(stage.folder, change(stage, {path: b"1"}))
    assert list(stage.refs()) == small_refs()


def test_bytes_are_kept_whatever_the_attributes_say(stage: Stage) -> None:
    stage.land({".gitattributes": "* text eol=crlf\n*.bin filter=upper\n"})
    stage.git("config", "filter.upper.clean", "tr a-z A-Z")
    stage.git("config", "core.autocrlf", "true")
    content = b"one\r\ntwo\nno end"
    door.write(stage.folder, change(stage, {"a.yaml": content, "b.bin": content}))
    blob = blob_id(content)
    files = stage.files(BRANCH)
    assert files["a.yaml"] == files["b.bin"] == f"100644 {blob}"
    assert int(stage.git("cat-file", "-s", blob)) == len(content)


def test_names_of_any_letters(stage: Stage) -> None:
    names = ['quo"te', "tab\there", "ümläut", "new\nline", " lead", "#hash", "*"]
    door.write(stage.folder, change(stage, {f"odd/{name}": b"1" for name in names}))
    listed = stage.git("ls-tree", "-r", "-z", "--name-only", BRANCH, "odd/").split("\0")
    assert sorted(listed[:-1]) == sorted(f"odd/{name}" for name in names)


def test_names_of_no_letters(stage: Stage) -> None:
    with pytest.raises(UsageError, match="the name is no UTF-8"):
        door.write(stage.folder, change(stage, {"caf\udce9": b"1"}))


def test_relative_to_a_folder_below_the_top(stage: Stage) -> None:
    stage.land({"sub/here.yaml": "1"})
    door.write(stage.folder / "sub", change(stage, {"here.yaml": b"2", "new.yaml": b"3"}))
    assert stage.git("diff", "--name-status", "main", BRANCH) == "M\tsub/here.yaml\nA\tsub/new.yaml"


def test_a_bare_repository(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "test")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "test@example.com")
    written = door.write(stage.remote, change(stage, {"a": b"1"}))
    assert stage.head("main") != written.commit
    assert stage.git("diff", "--name-status", "main", BRANCH, cwd=stage.remote) == "A\ta"


def test_a_repository_of_sha256(tmp_path: Path) -> None:
    made = small(tmp_path / "stage", object_format="sha256")
    written = door.write(made.folder, change(made))
    assert len(written.commit) == 64
    assert not door.write(made.folder, change(made)).changed


def test_a_message_without_trailers_gets_a_paragraph_for_the_seal(stage: Stage) -> None:
    door.write(stage.folder, change(stage, message="feat: short"))
    lines = stage.git("show", "-s", "--format=%B", BRANCH).splitlines()
    assert lines[:2] == ["feat: short", ""]
    assert lines[2].startswith("Kre-Seal: ")
    assert not door.write(stage.folder, change(stage, message="feat: short")).changed


def test_nobody_to_commit_as(stage: Stage) -> None:
    stage.git("config", "--unset", "user.name")
    stage.git("config", "user.useConfigOnly", "true")
    with pytest.raises(UsageError, match="can't make the commit") as caught:
        door.write(stage.folder, change(stage))
    assert "user.name" in caught.value.hint
    assert list(stage.refs()) == small_refs()


def test_a_parent_that_is_not_there(stage: Stage) -> None:
    with pytest.raises(ToolError, match="read-tree"):
        door.write(stage.folder, change(stage, parent="1" * 40))


def test_a_blob_that_is_not_there(stage: Stage) -> None:
    with pytest.raises(ToolError, match="write-tree"):
        door.write(stage.folder, change(stage, {"a": Entry("a", "100644", "1" * 40)}))
    assert list(stage.refs()) == small_refs()


def test_a_blob_that_comes_with_the_change(stage: Stage) -> None:
    text = b"merged\n"
    wanted = replace(change(stage, {"a.sh": Entry("a.sh", "100755", blob_id(text))}), new={blob_id(text): text})
    door.write(stage.folder, wanted)
    assert stage.files(BRANCH)["a.sh"] == f"100755 {blob_id(text)}"


def test_environment_of_a_hook_does_not_lead_elsewhere(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = small(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    monkeypatch.setenv("GIT_INDEX_FILE", str(stage.folder / ".git/index"))
    before = (stage.folder / ".git/index").read_bytes(), other.refs()
    door.write(stage.folder, change(stage))
    assert ((stage.folder / ".git/index").read_bytes(), other.refs()) == before
    assert BRANCH in "".join(stage.refs())


def test_a_replaced_object_is_not_what_is_written(stage: Stage) -> None:
    stage.land({"real": "1"})
    stage.git("replace", "main", "main~1")
    door.write(stage.folder, change(stage))
    stage.git("replace", "-d", "main")
    assert "real" in stage.files(BRANCH)


def test_two_at_once_on_one_branch(stage: Stage) -> None:
    first = door.write(stage.folder, change(stage))
    git = door.Plumbing(stage.folder)
    late = change(stage, {LOCK: b"version: 3\n"})
    with pytest.raises(Blocked, match=f"somebody else moved the branch: {BRANCH} is at {first.commit[:12]} now"):
        door.publish(git, late, door.prepare(git, late), "")
    assert stage.head(BRANCH) == first.commit
