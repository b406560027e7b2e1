"""Who runs, wherever it is named."""

from __future__ import annotations

import pytest

from kre.model.bundle import Bundle
from kre.model.resource import Resource
from kre.rbac.identities import identities

WORKFLOW = {"kind": "Workflow", "metadata": {"namespace": "wf"}}


def found(kind: str, spec: object, *others: Resource, **more: object) -> set[str]:
    body = {"apiVersion": "x/v1", "kind": kind, "metadata": {"name": "it"}, "spec": spec, **more}
    item = Resource(body, "it.yaml", "it.yaml", namespace="" if kind == "ClusterWorkflowTemplate" else "ns")
    return {
        f"{one.namespace}/{one.name}{'?' if use.implied else ''}"
        for one in identities(Bundle(root=None), [item, *others])
        for use in one.uses
    }


@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job"])
def test_what_makes_pods(kind: str) -> None:
    assert found(kind, {"template": {"spec": {"serviceAccountName": "a"}}}) == {"ns/a"}
    assert found(kind, {"template": {"spec": {"serviceAccount": "old"}}}) == {"ns/old"}
    assert found(kind, {"template": {"spec": {}}}) == {"ns/default?"}


def test_pods_and_cronjobs() -> None:
    assert found("Pod", {"serviceAccountName": "a"}) == {"ns/a"}
    assert found("CronJob", {"jobTemplate": {"spec": {"template": {"spec": {"serviceAccountName": "a"}}}}}) == {"ns/a"}
    assert found("PodTemplate", None, template={"spec": {"serviceAccountName": "a"}}) == {"ns/a"}


@pytest.mark.parametrize("kind", ["Sensor", "EventSource"])
def test_argo_events(kind: str) -> None:
    assert found(kind, {"template": {"serviceAccountName": "a"}}) == {"ns/a"}
    assert found(kind, {}) == {"ns/default?"}


def test_buses() -> None:
    assert found("EventBus", {"jetstream": {"serviceAccountName": "a"}}) == {"ns/a"}
    assert found("EventBus", {"jetstream": {"version": "x"}}) == {"ns/default?"}
    assert found("EventBus", {"nats": {"native": {}}}) == {"ns/default?"}
    assert found("EventBus", {"jetstreamExotic": {"url": "x"}}) == set()


@pytest.mark.parametrize("kind", ["Workflow", "WorkflowTemplate"])
def test_workflows_in_all_their_places(kind: str) -> None:
    spec = {
        "serviceAccountName": "main",
        "executor": {"serviceAccountName": "executor"},
        "templateDefaults": {"serviceAccountName": "defaults"},
        "artifactGC": {"serviceAccountName": "gc"},
        "podSpecPatch": "serviceAccountName: patched",
        "templates": [
            {"serviceAccountName": "one", "executor": {"serviceAccountName": "two"}},
            {"podSpecPatch": '{"serviceAccountName":"json"}'},
            {"resource": {"manifest": "kind: Pod\nspec:\n  serviceAccountName: made\n  x: {{inputs.parameters.y}}\n"}},
            {"outputs": {"artifacts": [{"artifactGC": {"serviceAccountName": "art"}}]}},
        ],
    }
    names = "main executor defaults gc patched one two json made art".split()
    assert found(kind, spec) == {f"ns/{name}" for name in names}


def test_workflows_that_name_nobody() -> None:
    assert found("Workflow", {"entrypoint": "x"}) == {"ns/default?"}
    assert found("Workflow", {"workflowTemplateRef": {"name": "x"}}) == set()
    assert found("CronWorkflow", {"workflowSpec": {"templates": []}}) == {"ns/default?"}
    assert found("CronWorkflow", {"workflowSpec": {"serviceAccountName": "a"}}) == {"ns/a"}


def test_a_template_of_the_whole_cluster_is_in_each_namespace_that_has_the_account() -> None:
    others = [
        Resource({"kind": "ServiceAccount", "metadata": {"name": name}}, "", "", namespace=space)
        for space, name in (("a", "one"), ("b", "one"), ("c", "two"))
    ]
    assert found("ClusterWorkflowTemplate", {"serviceAccountName": "one"}, *others) == {"a/one", "b/one"}


@pytest.mark.parametrize("kind", ["k8s", "argoWorkflow"])
def test_workflows_inside_of_sensors(kind: str) -> None:
    def sensor(source: object) -> dict:
        trigger = {"template": {kind: {"operation": "create", "source": source}}}
        return {"template": {"serviceAccountName": "sensor"}, "triggers": [trigger, {"dlqTrigger": trigger}]}

    inside = {"resource": {**WORKFLOW, "spec": {"serviceAccountName": "inner"}}}
    assert found("Sensor", sensor(inside)) == {"ns/sensor", "wf/inner"}
    assert found("Sensor", sensor({"resource": {**WORKFLOW, "spec": {}}})) == {"ns/sensor", "wf/default?"}
    text = "kind: Workflow\nspec:\n  serviceAccountName: text\n"
    assert found("Sensor", sensor({"inline": text})) == {"ns/sensor", "ns/text"}


def test_a_name_with_a_parameter_may_be_any() -> None:
    item = Resource({"kind": "Workflow", "spec": {"serviceAccountName": "{{workflow.name}}"}}, "", "", namespace="ns")
    (one,) = identities(Bundle(root=None), [item])
    assert one.parameterised


def test_whom_argo_cd_acts_as() -> None:
    entries = [{"namespace": "there", "defaultServiceAccount": "a"}, {"defaultServiceAccount": "own:b"}]
    assert found("AppProject", {"destinationServiceAccounts": entries}) == {"there/a", "own/b"}
