"""What the engine refuses, and the record that it leaves of every refusal."""

from __future__ import annotations

import json
import uuid

import pytest

from e2e.beside import plain as beside
from e2e.engine import DEMO, RESPONSES, Engine, deployment
from e2e.kubectl import Object, alert, wait
from e2e.test_responses import others_are_untouched, state

pytestmark = pytest.mark.e2e
FOREVER = ["python3", "-c", "import time; time.sleep(1e6)"]
OTHER = "00000000-0000-4000-8000-000000000000"


def refused_by_responder(engine: Engine, name: str, uid: str, reason: str, response: str = "delete-pod") -> None:
    before = state(engine)
    record = engine.respond(response, DEMO, name, uid)
    assert (record["outcome"], record["uid"]) == ("refused", uid), record
    assert reason in record["reason"]
    (event,) = engine.events(DEMO, record["workflow"])
    assert event["reason"] == "KreRefused"
    assert _of(name, state(engine)) == _of(name, before)
    others_are_untouched(engine, before)


def _of(name: str, pods: dict[str, Object]) -> list[Object]:
    return [pod for pod in pods.values() if pod["name"] == name]


@beside
def test_another_pods_uid(engine: Engine) -> None:
    name, _ = engine.victim()
    refused_by_responder(engine, name, OTHER, "another pod has this name now")


@beside
def test_a_pod_that_is_gone(engine: Engine) -> None:
    record = engine.respond("delete-pod", DEMO, "no-such-pod", OTHER)
    assert (record["outcome"], record["reason"]) == ("gone", "there is no such pod")


@beside
def test_a_pod_that_opted_out(engine: Engine) -> None:
    name, uid = engine.victim()
    engine.cluster.run("-n", DEMO, "annotate", "pod", name, "kre/protected=true")
    refused_by_responder(engine, name, uid, "annotated kre/protected")
    said = engine.send("isolate-pod", DEMO, name, uid)  # and the fast lane sees it too
    assert said["lane"] == "not labelled: the pod is annotated kre/protected"
    assert engine.finish(said["workflow"])["outcome"] == "refused"
    engine.cluster.run("-n", DEMO, "delete", "pod", name, "--wait=false")


def test_a_namespace_that_opted_out(engine: Engine) -> None:
    name, uid = engine.victim()
    engine.cluster.run("annotate", "namespace", DEMO, "kre/protected=true")
    try:
        refused_by_responder(engine, name, uid, "the namespace is annotated")
    finally:
        engine.cluster.run("annotate", "namespace", DEMO, "kre/protected-")


@beside
def test_a_daemonset(engine: Engine) -> None:
    made = deployment("agent", 1, FOREVER)
    made["kind"] = "DaemonSet"
    del made["spec"]["replicas"]
    engine.cluster.apply(json.dumps(made))
    name, uid = _one(engine, "agent")
    refused_by_responder(engine, name, uid, "belongs to a DaemonSet")
    engine.cluster.run("-n", DEMO, "delete", "daemonset", "agent", "--wait=false")


@beside
def test_the_last_healthy_replica(engine: Engine) -> None:
    engine.cluster.apply(json.dumps(deployment("single", 1, FOREVER)))
    name, uid = _one(engine, "single")
    refused_by_responder(engine, name, uid, "0 healthy pods of its owner would be left, 1 must be")
    refused_by_responder(engine, name, uid, "0 healthy pods of its owner", "isolate-pod")
    engine.cluster.run("-n", DEMO, "delete", "deployment", "single", "--wait=false")


def _one(engine: Engine, name: str) -> tuple[str, str]:
    def ready() -> tuple[str, str] | None:
        pods = engine.cluster.list("pods", DEMO, f"app={name}")
        return next((_known(pod) for pod in pods if pod["status"].get("phase") == "Running"), None)

    found: tuple[str, str] = wait(f"pod {name}", ready)
    engine.given.add(found[1])  # it comes and goes with its test
    return found


def _known(pod: dict[str, dict[str, str]]) -> tuple[str, str]:
    return pod["metadata"]["name"], pod["metadata"]["uid"]


@beside
def test_a_namespace_that_is_no_target(engine: Engine) -> None:
    """The Sensor does not let it through: the alert is answered with 200, and nobody hears of it."""
    uid, name = next((uid, name) for uid, name in engine.cluster.running("falco").items() if name == "stranger")
    lost = alert("delete-pod", "falco", name, uid)
    assert engine.cluster.post(lost) == "200"
    marker(engine)
    assert engine.said(lost["uuid"]) == []
    assert uid in engine.cluster.running("falco")


@pytest.mark.parametrize(
    "changes",
    [{"rule": "Test rule"}, {"source": "internal"}, {"priority": "Debug"}, {"uuid": "{{workflow.name}}"}],
    ids=lambda changes: next(iter(changes)),
)
def test_an_alert_that_no_response_is_bound_to(engine: Engine, changes: dict[str, str]) -> None:
    name, uid = engine.victim()
    lost = alert("delete-pod", DEMO, name, uid, **changes)
    assert engine.cluster.post(lost) == "200"
    marker(engine)
    assert engine.said(lost["uuid"]) == []
    assert uid in engine.cluster.running(DEMO)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"k8s.pod.uid": "not-a-uid"}, "uid is not of the form"),
        ({"k8s.pod.uid": None, "container.full_id": None}, "container is not of the form"),
        ({"k8s.pod.uid": "{{inputs.parameters.pod}}"}, "uid is not of the form"),
        ({"k8s.pod.name": "a..b"}, "pod is not of the form"),
    ],
    ids=["uid", "null", "template", "pod"],
)
def test_what_is_no_identifier_ends_at_the_dispatcher(
    engine: Engine, fields: dict[str, str | None], reason: str
) -> None:
    name, uid = engine.victim()
    made = alert("delete-pod", DEMO, name, uid)
    made["output_fields"] |= fields
    assert engine.cluster.post(made) == "200"
    said = wait("its record", lambda: engine.said(made["uuid"]))[-1]
    assert said["outcome"] == "refused"
    assert reason in said["reason"]
    assert uid in engine.cluster.running(DEMO)


def test_the_cap_ends_a_storm(engine: Engine) -> None:
    """More different pods than may be acted on: those beyond are refused, and said so."""
    engine.set(notify__cap="2")
    try:
        outcomes = [engine.send("notify", DEMO, f"storm-{index}", OTHER)["outcome"] for index in range(4)]
        assert outcomes == ["dispatched", "dispatched", "refused", "refused"]
        assert engine.send("label-pod", DEMO, "storm-1", OTHER)["outcome"] == "dispatched"  # another response's count
    finally:
        engine.set(notify__cap=None)


def marker(engine: Engine) -> None:
    """Sends an alert to the same Sensor that does get through: whatever was posted before has been judged by then."""
    name = f"marker-{uuid.uuid4().hex[:8]}"  # another each time, or the intake keeps it back
    assert engine.send("delete-pod", DEMO, name, OTHER)["outcome"] == "dispatched"


@beside
def test_a_pod_of_the_engine_can_not_be_named_at_all(engine: Engine) -> None:
    """Even by a Workflow of an admin's own making, past Sensor and dispatcher."""
    (uid, name), *_ = engine.cluster.running("kre-pipeline").items()
    workflow = "delete-pod-00000000000000000001"
    values = {"namespace": "kre-pipeline", "pod": name, "uid": uid, "rule": "x", "alert": OTHER, "received": "1"}
    parameters = [{"name": key, "value": value} for key, value in (values | {"mode": "enforce"}).items()]
    made = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": workflow, "namespace": RESPONSES},
        "spec": {"workflowTemplateRef": {"name": "delete-pod"}, "arguments": {"parameters": parameters}},
    }
    engine.cluster.run("-n", RESPONSES, "delete", "workflow", workflow, "--ignore-not-found")
    engine.cluster.run("create", "--filename=-", stdin=json.dumps(made))
    record = engine.finish(workflow)
    assert (record["outcome"], record["reason"]) == ("refused", "the namespace is protected")
    assert uid in engine.cluster.running("kre-pipeline")
