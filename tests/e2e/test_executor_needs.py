"""The executor's row of the table, on a cluster with the workflow controller: with both verbs a result comes back (all
of test_responses.py shows it), without either of them none does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.engine import DEMO, ENDED, RESPONSES, Engine
from e2e.kubectl import wait

pytestmark = pytest.mark.e2e
VERBS = ("create", "patch")


@pytest.fixture(params=VERBS)
def lacking(up: Engine, request: pytest.FixtureRequest) -> Iterator[str]:
    """The verb that the executor has lost, until it gets it back."""
    rules = up.cluster.get("role", "executor", RESPONSES)["rules"]
    assert [(rule["resources"], sorted(rule["verbs"])) for rule in rules] == [(["workflowtaskresults"], list(VERBS))]
    left = [{**rules[0], "verbs": [verb for verb in VERBS if verb != request.param]}]
    up.cluster.merge("role", "executor", RESPONSES, {"rules": left})
    yield request.param
    up.cluster.merge("role", "executor", RESPONSES, {"rules": rules})


def test_without_one_verb_no_result_comes_back(engine: Engine, lacking: str) -> None:
    name, uid = engine.victim()
    said = engine.send("notify", DEMO, name, uid)
    assert said["outcome"] == "dispatched"
    workflow = said["workflow"]
    try:
        wait("the responder's record", lambda: engine.said(said["alert"], "responder"))
        wait("the end of its pod", lambda: _ended(engine, workflow))
        wait(
            "what the controller makes of it", lambda: _results(engine, workflow) or engine.phase(workflow) in ENDED, 15
        )
    except AssertionError:
        assert engine.phase(workflow) not in ENDED, lacking  # it waits for a result that does not come
    finally:
        phase, results = engine.phase(workflow), _results(engine, workflow)
        engine.cluster.run("-n", RESPONSES, "delete", "workflow", workflow)
    assert (phase == "Succeeded", results) == (False, []), lacking


def _ended(engine: Engine, workflow: str) -> bool:
    pods = engine.cluster.list("pods", RESPONSES, f"workflows.argoproj.io/workflow={workflow}")
    return bool(pods) and any(pod["status"].get("phase") in ("Succeeded", "Failed") for pod in pods)


def _results(engine: Engine, workflow: str) -> list[str]:
    """The records that came back as an output of its steps."""
    nodes = engine.workflow(workflow).get("status", {}).get("nodes", {}).values()
    outputs = [entry for node in nodes for entry in node.get("outputs", {}).get("parameters", [])]
    return [entry["value"] for entry in outputs if entry["name"] == "record" and entry.get("value")]
