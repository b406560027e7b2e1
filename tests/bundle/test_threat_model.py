"""docs/threat-model.md: each threat once, with a defence; every file and every test that it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from support.repository import PROJECT
from support.rights import table

PAGE = (PROJECT / "docs/threat-model.md").read_text()
ROWS = {
    cells[0]: cells
    for line in PAGE.splitlines()
    if re.match(r"\| T\d+ \|", line)
    for cells in [[cell.strip() for cell in line.strip().strip("|").split(" | ")]]
}
TESTS = sorted(set(re.findall(r"`(tests/[\w/.-]+\.py(?:::\w+)?)`", PAGE)))
FILES = sorted(set(re.findall(r"`((?:apps|base|overlays|tools|\.github)/[\w/.-]+)`", PAGE)))
IDENTITIES = re.findall(r"row `([\w:-]+)`", PAGE)


@cache
def functions_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_threat_once() -> None:
    assert list(ROWS) == [f"T{number}" for number in range(1, 24)]
    assert len(re.findall(r"^\| T\d+ \|", PAGE, re.MULTILINE)) == len(ROWS)


@pytest.mark.parametrize("threat", ROWS)
def test_a_row_says_what_defends_where_and_which_test_fails_without_it(threat: str) -> None:
    cells = ROWS[threat]
    assert len(cells) == 5
    assert all(cells)
    assert set(re.findall(r"`([^`]+)`", cells[3])) <= set(FILES)
    assert re.sub(r"`[^`]+`", "", cells[3]).strip() == "", "files, and nothing else"
    named = re.findall(r"`([^`]+)`", cells[4])
    assert named
    assert all("::" in test and test in TESTS for test in named)


@pytest.mark.parametrize("test", TESTS)
def test_a_test_that_is_named_is_there(test: str) -> None:
    file, _, function = test.partition("::")
    assert (PROJECT / file).is_file()
    assert not function or function in functions_in(PROJECT / file)


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_named_is_there(file: str) -> None:
    assert (PROJECT / file).is_file()


def test_the_rows_of_identities_are_those_of_the_test() -> None:
    assert len(IDENTITIES) == 5
    assert set(IDENTITIES) <= table([], []).keys()


def test_the_policies_that_are_named_are_all_of_them() -> None:
    there = {path.name for path in (PROJECT / "base/responses/manifests/admission").glob("*policy.yaml")}
    named = set(re.findall(r"`(kre-engine-[a-z]+)`", PAGE))
    assert {f"{name}-validatingadmissionpolicy.yaml" for name in named} == there
    assert "ten admission policies" in PAGE
    assert len(there) == 10
