"""The record is complete: the quota is full, images are missing, Workflows are refused and deleted, the controller is
away, the recorder is killed and the sink is away; and each Workflow has its line, and none went before it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from e2e.beside import Beside
from e2e.controllers import without_workflows
from e2e.engine import DEMO, DISPATCHER, PIPELINE, RESPONSES, Engine
from e2e.faults.test_quota import full
from e2e.kubectl import Object, alert, wait
from e2e.recording import Recording, recording
from kre.record.account import close, parse

pytestmark = pytest.mark.e2e
COUNT = 12  # below the cap
beside = Beside()


@pytest.fixture(scope="module")
def record(up: Engine) -> Iterator[Recording]:
    with recording(up) as made:
        yield made


def sent(engine: Engine, response: str = "label-pod", **changes: Any) -> Object:
    """The dispatcher's record of an alert about a pod that is not there."""
    said = engine.send(response, DEMO, f"record-{uuid.uuid4().hex[:8]}", str(uuid.uuid4()), **changes)
    assert said["outcome"] == "dispatched", said
    return said


def delete(engine: Engine, workflow: str) -> None:
    engine.cluster.run("-n", RESPONSES, "delete", "workflow", workflow, "--timeout=120s")


@beside
def test_an_action_and_what_was_none(engine: Engine, record: Recording) -> None:
    name, uid = engine.victim()
    said = engine.send("label-pod", DEMO, name, uid)
    end = record.end(said["workflow"])
    assert (end["outcome"], end["alert"], end["uid"]) == ("labelled", said["alert"], uid)
    assert record.end(sent(engine)["workflow"])["outcome"] == "gone"


def test_each_workflow_is_held_until_its_line_is_written(engine: Engine, record: Recording) -> None:
    with record.away():
        workflow = sent(engine)["workflow"]
        engine.finish(workflow)
        engine.cluster.run("-n", RESPONSES, "delete", "workflow", workflow, "--wait=false")
        time.sleep(3)
        assert workflow in record.held(), "the sink has not got it, so it may not go"
        assert workflow not in record.ends()
    assert record.end(workflow)["outcome"] == "gone"
    wait("it to be gone", lambda: engine.cluster.try_get("workflow", workflow, RESPONSES) is None)


def test_the_quota_is_full_and_the_workflow_is_deleted(engine: Engine, record: Recording) -> None:
    with full(engine, "pods"):
        workflow = sent(engine)["workflow"]

        def refused() -> bool:
            nodes = engine.workflow(workflow).get("status", {}).get("nodes", {}).values()
            return any("exceeded quota" in node.get("message", "") for node in nodes)

        wait("a word of the quota", refused)
        delete(engine, workflow)
        end = record.end(workflow)
    assert (end["outcome"], end["cause"]) == ("never-started", "quota")


@beside
def test_deleted_under_way(engine: Engine, record: Recording) -> None:
    workflow = sent(engine)["workflow"]
    wait("its beginning", lambda: engine.phase(workflow))
    delete(engine, workflow)
    assert record.end(workflow)["outcome"] in ("unrecorded", "never-started", "gone")


def test_the_controller_is_away(engine: Engine, record: Recording) -> None:
    with without_workflows(engine.cluster):
        workflow, later = sent(engine)["workflow"], sent(engine)["workflow"]
        delete(engine, workflow)
        end = record.end(workflow)
    assert (end["outcome"], end["cause"]) == ("never-started", "controller")
    assert record.end(later)["outcome"] == "gone", "it waited"


def by_hand(engine: Engine, template: str, mode: str = "enforce", **spec: Any) -> str:
    """A Workflow of an admin's making, who may make what the dispatcher may not."""
    name = f"{template}-{uuid.uuid4().hex[:20]}"
    values = {"namespace": DEMO, "pod": "record", "rule": "record", "received": "1785000000", "mode": mode}
    values |= {"uid": str(uuid.uuid4()), "alert": str(uuid.uuid4())}
    parameters = [{"name": key, "value": value} for key, value in values.items()]
    made: Object = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name, "namespace": RESPONSES, "finalizers": ["kre/record"]},
        "spec": {"workflowTemplateRef": {"name": template}, "arguments": {"parameters": parameters}} | spec,
    }
    engine.cluster.run("create", "--filename=-", stdin=json.dumps(made))
    return name


def template(engine: Engine, name: str, **spec: Any) -> str:
    """That of label-pod under another name, with an image that there is not unless it is given, and short deadlines."""
    found = engine.cluster.get("workflowtemplate", "label-pod", RESPONSES)
    made = found["spec"] | spec
    for each in made["templates"]:
        if each["name"] in ("act", "record"):
            each["activeDeadlineSeconds"] = 8
            each["container"] |= {"image": "example.invalid/none:1", "imagePullPolicy": "Never"}  # told at once
    metadata = {"name": name, "namespace": RESPONSES}
    whole = {"apiVersion": found["apiVersion"], "kind": "WorkflowTemplate", "metadata": metadata, "spec": made}
    engine.cluster.apply(json.dumps(whole))
    return name


@beside
def test_refused_by_strict(engine: Engine, record: Recording) -> None:
    end = record.end(by_hand(engine, "label-pod", serviceAccountName="delete-pod"))
    assert (end["outcome"], end["cause"], end["phase"]) == ("never-started", "strict", "Error")


@beside
def test_an_image_that_can_not_be_pulled(engine: Engine, record: Recording) -> None:
    name = template(engine, "record-image")
    try:
        end = record.end(by_hand(engine, name), 180)
    finally:
        engine.cluster.run("-n", RESPONSES, "delete", "workflowtemplate", name)
    # Of a step that holds a mutex Argo Workflows 3.7 does not tell why its pod is pending.
    assert (end["outcome"], end["cause"]) in (("never-started", "image"), ("unrecorded", "deadline"))


@beside
def test_a_deadline(engine: Engine, record: Recording) -> None:
    """Nobody decides in time, and the step that would say so can't start either."""
    name = template(engine, "record-deadline", activeDeadlineSeconds=5)
    try:
        end = record.end(by_hand(engine, name, mode="approve"), 180)
    finally:
        engine.cluster.run("-n", RESPONSES, "delete", "workflowtemplate", name)
    assert end["outcome"] == "never-started"
    assert end["cause"] in ("deadline", "image")


def test_killed_while_alerts_flow_and_workflows_go(engine: Engine, record: Recording) -> None:
    """Six times in a stream; every third Workflow is deleted as soon as it is there; the sink is away for a while."""
    made = [
        alert("label-pod", DEMO, f"record-{number}-{uuid.uuid4().hex[:6]}", str(uuid.uuid4()))
        for number in range(COUNT)
    ]
    with ThreadPoolExecutor() as pool:
        stream = pool.submit(_stream, engine, made)
        for number in range(6):
            time.sleep(2)
            if number == 3:
                with record.away():
                    record.kill()
                    time.sleep(2)
            record.kill()
        answers = stream.result()
    record.ready()
    assert set(answers.values()) == {"200"}
    said = {one["uuid"]: wait("its record", lambda one=one: engine.said(one["uuid"]))[-1] for one in made}
    for each in said.values():
        record.end(each["workflow"], 240)
    logs = engine.cluster.logs(PIPELINE, DISPATCHER).splitlines()
    mine = [line for line in parse(logs)[0] if line.get("alert") in said]
    ends = [line for line in record.lines() if line["alert"] in said]
    account = close([*mine, *ends], dict.fromkeys(said, 200), time.time(), grace=0)
    assert account.gaps == ()
    assert (account.counts["sent"], account.counts["dispatched"], account.counts["lost"]) == (COUNT, COUNT, 0)


def _stream(engine: Engine, made: list[Object]) -> dict[str, str]:
    answers = {}
    for number, one in enumerate(made):
        answers[one["uuid"]] = engine.cluster.post(one)
        if number % 3 == 0:
            workflow = wait("its record", lambda one=one: engine.said(one["uuid"]))[-1]["workflow"]
            engine.cluster.run("-n", RESPONSES, "delete", "workflow", workflow, "--wait=false")
        time.sleep(0.5)
    return answers
