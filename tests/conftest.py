"""What every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.repository import Plan


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of the small repository, sound, prod filled."""
    return Plan().build(tmp_path / "repository")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads what another run kept, but all use the tools that `make tools` installed."""
    from kre.doors import cache, tools

    installed = tools.folder()
    monkeypatch.setattr(tools, "folder", lambda: installed)
    kept = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(cache, "folder", lambda: kept)
