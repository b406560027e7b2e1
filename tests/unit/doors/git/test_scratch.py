"""A commit with changes, checked out where nobody sees it."""

from __future__ import annotations

import os

from kre.doors.git import blob_id, head
from kre.doors.git.objects import Objects
from kre.doors.git.scratch import checked_out
from kre.model.promotion import Entry
from support.promotion import Stage
from support.writing import everything


def test_files_index_and_history_are_those_of_the_change(stage: Stage) -> None:
    stage.write({"run.sh": "#!/bin/sh\n", "a.yaml": "a: 1\r\n", "gone": "1", ".gitattributes": "* text eol=lf\n"})
    (stage.folder / "run.sh").chmod(0o755)
    (stage.folder / "link").symlink_to("a.yaml")
    stage.git("config", "core.autocrlf", "false")
    stage.land()
    stage.write({"a.yaml": "dirty: 1\n"})
    before = everything(stage.folder)
    text, commit = b"merged\r\n", stage.head()
    raw = stage.git("cat-file", "blob", "HEAD:a.yaml")
    files: dict[str, Entry | bytes | None] = {
        "gone": None,
        "run.sh": b"#!/bin/sh\nexit 1\n",
        "new/b.yaml": Entry("b.yaml", "100755", blob_id(text)),
    }
    with Objects(stage.folder) as objects, checked_out(objects, commit, files, {blob_id(text): text}) as root:
        assert (root / "run.sh").read_bytes() == b"#!/bin/sh\nexit 1\n"
        assert os.access(root / "run.sh", os.X_OK)
        assert os.access(root / "new/b.yaml", os.X_OK)
        assert (root / "new/b.yaml").read_bytes() == text
        assert (root / "a.yaml").read_text().strip() == raw
        assert os.readlink(root / "link") == "a.yaml"
        assert not (root / "gone").exists()
        assert head(root) == commit == stage.git("rev-parse", "HEAD", cwd=root)
        staged = stage.git("ls-files", "-s", "run.sh", "new/b.yaml", cwd=root)
        assert [line.split()[0] for line in staged.splitlines()] == ["100755", "100755"]
        assert stage.git("rev-parse", "origin/main", cwd=root) == stage.head("origin/main")
        kept = root
    assert not kept.parent.exists()
    assert everything(stage.folder) == before
    assert len(stage.git("worktree", "list").splitlines()) == 1


def test_below_the_top(stage: Stage) -> None:
    stage.land({"sub/a.yaml": "1"})
    with Objects(stage.folder / "sub") as objects, checked_out(objects, stage.head(), {"b.yaml": b"2"}, {}) as root:
        assert root.name == "sub"
        assert sorted(path.name for path in root.iterdir()) == ["a.yaml", "b.yaml"]
        assert not (root.parent / "base").exists()


def test_in_a_linked_worktree_and_a_shallow_clone(stage: Stage) -> None:
    stage.edit("falco")
    stage.git("worktree", "add", "--quiet", "--detach", "../linked")
    for folder in (stage.folder.parent / "linked", stage.clone("shallow", "--depth=1")):
        with Objects(folder) as objects, checked_out(objects, stage.head(), {"b.yaml": b"2"}, {}) as root:
            assert stage.git("log", "-1", "--format=%H", cwd=root) == stage.head()
            assert (root / "base/falco/values.yaml").read_text() == "changed: true\n"
