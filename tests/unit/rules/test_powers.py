"""Powers are found exactly: whatever stands beside them, in their own group, with or without names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kre.model.bundle import Bundle
from kre.model.resource import Resource, Root
from kre.rules.powers import POWERS
from kre.rules.registry import get

API = "rbac.authorization.k8s.io"
ALWAYS = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}


def found(*rules: dict[str, Any]) -> set[str]:
    """The ids of the rules of this family that say something about a ClusterRole with these rules."""
    body = {"apiVersion": f"{API}/v1", "kind": "ClusterRole", "metadata": {"name": "r"}, "rules": list(rules)}
    root = Root("r.yaml", "plain", resources=(Resource(body, "r.yaml", "r.yaml"),))
    bundle = Bundle(Path(), roots=(root,))
    return {power.id for power in POWERS for _ in rule(power.id).apply(bundle)}


def rule(name: str) -> Any:
    known = get(name)
    assert known
    return known


def entry(power: Any, verb: str, resource: str, **more: Any) -> dict[str, Any]:
    return {"apiGroups": [power.group], "resources": [resource], "verbs": [verb], **more}


@pytest.mark.parametrize("power", POWERS, ids=lambda power: power.id)
def test_every_verb_on_every_resource_wherever_it_stands(power: Any) -> None:
    for verb in power.verbs.split():
        for resource in power.resources.split():
            dangerous = entry(power, verb, resource)
            assert found(ALWAYS, dangerous) == found(dangerous, ALWAYS) == {power.id}
            assert found(entry(power, verb, resource, resourceNames=["one"])) == {power.id}
            assert found(dangerous | {"apiGroups": ["example.com"]}) == set()
            assert found(dangerous | {"verbs": ["watch"]}) == set()
            assert found(dangerous | {"resources": ["configmaps"]}) == set()


def test_a_subresource_of_anything_counts() -> None:
    assert found({"apiGroups": [""], "resources": ["*/exec"], "verbs": ["create"]}) == {"R014"}
    assert found({"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "get"]}) == set()
    assert found({"apiGroups": [""], "resources": ["pods/*"], "verbs": ["create"]}) == set()


def test_what_makes_cluster_admin_of_two_rules_is_named() -> None:
    bind = {"apiGroups": [API], "resources": ["clusterroles"], "verbs": ["bind"]}
    make = {"apiGroups": [API], "resources": ["clusterrolebindings"], "verbs": ["create"]}
    assert found(make, bind) == {"R020", "R022"}
