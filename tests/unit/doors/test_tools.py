"""Tools: found in the cache before PATH, refused when too old, named with what to do when missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from kre.doors import cache, tools
from kre.errors import ToolError


def fake(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\necho run >> {folder}/{name}.count\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "cache/kre")
    monkeypatch.setattr(tools, "folder", lambda: tmp_path / "cache/kre/bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    return tmp_path


def test_make_tools_wins_over_path(world: Path) -> None:
    fake(world / "path", "kustomize", "v5.4.0")
    assert tools.require(tools.KUSTOMIZE)[1] == str(world / "path" / "kustomize")
    fake(world / "cache/kre/bin", "kustomize", "v5.8.1")
    assert tools.require(tools.KUSTOMIZE)[1] == str(world / "cache/kre/bin" / "kustomize")


def test_the_next_one_serves_where_the_first_is_too_old(world: Path) -> None:
    fake(world / "path", "kustomize", "v3.8.1")
    fake(world / "path", "kubectl", '{"kustomizeVersion": "v5.5.0"}')
    assert tools.require(tools.KUSTOMIZE, tools.KUBECTL)[0] is tools.KUBECTL


def test_too_old_says_so(world: Path) -> None:
    path = fake(world / "path", "kubeconform", "v0.4.14")
    with pytest.raises(ToolError, match=f"{path} is version 0.4.14, older than 0.6.0"):
        tools.require(tools.KUBECONFORM)


def test_missing_says_how_to_install(world: Path) -> None:
    with pytest.raises(ToolError, match="kubeconform was not found") as caught:
        tools.require(tools.KUBECONFORM)
    assert "make tools" in caught.value.hint


def test_a_version_is_asked_once_for_each_state_of_the_file(world: Path) -> None:
    fake(world / "path", "kubeconform", "v0.8.0")
    for _ in range(3):
        tools.require(tools.KUBECONFORM)
    assert (world / "path/kubeconform.count").read_text() == "run\n"
    fake(world / "path", "kubeconform", "v0.8.0-of-another-size")
    tools.require(tools.KUBECONFORM)
    assert (world / "path/kubeconform.count").read_text() == "run\nrun\n"


def test_a_build_without_a_version_is_taken_as_new(world: Path) -> None:
    fake(world / "path", "kubeconform", "development")
    assert tools.require(tools.KUBECONFORM)[0] is tools.KUBECONFORM
