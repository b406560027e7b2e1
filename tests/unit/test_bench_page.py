"""The page of benchmarks: who writes one section leaves the others as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import page

TEXT = "# Benchmarks\n\n## One\n\nfirst\n\n| a | b |\n\n## Two\n\nsecond\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "benchmarks.md"
    made.write_text(TEXT)
    monkeypatch.setattr(page, "PAGE", made)
    return made


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("One", "# Benchmarks\n\n## One\n\nnew\n\n## Two\n\nsecond\n"),
        ("Two", "# Benchmarks\n\n## One\n\nfirst\n\n| a | b |\n\n## Two\n\nnew\n"),
        ("Three", f"{TEXT}\n## Three\n\nnew\n"),
        ("On", f"{TEXT}\n## On\n\nnew\n"),
    ],
)
def test_one_section_is_written(file: Path, title: str, wanted: str) -> None:
    for _ in range(2):
        page.write(title, "\nnew\n")
        assert file.read_text() == wanted
