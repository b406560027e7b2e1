"""docs/promote.md: every state and reason with what to do; every test that it names is there; its policy is one."""

from __future__ import annotations

import ast
import re

import pytest

from kre.load.policy import read
from kre.model.promotion import Reason, State
from support.repository import PROJECT

PAGE = (PROJECT / "docs/promote.md").read_text()
ROWS = {
    cells[0].strip("`"): cells
    for line in PAGE.splitlines()
    if line.startswith("| ")
    for cells in [[cell.strip() for cell in line.strip().strip("|").split(" | ")]]
}
FAULTS = {name: cells for name, cells in ROWS.items() if name.isdigit()}


@pytest.mark.parametrize("state", State)
def test_every_state_stands_there(state: State) -> None:
    assert re.search(rf"^\| `{state.value}` \| \S.* \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_stands_there_with_what_to_do(reason: Reason) -> None:
    assert re.search(rf"^\| `{reason.value}` \| \S[^|]* \| \S[^|]* \|$", PAGE, re.MULTILINE)


def test_no_reason_that_there_is_not() -> None:
    table = PAGE.partition("| reason | means | do |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([\w-]+)`", table, re.MULTILINE)) == {reason.value for reason in Reason}


def test_the_policy_is_one() -> None:
    text = next(
        found for found in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) if "gates" in found
    )
    others = "environments:\n- name: dev\n- name: staging\n  from: dev\n"
    policy = read(text.replace("environments:\n", others, 1).encode())
    prod = policy.step("prod")
    assert prod is not None
    assert (prod.gates.approvals, len(prod.freeze)) == (2, 2)


def test_every_fault_has_a_test_that_is_there() -> None:
    assert list(FAULTS) == [str(number) for number in range(1, 20)]
    for cells in FAULTS.values():
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", cells[2])
        assert named
        for file, function in named:
            tree = ast.parse((PROJECT / file).read_text())
            known = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert function in known, (file, function)
