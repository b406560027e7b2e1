"""What the controller leaves in ClusterRoles that aggregate others, as seen on a real one."""

from __future__ import annotations

import pytest

from kre.rbac.aggregate import aggregate
from kre.rbac.objects import parse


def role(name: str, *verbs: str, labels: str = "", selects: str | dict | None = None):
    body = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": dict.fromkeys(labels.split(), "true")},
        "rules": [{"verbs": [verb], "apiGroups": [""], "resources": ["pods"]} for verb in verbs],
    }
    if isinstance(selects, str):
        body["aggregationRule"] = {
            "clusterRoleSelectors": [{"matchLabels": {word: "true"}} for word in selects.split()]
        }
    elif selects is not None:
        body["aggregationRule"] = {"clusterRoleSelectors": [selects]}
    return parse(body)


def held(*roles) -> dict[str, str]:
    return {name: " ".join(rule.verbs[0] for rule in rules) for name, rules in aggregate(roles).rules.items()}


def test_its_own_rules_are_replaced():
    assert held(role("all", "own", selects="a"), role("one", "get", labels="a"))["all"] == "get"


def test_its_own_rules_stay_where_there_are_no_others():
    assert held(role("all", "own", selects="a"), role("one", labels="a"))["all"] == "own"


def test_chains_of_any_length():
    chain = [role(f"r{n}", labels=f"l{n}", selects=f"l{n + 1}") for n in range(3000)]
    assert held(*chain, role("end", "get", labels="l3000"))["r0"] == "get"


def test_it_never_takes_itself():
    assert held(role("all", "own", labels="a", selects="a"))["all"] == "own"


def test_in_the_order_of_selectors_and_names_each_rule_once():
    roles = [
        role("all", selects="a b"),
        role("z", "1", labels="b"),
        role("y", "2", "1", labels="a"),
        role("x", "3", labels="a b"),
    ]
    assert held(*roles)["all"] == "3 2 1"


@pytest.mark.parametrize(
    ("condition", "taken"),
    [
        ({}, "1 2"),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, "1"),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, "2"),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["true"]}]}, "2"),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["x", "true"]}]}, "1"),
        ({"matchLabels": {"a": "true"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]}, ""),
    ],
)
def test_selectors(condition, taken):
    assert held(role("all", selects=condition), role("one", "1", labels="a"), role("two", "2"))["all"] == taken


def test_a_circle_holds_what_feeds_it():
    roles = [role("a", labels="a", selects="b"), role("b", labels="b", selects="a x"), role("x", "get", labels="x")]
    found = aggregate(roles)
    assert {len(found.rules[name]) for name in "ab"} == {1}
    assert not found.unsettled


def test_a_circle_with_rules_of_its_own_has_no_end():
    roles = [
        role("a", "own", labels="a", selects="b"),
        role("b", labels="b", selects="a x"),
        role("x", "get", labels="x"),
    ]
    found = aggregate(roles)
    assert found.unsettled == {"a", "b"}
    assert {rule.verbs[0] for rule in found.rules["a"]} == {"own", "get"}


def test_rules_that_were_once_in_what_feeds_a_circle_may_stay_there():
    feeds = [role("f", "old", labels="x", selects="y"), role("y", "new", labels="y")]
    found = aggregate([role("a", labels="a", selects="b"), role("b", labels="b", selects="a x"), *feeds])
    assert [rule.verbs[0] for rule in found.rules["f"]] == ["new"]
    assert found.unsettled == {"a", "b"}
    assert {rule.verbs[0] for rule in found.rules["a"]} == {"old", "new"}
