"""Each check finds a well cluster well, and each trouble that it is there for."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from kre.cluster.checks.run import CHECKS, run
from kre.cluster.result import Result
from kre.cluster.wanted import Wanted
from support.cluster import CANARY, KINDS, Double, secret, synced

Judge = Callable[[str], list[Result]]
PIPELINE, RESPONSES = "kre-pipeline", "kre-responses"


def test_all_is_well(rendered: Wanted, double: Double) -> None:
    results = list(run(double.snapshot(rendered)))
    assert [(one.check, one.status) for one in results] == [(check.name, "ok") for check in CHECKS]
    assert not [item for item in results if item.remedy or not item.found]


def one(results: list[Result]) -> Result:
    assert len(results) == 1, results
    return results[0]


def spec(kind: str, name: str, namespace: str = PIPELINE, **values: Any) -> Callable[[Double], None]:
    return lambda double: double.find(kind, name, namespace)["spec"].update(values)


def status(kind: str, name: str, namespace: str = PIPELINE, **values: Any) -> Callable[[Double], None]:
    return lambda double: double.find(kind, name, namespace)["status"].update(values)


def drop(kind: str, name: str, namespace: str = "") -> Callable[[Double], None]:
    return lambda double: double.drop(kind, name, namespace)


def data(kind: str, name: str, namespace: str = PIPELINE, **values: str | None) -> Callable[[Double], None]:
    def change(double: Double) -> None:
        found = double.find(kind, name, namespace)["data"]
        for key, value in values.items():
            found[key.replace("_", "-")] = value
            if value is None:
                del found[key.replace("_", "-")]

    return change


def pods(label: str, *, ready: int) -> Callable[[Double], None]:
    def change(double: Double) -> None:
        mine = [
            item for item in double.objects if label in item["metadata"].get("labels", {}) and item["kind"] == "Pod"
        ]
        for pod in mine[ready:]:
            pod["status"]["conditions"][0]["status"] = "False"

    return change


def token(name: str, key: str, value: str, namespace: str = PIPELINE) -> Callable[[Double], None]:
    def change(double: Double) -> None:
        double.find("Secret", name, namespace)["data"][key] = base64.b64encode(value.encode()).decode()

    return change


def bound(double: Double) -> None:
    subject = {"kind": "ServiceAccount", "name": "argo-events-controller-manager", "namespace": "argo-events"}
    double.objects.append(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "wide"},
            "subjects": [subject],
        }
    )


def annotated(double: Double) -> None:
    double.find("Namespace", "shop")["metadata"]["annotations"] = {"kre/protected": "true"}


def controllers_know(version: str) -> Callable[[Double], None]:
    config = {"controller-config.yaml": f"eventBus: {{jetstream: {{versions: [{{version: {version}}}]}}}}"}
    return lambda double: double.find("ConfigMap", "argo-events-controller-manager", "argo-events")["data"].update(
        config
    )


def not_sending(double: Double) -> None:
    double.find("Pod", "falcosidekick", "falco")["status"]["conditions"][0]["status"] = "False"


def old(double: Double) -> None:
    double.version = "v1.29.9"


def role(double: Double) -> None:
    double.find("RoleBinding", "kre-dispatcher", "shop")["subjects"] = []


def added_destination(double: Double) -> None:
    double.find("AppProject", "kre-dev", "argocd")["spec"]["clusterResourceBlacklist"] = [{"group": "*"}]


FALSE = [{"type": "Deployed", "status": "False", "message": "no such secret"}]
TROUBLES = {
    "version": [("too old", old, "failed", "1.30 or newer", "upgrade")],
    "controllers": [
        (
            "none",
            drop("Deployment", "argo-events-controller-manager", "argo-events"),
            "failed",
            "has no Deployment",
            "dev-",
        ),
        (
            "down",
            status("Deployment", "argo-workflows-workflow-controller", "argo-workflows", readyReplicas=0),
            "failed",
            "0 of 1 pods",
            "kubectl -n argo-workflows describe",
        ),
        ("rights everywhere", bound, "warning", "ClusterRoleBinding wide", "values"),
    ],
    "bootstrap": [
        (
            "project gone",
            drop("AppProject", "kre-dev", "argocd"),
            "failed",
            "there is none",
            "kubectl apply -k apps/dev",
        ),
        (
            "project changed",
            spec("AppProject", "kre-dev", "argocd", sourceRepos=["*"]),
            "failed",
            "spec.sourceRepos",
            "kubectl diff -k apps/dev",
        ),
        (
            "project with more",
            added_destination,
            "failed",
            "spec.clusterResourceBlacklist",
            "kubectl apply -k apps/dev",
        ),
    ],
    "applications": [
        (
            "out of sync",
            lambda double: double.find("Application", "dev-pipeline", "argocd").update(
                status=synced("OutOfSync", "Degraded", "one of them failed")
            ),
            "failed",
            "OutOfSync, Degraded: one of them failed",
            "status.conditions",
        ),
        (
            "on its way",
            lambda double: double.find("Application", "dev-pipeline", "argocd").update(
                status=synced("Synced", "Progressing")
            ),
            "warning",
            "Synced, Progressing",
            "status",
        ),
        ("missing", drop("Application", "dev-responses", "argocd"), "failed", "there is none", "root"),
    ],
    "namespaces": [("missing", drop("Namespace", "falco"), "failed", "there is none", "applications")],
    "eventbus": [
        ("missing", drop("EventBus", "default", PIPELINE), "failed", "there is none", "dev-pipeline"),
        (
            "false",
            status("EventBus", "default", conditions=FALSE),
            "failed",
            "Deployed is False: no such secret",
            "get",
        ),
        ("not taken up", status("EventBus", "default", conditions=[]), "failed", "has not taken it up", "argo-events"),
        ("one server away", pods("eventbus-name", ready=2), "warning", "2 of 3 pods are ready", "describe pods"),
        ("no majority", pods("eventbus-name", ready=1), "failed", "1 of 3 pods are ready", "describe pods"),
        (
            "unknown version",
            controllers_know("2.8.1"),
            "failed",
            "does not know JetStream 2.10.10, but 2.8.1",
            "values",
        ),
    ],
    "eventsource": [
        ("missing", drop("EventSource", "falco", PIPELINE), "failed", "there is none", "dev-pipeline"),
        ("no pod", pods("eventsource-name", ready=0), "failed", "0 of 1 pods are ready", "Secret"),
    ],
    "sensors": [
        ("missing", drop("Sensor", "delete-pod", PIPELINE), "failed", "there is none", "dev-responses"),
        (
            "false",
            status("Sensor", "delete-pod", conditions=FALSE),
            "failed",
            "no such secret",
            "get sensor delete-pod",
        ),
        ("no pod", pods("sensor-name", ready=0), "failed", "0 of 1 pods are ready", "sensor-name=delete-pod"),
    ],
    "dispatcher": [
        ("missing", drop("Deployment", "dispatcher", PIPELINE), "failed", "there is none", "dev-responses"),
        ("scaled to 0", spec("Deployment", "dispatcher", replicas=0), "failed", "scaled to 0", "scale deployment"),
        ("not ready", status("Deployment", "dispatcher", readyReplicas=0), "failed", "pods are ready", "describe"),
    ],
    "webhook": [
        ("missing", drop("Secret", "falco-webhook-token", PIPELINE), "failed", "there is none", "kre token |"),
        ("other missing", drop("Secret", "falcosidekick-webhook", "falco"), "failed", "there is none", "kre token |"),
        ("changed", token("falco-webhook-token", "token", f"{CANARY}-2"), "failed", "different tokens", "kre token |"),
        ("empty", token("falco-webhook-token", "token", ""), "failed", "no token under key token", "kre token |"),
        (
            "no header",
            token("falcosidekick-webhook", "WEBHOOK_CUSTOMHEADERS", f"X-Token:{CANARY}", "falco"),
            "failed",
            "not of the form `Authorization:Bearer <token>`",
            "kre token |",
        ),
    ],
    "dispatch": [
        (
            "missing",
            drop("Secret", "delete-pod-dispatch-token", PIPELINE),
            "failed",
            "there is none",
            "kre token --response delete-pod | kubectl apply -f -",
        ),
        (
            "bare",
            token("delete-pod-dispatch-token", "authorization", CANARY),
            "failed",
            "not of the form `Bearer <token>`",
            "kre token --response",
        ),
        ("no text", data("Secret", "delete-pod-dispatch-token", authorization="%"), "failed", "no token", "kre token"),
    ],
    "settings": [
        ("mode", data("ConfigMap", "settings", mode="observe"), "failed", "mode is 'observe', rendered is", "by hand"),
        ("missing key", data("ConfigMap", "settings", mode=None), "failed", "mode is missing", "sync"),
        ("new key", data("ConfigMap", "settings", x="1"), "failed", "x is '1', rendered is missing", "sync"),
        ("missing", drop("ConfigMap", "settings", PIPELINE), "failed", "there is none", "dev-responses"),
    ],
    "templates": [
        ("missing", drop("WorkflowTemplate", "delete-pod", RESPONSES), "failed", "there is none", "dev-responses"),
        (
            "changed",
            spec("WorkflowTemplate", "delete-pod", RESPONSES, entrypoint="other"),
            "warning",
            "spec.entrypoint is not as rendered",
            "argocd app diff",
        ),
    ],
    "objects": [
        ("missing", drop("ServiceAccount", "sensor", PIPELINE), "failed", "there is none", "dev-responses"),
        ("service", spec("Service", "falco-eventsource", selector={}), "warning", "spec.selector", "this clone"),
        ("sensor", spec("Sensor", "delete-pod", triggers=[]), "warning", "spec.triggers", "this clone"),
    ],
    "targets": [
        ("missing", drop("Namespace", "shop"), "failed", "no such namespace", "kre target remove shop --env dev"),
        ("unbound", drop("RoleBinding", "kre-delete-pod", "shop"), "failed", "there is none", "dev-targets"),
        ("bound to nobody", role, "failed", "subjects is not as rendered", "dev-targets"),
        ("opted out", annotated, "warning", "kre/protected=true", "annotate"),
        (
            "protected",
            data("ConfigMap", "settings", protected_namespaces="a shop"),
            "failed",
            "never touches",
            "setting",
        ),
    ],
    "senders": [
        ("no falco", drop("Pod", "falco", "falco"), "warning", "there is no pod of it", "dev-falco"),
        ("not ready", not_sending, "warning", "0 of 1 pods are ready", "dev-falcosidekick"),
    ],
}


@pytest.mark.parametrize(
    ("check", "break_it", "status_of_it", "found", "remedy"),
    [pytest.param(name, *rest, id=f"{name}: {what}") for name, cases in TROUBLES.items() for what, *rest in cases],
)
def test_trouble_is_named(
    judge: Judge,
    double: Double,
    check: str,
    break_it: Callable[[Double], None],
    status_of_it: str,
    found: str,
    remedy: str,
) -> None:
    break_it(double)
    result = one(judge(check))
    assert (result.status, found in result.found, remedy in result.remedy) == (status_of_it, True, True), result
    assert result.where
    assert CANARY not in str(result)


def test_two_responses_with_one_token(double: Double, rendered: Wanted) -> None:
    import dataclasses

    from kre.cluster.checks.tokens import dispatch_tokens

    sensor = rendered.sensors["delete-pod"]
    body = {**sensor.body, "metadata": {**sensor.metadata, "name": "other"}, "spec": {"dependencies": []}}
    more = dataclasses.replace(rendered, leaves=(*rendered.leaves, dataclasses.replace(sensor, body=body)))
    double.objects.append(secret(PIPELINE, "other-dispatch-token", authorization=f"Bearer {CANARY}-delete-pod"))
    (trouble,) = dispatch_tokens(double.snapshot(more)).troubles
    assert "it holds the token of delete-pod-dispatch-token" in trouble.found


def test_a_kind_that_is_not_served(double: Double, judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {name: value for name, value in KINDS["argoproj.io/v1alpha1"].items() if name not in ("Sensor", "Workflow")}
    monkeypatch.setitem(KINDS, "argoproj.io/v1alpha1", kinds)
    results = judge("kinds")
    assert {item.where for item in results} == {"Sensor", "Workflow"}
    assert "dev-argo-workflows-crds" in results[1].remedy
    assert one(judge("sensors")).found == "it needs kinds, which failed"


def test_what_may_not_be_read_is_unknown_and_said_once(double: Double, judge: Judge) -> None:
    double.forbidden = {"/secrets", "clusterrolebindings"}
    said = one(judge("rights"))
    assert said.status == "warning"
    assert said.found.startswith("you may not read clusterrolebindings, secrets in falco, secrets in kre-pipeline:")
    assert {one(judge(name)).status for name in ("webhook", "dispatch")} == {"unknown"}
    assert all(item.status == "unknown" for item in judge("controllers"))


def test_what_depends_on_a_failed_one_is_unknown(double: Double, judge: Judge) -> None:
    double.drop("Namespace", PIPELINE)
    results = {name: one(judge(name)) for name in ("eventbus", "eventsource", "dispatcher", "webhook", "settings")}
    assert {(item.status, item.found) for item in results.values()} == {
        ("unknown", "it needs namespaces, which failed")
    }


def test_what_is_alike_is_told_once(double: Double, judge: Judge) -> None:
    for name in ("sensor", "dispatcher", "eventsource"):
        double.drop("ServiceAccount", name, PIPELINE)
    double.drop("ServiceAccount", "delete-pod", RESPONSES)
    names = [item.where for item in judge("objects")]
    assert names[0] == f"ServiceAccount {PIPELINE}/eventsource"
    assert len(names) == 2


def test_no_argo_cd_here(double: Double, judge: Judge) -> None:
    double.drop("Namespace", "argocd")
    assert one(judge("applications")).status == "warning"
    assert "cluster.server" in one(judge("applications")).remedy
    assert one(judge("bootstrap")).status == "ok"


def test_argo_cd_is_a_hub(double: Double, judge: Judge, rendered: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    double.drop("Namespace", "argocd")
    monkeypatch.setitem(rendered.environment.spec["cluster"], "server", "https://dev.example.org")
    assert (one(judge("applications")).status, "hub" in one(judge("applications")).found) == ("ok", True)
