"""A repository to write in, and the time and the name under which Git commits there."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.promotion import Stage, small


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = small(tmp_path / "stage")
    for name, value in made.environ().items():
        monkeypatch.setenv(name, value)
    return made
