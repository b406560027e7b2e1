"""Mode approve: a person decides, and nothing but the decision is that person's to write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.beside import Beside
from e2e.engine import DEMO, RESPONSES, Engine
from e2e.kubectl import Cluster, Object, wait
from e2e.test_responses import others_are_untouched, start_release, state

pytestmark = pytest.mark.e2e
beside = Beside()
MODES = ("delete_pod__mode", "isolate_pod__mode", "contain_pod__mode")
ANNA = Cluster("anna", "kre-approvers", "system:authenticated")


@pytest.fixture(scope="module")
def approve(up: Engine) -> Iterator[Engine]:
    up.set(**dict.fromkeys(MODES, "approve"))
    up.forget()
    yield up
    up.set(**dict.fromkeys(MODES, None))


def suspended(engine: Engine, workflow: str) -> str:
    """The id of the node that waits for a person, once it does."""

    def waiting() -> str | None:
        nodes = engine.workflow(workflow).get("status", {}).get("nodes", {})
        return next(
            (key for key, node in nodes.items() if (node["type"], node["phase"]) == ("Suspend", "Running")), None
        )

    found: str = wait(f"{workflow} to wait", waiting)
    return found


def decision(node: str, phase: str, by: str = "anna") -> Object:
    """What docs/operate.md tells an approver to send."""
    return {
        "metadata": {"annotations": {"kre/approved-by": by}},
        "status": {"nodes": {node: {"phase": phase}}},
    }


def asked(engine: Engine, response: str = "delete-pod") -> tuple[str, str, str]:
    """(uid, Workflow, node) of a response that waits; the pod is as it was."""
    name, uid = engine.victim()
    before = state(engine)
    said = engine.send(response, DEMO, name, uid)
    assert (said["outcome"], said["mode"]) == ("dispatched", "approve")
    node = suspended(engine, said["workflow"])
    shown = {entry["name"]: entry["value"] for entry in _node(engine, said["workflow"], node)["inputs"]["parameters"]}
    assert (shown["namespace"], shown["pod"], shown["uid"], shown["rule"]) == (DEMO, name, uid, said["rule"])
    assert state(engine)[uid] == before[uid]
    others_are_untouched(engine, before)
    return uid, said["workflow"], node


def _node(engine: Engine, workflow: str, node: str) -> Object:
    found: Object = engine.workflow(workflow)["status"]["nodes"][node]
    return found


@beside
def test_approved(approve: Engine) -> None:
    uid, workflow, node = asked(approve)
    ANNA.merge("workflow", workflow, RESPONSES, decision(node, "Succeeded"))
    record = approve.finish(workflow)
    assert (record["outcome"], record["by"], record["uid"]) == ("deleted", "anna", uid)
    wait("the end of the pod", lambda: uid not in approve.cluster.running(DEMO))


@beside
def test_the_fast_lane_waits_too(approve: Engine) -> None:
    uid, workflow, node = asked(approve, "isolate-pod")
    ANNA.merge("workflow", workflow, RESPONSES, decision(node, "Succeeded"))
    assert approve.finish(workflow)["outcome"] == "isolated"
    pod = next(item for item in approve.cluster.list("pods", DEMO) if item["metadata"]["uid"] == uid)
    assert pod["metadata"]["labels"] == {"kre/quarantine": "true"}
    approve.cluster.run("-n", DEMO, "delete", "pod", pod["metadata"]["name"], "--wait=false")


@beside
def test_rejected(approve: Engine) -> None:
    uid, workflow, node = asked(approve)
    ANNA.merge("workflow", workflow, RESPONSES, decision(node, "Failed"))
    record = approve.finish(workflow)
    assert (record["outcome"], record["by"]) == ("rejected", "anna")
    (event,) = approve.events(DEMO, workflow)
    assert event["reason"] == "KreRejected"
    assert uid in approve.cluster.running(DEMO)


@beside
def test_nobody_in_time_and_then_too_late(approve: Engine) -> None:
    response = "contain-pod"  # which no other of these has
    short: Object = {"spec": {"activeDeadlineSeconds": 8}}
    approve.cluster.merge("workflowtemplate", response, RESPONSES, short)
    try:
        uid, workflow, node = asked(approve, response)
        record = approve.finish(workflow)
    finally:
        approve.cluster.merge("workflowtemplate", response, RESPONSES, {"spec": {"activeDeadlineSeconds": 3600}})
    assert (record["outcome"], record["by"]) == ("timed-out", "")
    code, _, error = ANNA.merge("workflow", workflow, RESPONSES, decision(node, "Succeeded"), check=False)
    assert code != 0
    assert "a node of type Suspend from Running" in error
    assert uid in approve.cluster.running(DEMO)


MADE_UP = {"id": "made-up", "name": "made-up", "displayName": "made-up", "type": "Suspend", "phase": "Succeeded"}
TAMPERED: dict[str, Any] = {
    "another's name": lambda node: decision(node, "Succeeded", by="boss"),
    "no name": lambda node: {"status": {"nodes": {node: {"phase": "Succeeded"}}}},
    "the arguments": lambda node: decision(node, "Succeeded") | {"spec": {"arguments": {"parameters": []}}},
    "the deadline": lambda node: decision(node, "Succeeded") | {"spec": {"activeDeadlineSeconds": 9}},
    "a label": lambda node: {
        **decision(node, "Succeeded"),
        "metadata": {"annotations": {"kre/approved-by": "anna"}, "labels": {"x": "y"}},
    },
    "a made up phase": lambda node: decision(node, "Omitted"),
    "a new node": lambda node: {
        "metadata": {"annotations": {"kre/approved-by": "anna"}},
        "status": {"nodes": {node: {"phase": "Succeeded"}, "made-up": MADE_UP}},
    },
    "the whole phase": lambda node: {
        "metadata": {"annotations": {"kre/approved-by": "anna"}},
        "status": {"phase": "Succeeded", "nodes": {node: {"phase": "Succeeded"}}},
    },
    "the inputs": lambda node: {
        "metadata": {"annotations": {"kre/approved-by": "anna"}},
        "status": {"nodes": {node: {"phase": "Succeeded", "inputs": {"parameters": []}}}},
    },
}


@beside
def test_tampering_with_anything_else(approve: Engine) -> None:
    uid, workflow, node = asked(approve)
    for what, make in TAMPERED.items():
        code, _, error = ANNA.merge("workflow", workflow, RESPONSES, make(node), check=False)
        assert code != 0, f"anna changed {what}"
        assert "ValidatingAdmissionPolicy" in error, f"{what}: {error}"
    for person, verb in ((Cluster("eve", "system:authenticated"), "patch"), (ANNA, "delete")):
        arguments = (
            ("--type=merge", f"--patch={json.dumps(decision(node, 'Succeeded', 'eve'))}") if verb == "patch" else ()
        )
        code, _, error = person.try_run("-n", RESPONSES, verb, "workflow", workflow, *arguments)
        assert code != 0, f"{verb} was allowed"
        assert "forbidden" in error
    assert uid in approve.cluster.running(DEMO)
    assert approve.phase(workflow) == "Running"
    ANNA.merge("workflow", workflow, RESPONSES, decision(node, "Failed"))
    assert approve.finish(workflow)["outcome"] == "rejected"


@beside
def test_what_waits_blocks_no_other_response(approve: Engine) -> None:
    """The lock on a pod is held by the step that acts, not by the Workflow."""
    uid, workflow, node = asked(approve)
    name = next(name for known, name in approve.cluster.running(DEMO).items() if known == uid)
    assert approve.respond("notify", DEMO, name, uid)["outcome"] == "notified"
    ANNA.merge("workflow", workflow, RESPONSES, decision(node, "Failed"))
    approve.finish(workflow)


@beside
def test_only_operators_release_and_only_in_their_own_name(approve: Engine) -> None:
    name, uid = approve.victim()
    for user, group in (("eve", "system:authenticated"), ("anna", "kre-approvers")):
        assert start_release(name, uid, user, group)[0] != 0
    forged: Object = {"spec": {"workflowTemplateRef": {"name": "delete-pod"}}}
    code, _, error = start_release(name, uid, "olga", "kre-operators", **forged)
    assert code != 0
    assert "ValidatingAdmissionPolicy" in error
    code, workflow, error = start_release(name, uid, "olga", "kre-operators")
    assert code == 0, error
    record = approve.finish(workflow)
    assert (record["outcome"], record["reason"], record["by"]) == ("refused", "the pod is not isolated", "olga")
