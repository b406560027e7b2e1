"""Ids: each is one rule's, and some rules have the id of another list as well."""

from __future__ import annotations

import pytest

from kre.report.register import as_markdown, page
from kre.rules.registry import all_rules, get, rule


@pytest.mark.parametrize(("alias", "name"), [("R037", "X07"), ("E17", "P01"), ("r037", "X07")])
def test_an_alias_is_another_name_of_a_rule(alias: str, name: str) -> None:
    known = get(alias)
    assert known is not None
    assert known.id == name
    assert f"Also called: {alias.upper()}" in page(known)
    assert f"| {name}, {alias.upper()} |" in as_markdown(all_rules())


@pytest.mark.parametrize("name", ["X07", "R037"])
def test_no_id_is_taken_twice(name: str) -> None:
    with pytest.raises(ValueError, match="two rules are called"):
        rule(name, "again", "object")(lambda _: ())


def test_every_rule_of_the_list_of_rbac_checks_is_here() -> None:
    others = {"R039", "E03", "E04", "E05", "E06", "E07", "E08", "E10", "E18", "E20"}
    wanted = {*(f"R{n:03}" for n in range(1, 43)), *(f"E{n:02}" for n in range(1, 21))} - others
    assert {name for name in wanted if get(name) is None} == set()
