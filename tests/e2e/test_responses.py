"""Each response, from Falcosidekick's POST to the pod: it acts on the pod that the alert names, and on no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from e2e.beside import Beside
from e2e.engine import DEMO, RESPONSES, VICTIMS, Engine
from e2e.kubectl import Cluster, Object, wait

pytestmark = pytest.mark.e2e
beside = Beside()  # of its own: a release makes a pod too many, and which of them goes is for their owner to say
ABOUT = "kre/response=delete-pod"
STABLE = ("uid", "name", "labels", "annotations", "ownerReferences", "deletionTimestamp")


def state(engine: Engine) -> dict[str, Object]:
    """uid -> what a response could change of every pod of the demo."""
    pods = [pod["metadata"] for pod in engine.cluster.list("pods", DEMO)]
    return {pod["uid"]: {key: pod.get(key) for key in STABLE} for pod in pods}


def others_are_untouched(engine: Engine, before: dict[str, Object]) -> None:
    """Pods that no alert was about, of this test or of one beside it, are what they were."""
    after, others = state(engine), before.keys() - engine.given
    assert others
    assert {uid: after.get(uid) for uid in others} == {uid: before[uid] for uid in others}


def check_record(engine: Engine, record: Object, response: str, uid: str, outcome: str) -> None:
    """One record: a line, the Workflow's output, an Event on the pod; all of them say the same."""
    assert (record["outcome"], record["response"], record["uid"]) == (outcome, response, uid), record
    assert record["mode"] == "enforce"
    (event,) = engine.events(DEMO, record["workflow"])
    assert event["involvedObject"]["uid"] == uid
    assert event["message"] == f"{response}: {record['reason']}"
    assert event["metadata"]["annotations"]["kre/alert"] == record["alert"]
    (line,) = engine.said(record["alert"], "responder")
    assert line | {"time": 0} == record | {"time": 0}


@beside
def test_delete_pod(engine: Engine) -> None:
    name, uid = engine.victim()
    before = state(engine)
    record = engine.respond("delete-pod", DEMO, name, uid)
    check_record(engine, record, "delete-pod", uid, "deleted")
    wait(f"the end of pod {name}", lambda: uid not in engine.cluster.running(DEMO))
    others_are_untouched(engine, before)
    assert engine.phase(record["workflow"]) == "Succeeded"


@beside
def test_isolate_pod_takes_the_labels_and_release_pod_gives_them_back(engine: Engine) -> None:
    name, uid = engine.victim()
    before = state(engine)
    said = engine.send("isolate-pod", DEMO, name, uid)
    assert (said["outcome"], said["lane"]) == ("dispatched", "labelled")
    record = engine.finish(said["workflow"])
    check_record(engine, record, "isolate-pod", uid, "isolated")
    assert "connections that were open before survive" in record["reason"]
    isolated = state(engine)[uid]
    assert isolated["labels"] == {"kre/quarantine": "true"}
    assert json.loads(isolated["annotations"]["kre/isolated-labels"]) == before[uid]["labels"]
    wait("a replacement", lambda: len(engine.cluster.list("pods", DEMO, "app=victim")) >= VICTIMS)
    others_are_untouched(engine, before)

    released = release(engine, name, uid)
    assert (released["outcome"], released["by"]) == ("released", "olga")
    wait("its labels", lambda: (state(engine).get(uid) or {}).get("labels") in (before[uid]["labels"], None))


def release(engine: Engine, name: str, uid: str, user: str = "olga", group: str = "kre-operators") -> Object:
    """What docs/operate.md tells an operator to do."""
    code, workflow, error = start_release(name, uid, user, group)
    assert code == 0, error
    return engine.finish(workflow)


def start_release(name: str, uid: str, user: str, group: str, **changes: Any) -> tuple[int, str, str]:
    """(exit code, name of the Workflow, standard error) of a create by a person."""
    workflow = f"release-pod-{uid[:8]}{uid[-12:]}"
    values = {"namespace": DEMO, "pod": name, "uid": uid, "rule": "released", "alert": uid, "received": "0"}
    values["mode"] = "enforce"
    made: Object = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "name": workflow,
            "namespace": RESPONSES,
            "labels": {"kre/response": "release-pod"},
            "annotations": {"kre/requested-by": user},
            "finalizers": ["kre/record"],
        },
        "spec": {
            "workflowTemplateRef": {"name": "release-pod"},
            "arguments": {"parameters": [{"name": key, "value": value} for key, value in values.items()]},
        },
    }
    person = Cluster(user, group)
    code, _, error = person.try_run("create", "--filename=-", stdin=json.dumps(made | changes))
    return code, workflow, error


@beside
def test_label_pod(engine: Engine) -> None:
    name, uid = engine.victim()
    before = state(engine)
    record = engine.respond("label-pod", DEMO, name, uid)
    check_record(engine, record, "label-pod", uid, "labelled")
    assert state(engine)[uid]["labels"] == before[uid]["labels"] | {"kre/alert": record["rule"]}
    others_are_untouched(engine, before)


@beside
def test_notify(engine: Engine) -> None:
    name, uid = engine.victim()
    before = state(engine)
    record = engine.respond("notify", DEMO, name, uid)
    check_record(engine, record, "notify", uid, "notified")
    assert state(engine)[uid] == before[uid]
    others_are_untouched(engine, before)


@beside
def test_contain_pod_isolates_records_and_deletes(engine: Engine) -> None:
    name, uid = engine.victim()
    before = state(engine)
    record = engine.respond("contain-pod", DEMO, name, uid)
    assert (record["outcome"], record["action"]) == ("deleted", "delete")
    events = sorted(engine.events(DEMO, record["workflow"]), key=lambda event: event["metadata"]["name"])
    assert [event["reason"] for event in events] == ["KreDeleted", "KreIsolated", "KreNotified"]
    wait(f"the end of pod {name}", lambda: uid not in engine.cluster.running(DEMO))
    others_are_untouched(engine, before)


@beside
def test_contain_pod_leaves_a_protected_pod_alone(engine: Engine) -> None:
    name, uid = engine.victim()
    engine.cluster.run("-n", DEMO, "annotate", "pod", name, "kre/protected=true")
    before = state(engine)
    record = engine.respond("contain-pod", DEMO, name, uid)
    assert (record["outcome"], record["action"]) == ("refused", "isolate")
    assert state(engine)[uid] == before[uid]
    others_are_untouched(engine, before)
    engine.cluster.run("-n", DEMO, "annotate", "pod", name, "kre/protected-")


@beside
def test_the_same_alert_again_makes_no_second_workflow(engine: Engine) -> None:
    """The intake takes the second for another alert, for it is of another container; the dispatcher goes by the pod."""
    name, uid = engine.victim()
    first = engine.send("delete-pod", DEMO, name, uid)
    fields = {"k8s.ns.name": DEMO, "k8s.pod.name": name, "k8s.pod.uid": uid, "container.full_id": "0" * 64}
    second = engine.send("delete-pod", DEMO, name, uid, output_fields=fields)
    assert (first["outcome"], second["outcome"]) == ("dispatched", "deduplicated")
    engine.finish(first["workflow"])
    specs = [json.dumps(item["spec"]) for item in engine.cluster.list("workflows", RESPONSES, ABOUT)]
    assert len([spec for spec in specs if uid in spec]) == 1


@beside
def test_a_pod_is_known_by_its_container_where_the_alert_has_no_uid(engine: Engine) -> None:
    name, uid = engine.victim()
    pod = engine.cluster.get("pod", name, DEMO)
    container = pod["status"]["containerStatuses"][0]["containerID"].rpartition("//")[2]
    fields = {"k8s.ns.name": DEMO, "k8s.pod.name": name, "container.full_id": container}
    record = engine.respond("delete-pod", DEMO, name, uid, output_fields=fields)
    assert (record["outcome"], record["uid"]) == ("deleted", uid)
