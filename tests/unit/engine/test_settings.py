"""The settings as the responder reads them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.engine import code, settings_folder

settings, names = code().settings, code().names


def test_a_mounted_configmap(tmp_path: Path) -> None:
    folder = settings_folder(tmp_path / "settings", {"mode": "observe\n", "delete-pod.mode": "enforce"})
    assert settings.read_folder(str(folder)) == {"mode": "observe", "delete-pod.mode": "enforce"}


def test_a_new_version_is_taken_whole(tmp_path: Path) -> None:
    folder = settings_folder(tmp_path / "settings", {"mode": "observe", "old": "1"})
    version = folder / "..2026_02_02"
    version.mkdir()
    (version / "mode").write_text("enforce")
    os.symlink(version.name, folder / "..data_tmp")
    os.replace(folder / "..data_tmp", folder / "..data")  # as the kubelet does, before it tidies up
    assert settings.read_folder(str(folder)) == {"mode": "enforce"}


def test_a_plain_folder_will_do(tmp_path: Path) -> None:
    (tmp_path / "mode").write_text("observe")
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / "folder").mkdir()
    assert settings.read_folder(str(tmp_path)) == {"mode": "observe"}


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_what_cannot_be_read_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / "mode").write_bytes(content)
    with pytest.raises((OSError, UnicodeDecodeError)):
        settings.read_folder(str(tmp_path if content else tmp_path / "none"))


def test_an_override_wins_even_if_it_is_empty() -> None:
    made = settings.Settings({"mode": "enforce", "a.mode": " observe ", "b.mode": "", "c.cap": "7"})
    assert [made.text(response, "mode") for response in ("a", "b", "c")] == ["observe", "", "enforce"]
    assert made.number("c", "cap") == 7
    with pytest.raises(names.Refused, match="setting mode is none of observe, approve, enforce"):
        made.choice("b", "mode")
    with pytest.raises(names.Refused, match="setting cap is missing"):
        made.number("a", "cap")


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), (" 12\n", 12), ("9" * 9, 10**9 - 1)])
def test_numbers(text: str, number: int) -> None:
    assert settings.Settings({"cap": text}).number("x", "cap") == number


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "1e3", "0x1", "1_0", "\u0661", "\u00b2", "9" * 10, "1 2"])
def test_no_numbers(text: str) -> None:
    with pytest.raises(names.Refused, match="setting cap is not a whole number"):
        settings.Settings({"cap": text}).number("x", "cap")
