"""A cache of its own for every test that runs `kre` as a process; tools stay where they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kre.doors import tools


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    (cache / "kre").mkdir()
    if os.path.isdir(tools.folder()):
        (cache / "kre/bin").symlink_to(tools.folder())
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return cache
