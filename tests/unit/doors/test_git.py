"""The Git door, on real repositories."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from kre.doors import git as door
from kre.doors.git import repository
from kre.errors import UsageError
from support.repository import commit, git


def test_not_a_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not in a Git repository"):
        door.open_repository(tmp_path)
    assert door.head(tmp_path) == ""


def test_head_without_asking_git(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = commit(tmp_path)
    assert door.head(tmp_path) == first
    assert door.head(tmp_path / "below") == first
    git(tmp_path, "pack-refs", "--all")
    assert door.head(tmp_path) == first
    git(tmp_path, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "tree"))
    assert door.head(tmp_path / "tree") == first
    git(tmp_path, "checkout", "--quiet", "--detach")
    assert door.head(tmp_path) == first


def test_head_before_the_first_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert door.head(tmp_path) == ""
    assert door.held(tmp_path, ["a"]) == {"a": set()}


def test_held_knows_every_version_ever(tmp_path: Path) -> None:
    for text in ("one", "two", "three"):
        (tmp_path / "a file").write_text(text)
        commit(tmp_path)
    (tmp_path / "a file").write_text("not committed")
    known = door.held(tmp_path, ["a file"])["a file"]
    assert {door.blob_id(text) in known for text in (b"one", b"two", b"three")} == {True}
    assert door.blob_id(b"not committed") not in known


def test_held_below_the_top(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a").write_text("one")
    commit(tmp_path)
    assert door.blob_id(b"one") in door.held(tmp_path / "sub", ["a"])["a"]


def test_blob_id_is_gits(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "a").write_bytes(b"some\r\nbytes")
    assert door.blob_id(b"some\r\nbytes") == git(tmp_path, "hash-object", "--no-filters", "a")
    assert door.blob_id(b"x", "0" * 64) == hashlib.sha256(b"blob 1\0x").hexdigest()


def test_export_and_unknown_revisions(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a").write_text("one")
    commit(tmp_path)
    (tmp_path / "sub/a").write_text("two")
    commit(tmp_path)
    door.export(tmp_path, "HEAD~1", tmp_path / "top")
    assert (tmp_path / "top/sub/a").read_text() == "one"
    door.export(tmp_path / "sub", "HEAD~1", tmp_path / "below")
    assert (tmp_path / "below/a").read_text() == "one"
    for revision in ("no-such", "--output=/tmp/x", "HEAD~9"):
        with pytest.raises(UsageError, match="there is no revision"):
            door.export(tmp_path, revision, tmp_path / "never")


def test_export_keeps_links_and_writes_nothing_outside(tmp_path: Path) -> None:
    source, into = tmp_path / "source", tmp_path / "into"
    (source / "sub").mkdir(parents=True)
    (source / "sub/a").write_text("one")
    (source / "link").symlink_to("sub/a")
    (source / "away").symlink_to(tmp_path)
    commit(source)
    door.export(source, "HEAD", into)
    assert os.readlink(into / "link") == "sub/a"
    assert (into / "link").read_text() == "one"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name in ("../evil", "away/evil", "/evil", "fine"):
            tar.addfile(tarfile.TarInfo(name))
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        for member in tar:
            repository._extract(tar, member, os.path.realpath(into))
    assert not (tmp_path / "evil").exists()
    assert not Path("/evil").exists()
    assert (into / "fine").exists()


def test_origin(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(UsageError, match="no remote origin"):
        door.origin(tmp_path)
    git(tmp_path, "remote", "add", "origin", "https://git.example.org/kre.git")
    assert door.origin(tmp_path) == "https://git.example.org/kre.git"
