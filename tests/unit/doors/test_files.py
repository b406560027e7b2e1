"""The door to files: limits on what is read, all or nothing for what is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kre.doors import files
from kre.errors import UsageError


def test_reads_regular_files_only(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    assert files.read(tmp_path / "a") == b"x"
    with pytest.raises(files.FileProblem, match="there is no such file"):
        files.read(tmp_path / "b")
    with pytest.raises(files.FileProblem, match="not a regular file"):
        files.read(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(files.FileProblem, match="not a regular file"):
        files.read(tmp_path / "pipe")


def test_reads_nothing_huge(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(100 * 2**20)
    with pytest.raises(files.FileProblem, match="100 MiB; more than 16 MiB is no manifest"):
        files.read(tmp_path / "big")


def test_walk_is_sorted_and_leaves_out_what_is_not_ours(tmp_path: Path) -> None:
    for name in ("b/x", "a/y", ".git/z", ".hidden/z", "node_modules/z", "__pycache__/z", "c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    os.symlink(tmp_path, tmp_path / "loop")
    assert [path.relative_to(tmp_path).as_posix() for path in files.walk(tmp_path)] == ["a/y", "b/x", "c"]


def test_write_replaces_and_keeps_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o600)
    files.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["a"]


def test_write_follows_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    os.symlink("real", tmp_path / "link")
    files.write(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_write_all_changes_nothing_where_one_fails(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "blocked").write_text("a file where a folder should be")
    with pytest.raises(UsageError, match="can't be written"):
        files.write_all({tmp_path / "a": b"new", tmp_path / "blocked" / "b": b"new"})
    assert (tmp_path / "a").read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["a", "blocked"]


def test_write_all_takes_files_away_and_the_folder_that_is_empty_then(tmp_path: Path) -> None:
    for name in ("a/one", "a/two", "b/one"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old")
    files.write_all(
        {tmp_path / "a/one": None, tmp_path / "b/one": None, tmp_path / "c/d/new": b"new", tmp_path / "x": None}
    )
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        *("a", "a/two", "c", "c/d", "c/d/new"),
    ]


@pytest.mark.parametrize("fails", ["replace", "unlink"])
@pytest.mark.parametrize("at", [1, 2])
def test_write_all_undoes_what_it_did_before_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str, at: int
) -> None:
    for name in ("a", "b", "gone", "gone2"):
        (tmp_path / name).write_text("old")
    (tmp_path / "gone").chmod(0o600)
    calls, real = [], {"replace": os.replace, "unlink": Path.unlink}[fails]

    def failing(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) == at:
            raise OSError(28, "No space left on device", "x")
        real(*arguments)

    monkeypatch.setattr(*((os, "replace", failing) if fails == "replace" else (Path, "unlink", failing)))
    contents = {"a": b"new", "new/file": b"new", "b": b"new", "gone": None, "gone2": None}
    with pytest.raises(UsageError, match="can't be written: No space left"):
        files.write_all({tmp_path / name: content for name, content in contents.items()})
    assert len(calls) == at
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(
        ("a", "b", "gone", "gone2"), "old"
    )
    assert (tmp_path / "gone").stat().st_mode & 0o777 == 0o600


def test_write_folder_is_all_or_nothing(tmp_path: Path) -> None:
    written = files.write_folder(tmp_path / "new", {"a": b"1", "b": b"2"})
    assert [path.read_bytes() for path in written] == [b"1", b"2"]
    with pytest.raises(UsageError, match="is there and not empty"):
        files.write_folder(tmp_path / "new", {"c": b"3"})
    with pytest.raises(UsageError, match="can't be written"):
        files.write_folder(tmp_path / "other", {"a": b"1", "no/such/folder": b"2"})
    assert sorted(os.listdir(tmp_path)) == ["new"]
