"""kre init: a fork's URL everywhere, in one go, and nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from support.cli import kre
from support.repository import git

URL = "https://git.example.org/security/kre.git"


def facts(repository: Path) -> dict[str, str]:
    return {
        name: (repository / f"overlays/{name}/environment/environment.yaml").read_text() for name in ("dev", "prod")
    }


def test_sets_the_url_everywhere(repository: Path) -> None:
    before = facts(repository)
    ended = kre("init", "--repo-url", URL, cwd=repository)
    assert (ended.code, ended.err) == (0, "")
    for name, text in facts(repository).items():
        assert text == before[name].replace("https://github.com/example/kre.git", URL)
    made = json.loads(kre("render", "dev", "--format", "json", cwd=repository).out)
    text = json.dumps(made)
    assert "github.com/example" not in text
    assert text.count(URL) >= 6
    assert kre("validate", cwd=repository).code == 0


def test_twice_is_once(repository: Path) -> None:
    kre("init", "--repo-url", URL, cwd=repository)
    before = facts(repository)
    made = json.loads(kre("init", "--repo-url", URL, "--format", "json", cwd=repository).out)
    assert made["changed"] == 0
    assert facts(repository) == before


def test_revision(repository: Path) -> None:
    kre("init", "--repo-url", URL, "--revision", "release/1.0", cwd=repository)
    assert all("revision: release/1.0\n" in text for text in facts(repository).values())


def test_the_url_of_origin_by_default(repository: Path) -> None:
    git(repository, "init", "--quiet")
    assert "no remote origin" in kre("init", cwd=repository).err
    git(repository, "remote", "add", "origin", "git@git.example.org:security/kre.git")
    assert kre("init", cwd=repository).code == 0
    assert all("url: git@git.example.org:security/kre.git" in text for text in facts(repository).values())


@pytest.mark.parametrize("url", ["", "nonsense", "https://a b", "-x", "ftp://x/y", "https://x\nspec: y"])
def test_what_is_no_url(repository: Path, url: str) -> None:
    before = facts(repository)
    ended = kre("init", f"--repo-url={url}", cwd=repository)
    assert ended.code == 2
    assert facts(repository) == before


def test_outside_of_a_repository(tmp_path: Path) -> None:
    ended = kre("init", "--repo-url", URL, cwd=tmp_path)
    assert ended.code == 2
    assert "has no overlays/environments.yaml" in ended.err


def test_one_environment_that_can_not_be_changed_leaves_all_as_they_were(repository: Path) -> None:
    path = repository / "overlays/prod/environment/environment.yaml"
    path.write_text(path.read_text().replace("repository:", "repositry:"))
    before = facts(repository)
    ended = kre("init", "--repo-url", URL, cwd=repository)
    assert ended.code == 2
    assert "there is no value at spec.repository.url" in ended.err
    assert facts(repository) == before
    assert not [name for name in os.listdir(path.parent) if name.startswith(".")]


def test_from_a_folder_below(repository: Path) -> None:
    assert kre("init", "--repo-url", URL, cwd=repository / "base/pipeline").code == 0
    assert all(URL in text for text in facts(repository).values())
