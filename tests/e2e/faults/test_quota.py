"""A namespace that is full: nothing is lost, and it goes on by itself when there is room again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from e2e.engine import DEMO, RESPONSES, Engine
from e2e.kubectl import alert, wait

pytestmark = pytest.mark.e2e
OTHER = "00000000-0000-4000-8000-000000000003"


@contextmanager
def full(engine: Engine, what: str) -> Iterator[None]:
    """No room for one more of these."""
    metadata = {"name": "full", "namespace": RESPONSES}
    made = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {what: "0"}}}
    engine.cluster.apply(json.dumps(made))
    try:
        wait(
            "the quota",
            lambda: what in engine.cluster.get("resourcequota", "full", RESPONSES)["status"].get("hard", {}),
        )
        yield
    finally:
        engine.cluster.run("-n", RESPONSES, "delete", "resourcequota", "full")


def test_a_workflow_waits_until_there_is_room_for_its_pod(engine: Engine) -> None:
    with full(engine, "pods"):
        said = engine.send("label-pod", DEMO, "quota-pods", OTHER)
        assert said["outcome"] == "dispatched"

        def told() -> list[str]:
            nodes = engine.workflow(said["workflow"]).get("status", {}).get("nodes", {}).values()
            return [node["message"] for node in nodes if "exceeded quota" in node.get("message", "")]

        wait("a word about the quota", told)
        assert engine.phase(said["workflow"]) in ("Running", "Pending")
    assert engine.finish(said["workflow"])["outcome"] == "gone"


def test_an_alert_waits_until_there_is_room_for_its_workflow(engine: Engine) -> None:
    """The dispatcher says that it failed, and why; the Sensor asks again for a minute."""
    made = alert("label-pod", DEMO, "quota-workflows", OTHER)
    with full(engine, "count/workflows.argoproj.io"):
        assert engine.cluster.post(made) == "200"
        said = wait("its record", lambda: engine.said(made["uuid"]))
        assert {record["outcome"] for record in said} == {"failed"}
        assert "403" in said[-1]["reason"]
    last = wait("its Workflow", lambda: [each for each in engine.said(made["uuid"]) if each["outcome"] != "failed"], 60)
    assert [record["outcome"] for record in last] == ["dispatched"]
    assert engine.finish(last[0]["workflow"])["outcome"] == "gone"
