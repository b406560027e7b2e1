"""docs/promises.md: no cell is empty, and every test that it names is there."""

from __future__ import annotations

import re

import pytest

from bundle.test_threat_model import functions_in
from support.repository import PROJECT

ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split(" | ")]
    for line in (PROJECT / "docs/promises.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| promise")
]


def test_there_are_promises() -> None:
    assert len(ROWS) > 30
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:50])
def test_a_promise_has_a_test_that_is_there_and_a_figure(row: list[str]) -> None:
    promise, tests, figure = row
    assert promise
    assert re.sub(r"`[^`]+`", "", tests).replace(",", "").strip() == "", "tests, and nothing else"
    named = re.findall(r"`([^`]+)`", tests)
    assert named
    for test in named:
        file, _, function = test.partition("::")
        assert (PROJECT / file).is_file()
        assert not function or function in functions_in(PROJECT / file)
    assert re.search(r"\d|refused|every|says", figure), figure
