"""The names of Falco's rules that are shipped, and those that the repository's own Sensors answer to."""

from __future__ import annotations

import pytest

from kre.edit.draft import Draft
from kre.edit.repository import with_sensor
from kre.edit.rules import check_name, custom_rules, rules_of, stable_rules
from support.repository import PROJECT


def test_the_names_that_are_shipped() -> None:
    names = stable_rules()
    assert names == sorted(set(names))
    assert len(names) == 25
    assert {"Terminal shell in container", "Execution from /dev/shm", "PTRACE anti-debug attempt"} <= set(names)
    for name in names:
        check_name(name)


@pytest.mark.parametrize("response", with_sensor(PROJECT))
def test_every_sensor_of_this_repository_can_be_edited(response: str) -> None:
    """Whatever people write by hand, `kre rule` must be able to read it; and each rule is one that Falco can have."""
    draft = Draft(PROJECT)
    assert set(rules_of(draft, response)) <= {*stable_rules(), *custom_rules(draft)}


def test_no_rule_of_this_repository_has_two_responses() -> None:
    bound = [rule for response in with_sensor(PROJECT) for rule in rules_of(Draft(PROJECT), response)]
    assert sorted(bound) == sorted(set(bound))
