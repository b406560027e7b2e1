"""kre record close."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli import Ended, kre

GOOD = [
    {"part": "dispatcher", "response": "delete-pod", "alert": "a", "workflow": "w", "outcome": "dispatched"},
    {"part": "recorder", "key": "k", "response": "delete-pod", "alert": "a", "workflow": "w", "outcome": "deleted"},
]


def close(folder: Path, *arguments: str, stdin: str = "") -> Ended:
    return kre("record", "close", *arguments, cwd=folder, stdin=stdin)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    made = tmp_path / "log"
    made.write_text("listening\n" + "".join(f"{json.dumps(line)}\n" for line in GOOD))
    return made


def test_it_closes(log: Path) -> None:
    done = close(log.parent, str(log))
    assert done.code == 0
    assert done.out.endswith("the record closes\n")
    assert "acted               1\n" in done.out


def test_standard_input(log: Path) -> None:
    assert close(log.parent, "-", stdin=log.read_text()).code == 0


def test_it_names_what_is_in_the_gap(log: Path, tmp_path: Path) -> None:
    (tmp_path / "sent").write_text('a\n{"uuid": "b", "status": 200}\n')
    done = close(log.parent, str(log), "--sent", str(tmp_path / "sent"))
    assert done.code == 1
    assert "not-triggered: b: it was taken, and no dispatcher has a line of it\n" in done.out
    assert done.out.endswith("the record does not close: 1 in the gap\n")
    found = json.loads(close(log.parent, str(log), "--sent", str(tmp_path / "sent"), "--format", "json").out)
    assert found["counts"]["sent"] == 2
    assert [gap["alert"] for gap in found["gaps"]] == ["b"]


def test_a_line_that_is_cut_off_is_no_success(log: Path) -> None:
    log.write_text(log.read_text() + '{"part": "recor')
    done = close(log.parent, str(log))
    assert done.code == 1
    assert "1 lines look like records and can't be read\n" in done.out


def test_nothing_counted_is_no_success(tmp_path: Path, log: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bad").write_text("{\n")
    for arguments in ([], [str(log), "--cluster"], [str(tmp_path / "empty")], [str(tmp_path / "missing")]):
        assert close(tmp_path, *arguments).code == 2
    assert close(log.parent, str(log), "--sent", str(tmp_path / "bad")).code == 2
