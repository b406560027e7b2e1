"""What stands between an attacker and the engine, as it is rendered. docs/threat-model.md names these tests."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import yaml

from kre.load.layout import environments
from kre.load.sources import Sources
from support.promoted import load_promoted, promoted
from support.repository import PROJECT

NAMES = [environment.name for environment in environments(Sources(PROJECT))]
NEVER = "$.^"
SECRETS_IN_GIT = {("kre-responses", "executor.service-account-token")}  # Kubernetes fills it in


@cache
def rendered(name: str) -> list[dict[str, Any]]:
    return [dict(resource.body) for resource in load_promoted(name).resources]


def of(name: str, kind: str) -> list[dict[str, Any]]:
    return [body for body in rendered(name) if body["kind"] == kind]


def one(name: str, kind: str, called: str) -> dict[str, Any]:
    (found,) = [body for body in of(name, kind) if body["metadata"]["name"] == called]
    return found


def values(environment: str, chart: str) -> dict[str, Any]:
    """The values of a chart as an environment has them; it may add to them in its own file."""
    folder = "base" if environment == NAMES[0] else f"overlays/{environment}/release"
    files = (f"{folder}/{chart}/values.yaml", f"overlays/{environment}/values/{chart}.yaml")
    first, second = (yaml.safe_load((promoted() / file).read_text()) or {} for file in files)
    return {**first, **second}


@pytest.mark.parametrize("name", NAMES)
def test_the_webhook_asks_for_a_token_and_is_falcosidekicks_alone(name: str) -> None:
    webhooks = one(name, "EventSource", "falco")["spec"]["webhook"]
    assert [hook["authSecret"] for hook in webhooks.values()] == [{"name": "falco-webhook-token", "key": "token"}]
    passes_on = [body for body in of(name, "Deployment") if body["metadata"]["name"] == "intake"]
    if passes_on:
        (rule,) = one(name, "NetworkPolicy", "eventsource")["spec"]["ingress"]
        assert rule["from"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "intake"}}}]
    policy = "intake" if passes_on else "eventsource"
    rule, *_ = one(name, "NetworkPolicy", policy)["spec"]["ingress"]
    (peer,) = rule["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "falco"}
    assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "falcosidekick"}
    assert rule["ports"] == [{"port": 12000}]


@pytest.mark.parametrize("name", NAMES)
def test_falcosidekick_is_falcos_alone(name: str) -> None:
    """It adds the token to whatever is posted to it."""
    policies = [body for body in of(name, "NetworkPolicy") if body["metadata"]["namespace"] == "falco"]
    rules = {body["metadata"]["name"]: body["spec"].get("ingress", []) for body in policies}
    peer = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "falco"}}}
    assert rules == {"default-deny": [], "falcosidekick": [{"from": [peer], "ports": [{"port": 2801}]}]}
    assert all("Ingress" in body["spec"]["policyTypes"] for body in policies)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("namespace", ["kre-pipeline", "kre-responses"])
def test_what_no_policy_lets_through_is_denied(name: str, namespace: str) -> None:
    (deny,) = [
        body["spec"]
        for body in of(name, "NetworkPolicy")
        if (body["metadata"]["namespace"], body["metadata"]["name"]) == (namespace, "default-deny")
    ]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("name", NAMES)
def test_every_filter_of_a_sensor_is_anchored(name: str) -> None:
    for sensor in of(name, "Sensor"):
        for dependency in sensor["spec"]["dependencies"]:
            assert dependency["filters"].keys() == {"data", "dataLogicalOperator"}, "scripts and expressions"
            assert dependency["filters"]["dataLogicalOperator"] == "and"
            for entry in dependency["filters"]["data"]:
                assert entry["type"] == "string"
                assert "comparator" not in entry
                assert all(pattern == NEVER or re.fullmatch(r"\^.+\$", pattern) for pattern in entry["value"])


@pytest.mark.parametrize("name", NAMES)
def test_the_workflow_controller_runs_templates_only_and_evaluates_nothing(name: str) -> None:
    controller = values(name, "argo-workflows")["controller"]
    assert controller["workflowRestrictions"] == {"templateReferencing": "Strict"}
    assert {"name": "EXPRESSION_TEMPLATES", "value": "false"} in controller["extraEnv"]


def test_a_storm_meets_limits_behind_the_caps() -> None:
    quotas = {quota["metadata"]["namespace"]: quota["spec"]["hard"] for quota in of("dev", "ResourceQuota")}
    assert quotas == {"kre-responses": {"pods": "60"}, "kre-evidence": {"pods": "0", "secrets": "100"}}
    # Twenty actions in ten minutes wait an hour for a person: those of several responses keep none from acting.
    assert 4 * 20 * 6 <= values("dev", "argo-workflows")["controller"]["namespaceParallelism"] <= 1000
    templates = of("dev", "WorkflowTemplate")
    assert templates
    for template in templates:
        assert template["spec"]["ttlStrategy"] == {"secondsAfterCompletion": 86400}
        assert template["spec"]["activeDeadlineSeconds"] == 3600


def test_no_part_of_the_way_is_a_single_pod() -> None:
    assert values("dev", "falcosidekick")["replicaCount"] == 2
    assert one("dev", "EventSource", "falco")["spec"]["replicas"] == 2
    assert one("dev", "EventBus", "default")["spec"]["jetstream"]["replicas"] == 3
    assert one("dev", "Deployment", "dispatcher")["spec"]["replicas"] == 2
    budgets = {body["metadata"]["name"] for body in of("dev", "PodDisruptionBudget")}
    assert one("dev", "Deployment", "intake")["spec"]["replicas"] == 2
    assert budgets == {"default-eventbus", "dispatcher", "falco-eventsource", "intake"}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_posted_again_comes_within_every_cool_down(name: str) -> None:
    """Else the second post of an alert would be acted on."""
    code = (PROJECT / "base/pipeline/options/intake/code/intake.py").read_text()
    (again,) = re.findall(r'"KRE_AGAIN", "(\d+)"', code)
    cooldowns = [int(value) for key, value in _settings(name) if key.rpartition(".")[2] == "cooldown"]
    assert cooldowns
    assert int(again) * 2 <= min(cooldowns), "and some room, for a post that the EventSource made wait"


def _settings(name: str) -> list[tuple[str, str]]:
    """Of both namespaces."""
    found = [body["data"] for body in of(name, "ConfigMap") if body["metadata"]["name"] == "settings"]
    return [pair for data in found for pair in data.items()]


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_is_in_git(name: str) -> None:
    found = {(body["metadata"]["namespace"], body["metadata"]["name"]): body for body in of(name, "Secret")}
    assert found.keys() == SECRETS_IN_GIT
    assert not [body for body in found.values() if body.keys() & {"data", "stringData"}]
    assert values(name, "falcosidekick")["config"]["existingSecret"] == "falcosidekick-webhook"
    assert "customHeaders" not in values(name, "falcosidekick")["config"]["webhook"]


@pytest.mark.parametrize("name", NAMES)
def test_overlays_reach_no_policy_but_the_engines_and_bind_no_role_for_the_cluster(name: str) -> None:
    allowed = one(name, "AppProject", f"kre-{name}")["spec"]["clusterResourceWhitelist"]
    kinds = {entry["kind"]: entry["name"] for entry in allowed if entry["kind"] != "Namespace"}
    assert kinds == {
        "ClusterRole": "kre-*",
        "CustomResourceDefinition": "*.argoproj.io",
        "ValidatingAdmissionPolicy": "kre-engine-*",
        "ValidatingAdmissionPolicyBinding": "kre-engine-*",
    }
    assert of(name, "ClusterRoleBinding") == []


@pytest.mark.parametrize("name", NAMES)
def test_every_policy_denies_and_fails_closed(name: str) -> None:
    policies = {body["metadata"]["name"]: body["spec"] for body in of(name, "ValidatingAdmissionPolicy")}
    bound = {body["spec"]["policyName"]: body["spec"] for body in of(name, "ValidatingAdmissionPolicyBinding")}
    assert policies.keys() == bound.keys()
    assert len(policies) == 11
    assert {spec["failurePolicy"] for spec in policies.values()} == {"Fail"}
    assert all(spec["validationActions"] == ["Deny"] for spec in bound.values())


CONTROLLERS = {"argo-events": "kre-pipeline", "argo-workflows": "kre-responses"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("chart", CONTROLLERS)
def test_a_controller_has_roles_in_its_own_two_namespaces_and_no_chart_adds_to_them(name: str, chart: str) -> None:
    given = values(name, chart)
    assert given["createAggregateRoles"] is False
    if chart == "argo-events":
        rbac = {"enabled": False, "namespaced": True, "managedNamespace": CONTROLLERS[chart]}
        assert given["controller"]["rbac"] == rbac
    else:
        assert given["controller"]["rbac"] == {"create": False}
        assert given["controller"]["extraArgs"] == ["--namespaced", "--managed-namespace", CONTROLLERS[chart]]
    bindings = [
        body
        for body in of(name, "RoleBinding")
        if any(subject.get("namespace") == chart for subject in body["subjects"])
    ]
    assert {body["metadata"]["namespace"] for body in bindings} == {chart, CONTROLLERS[chart]}
    assert {body["roleRef"]["kind"] for body in bindings} == {"Role"}


def test_neither_controller_may_exec_and_the_workflow_controller_reads_no_secret() -> None:
    for chart, namespace in CONTROLLERS.items():
        (role,) = [
            body
            for body in of("dev", "Role")
            if (body["metadata"]["name"], body["metadata"]["namespace"]) == (chart, namespace)
        ]
        resources = {resource for rule in role["rules"] for resource in rule["resources"]}
        assert "pods/exec" not in resources
        assert ("secrets" in resources) == (chart == "argo-events")


def test_the_places_that_docs_say_to_patch_are_what_they_are_taken_for() -> None:
    """Where Argo CD is elsewhere, or the groups have other names (docs/operate.md)."""
    code, approve, workflows = (
        one("dev", "ValidatingAdmissionPolicy", f"kre-engine-{name}")["spec"]
        for name in ("code", "approve", "workflows")
    )
    names = ("argocd", "approvers", "approver", "operator")
    places = (code["variables"][0], approve["matchConditions"][0], workflows["variables"][1], workflows["variables"][2])
    assert tuple(place["name"] for place in places) == names
    page = (PROJECT / "docs/operate.md").read_text()
    for path in ("variables/0", "matchConditions/0", "variables/1", "variables/2"):
        assert f"/spec/{path}/expression" in page
    for name in ("approver", "operator"):
        assert one("dev", "RoleBinding", name)["subjects"][0]["name"] == f"kre-{name}s"
