"""A live object against the rendered one: what makes a difference, and what does not."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from kre.cluster.compare import differs, more
from support.repository import FIXTURES

RENDERED: dict[str, Any] = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": "x", "labels": {"a": "b"}},
    "spec": {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [{"apiGroups": ["*"], "operations": ["*"], "resources": ["*/*"]}]},
        "validations": [{"expression": "a", "message": "b"}],
    },
}


def live(**changes: Any) -> dict[str, Any]:
    """As an API server 1.34 gives it back."""
    made = copy.deepcopy(RENDERED)
    made["metadata"] |= {"uid": "1", "generation": 1, "managedFields": []}
    made["spec"]["matchConstraints"] |= {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}
    made["spec"]["matchConstraints"]["resourceRules"][0]["scope"] = "*"
    made["status"] = {"observedGeneration": 1, "typeChecking": {}}
    made["spec"] |= changes
    return made


def test_defaults_make_no_difference() -> None:
    assert differs(RENDERED, live()) == ""
    assert more(RENDERED["spec"], live()["spec"]) == ""


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"failurePolicy": "Ignore"}, "spec.failurePolicy"),
        ({"validations": []}, "spec.validations"),
        ({"validations": [{"expression": "true", "message": "b"}]}, "spec.validations.0.expression"),
        ({"matchConstraints": None}, "spec.matchConstraints"),
    ],
    ids=str,
)
def test_what_is_not_as_rendered(changes: dict[str, Any], at: str) -> None:
    assert differs(RENDERED, live(**changes)) == at


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"matchConditions": [{"name": "never", "expression": "false"}]}, "spec.matchConditions"),
        (
            {
                "matchConstraints": {
                    **live()["spec"]["matchConstraints"],
                    "namespaceSelector": {"matchLabels": {"a": "b"}},
                }
            },
            "spec.matchConstraints.namespaceSelector",
        ),
        (
            {"matchConstraints": {**live()["spec"]["matchConstraints"], "excludeResourceRules": [{}]}},
            "spec.matchConstraints.excludeResourceRules",
        ),
        ({"paramKind": {"kind": "X"}}, "spec.paramKind"),
    ],
    ids=["condition", "selector", "exclusion", "parameter"],
)
def test_what_is_more_than_rendered(changes: dict[str, Any], at: str) -> None:
    assert differs(RENDERED, live(**changes)) == ""
    assert more(RENDERED["spec"], live(**changes)["spec"]) == at


def test_an_action_more_of_a_binding() -> None:
    assert differs({"spec": {"validationActions": ["Deny"]}}, {"spec": {"validationActions": ["Warn"]}})
    assert more({"policyName": "a"}, {"policyName": "a", "matchResources": {"namespaceSelector": {"x": 1}}})


def test_labels_and_data_count_and_what_others_add_does_not() -> None:
    found = live()
    found["metadata"]["labels"] |= {"c": "d"}
    assert differs(RENDERED, found) == ""
    found["metadata"]["labels"]["a"] = "c"
    assert differs(RENDERED, found) == "metadata.labels.a"
    assert differs({"data": {"a": "1"}}, {"data": {"a": "2"}}) == "data.a"
    assert differs({"rules": []}, {"rules": None}) == ""
    assert differs({"spec": {"a": [1, 2]}}, {"spec": {"a": [1]}}) == "spec.a"


APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@pytest.mark.parametrize(
    "found", json.loads((FIXTURES / "cluster/policies.json").read_text()), ids=lambda one: one["kind"]
)
def test_what_a_real_api_server_makes_of_what_was_applied(found: dict[str, Any]) -> None:
    """Kubernetes 1.34.4; kubectl keeps in an annotation what it was given."""
    applied = json.loads(found["metadata"]["annotations"].pop(APPLIED))
    assert found["spec"] != applied["spec"] or found["kind"].endswith("Binding")
    assert differs(applied, found) == more(applied["spec"], found["spec"]) == ""
    found["spec"]["matchConditions" if "validations" in found["spec"] else "paramRef"] = [{"name": "x"}]
    assert differs(applied, found) or more(applied["spec"], found["spec"])
