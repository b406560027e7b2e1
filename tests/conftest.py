"""What every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from support.repository import Plan

# However busy the machine is: what has to be fast, benchmarks measure.
settings.register_profile("kre", deadline=None)
settings.load_profile("kre")


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
