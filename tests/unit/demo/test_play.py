"""An alert's way without a cluster, with small stand-ins for the dispatcher and the responder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from demo.apiserver import Fault, Request, pod, trouble
from demo.identity import rights
from demo.play import Decision, follow, play
from demo.stage import Stage
from kre.errors import ToolError
from kre.model.resource import Resource

HERE = Path(__file__).parent / "engine"
UID = "7f9d2c1e-5b3a-4e8f-9c6d-0a1b2c3d4e01"
FIELDS = {"k8s.ns.name": "shop", "k8s.pod.name": "web", "k8s.pod.uid": UID, "container.full_id": "3b8f"}
ALERT = {"rule": "Terminal shell in container", "priority": "Notice", "uuid": "u-1", "output_fields": FIELDS}


def resource(body: dict[str, Any], *, generated: bool = False) -> Resource:
    return Resource(body, "engine.yaml", "engine", "dev", body["metadata"].get("namespace", ""), generated)


def code(name: str, namespace: str, file: str, text: str = "") -> Resource:
    data = {file: text or (HERE / file).read_text()}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}
    return resource(body, generated=True)


def engine(dispatcher: str = "") -> list[Resource]:
    found = [resource(body) for body in yaml.safe_load_all((HERE / "engine.yaml").read_text())]
    made = code("dispatcher-code-5k2h9tbf7m", "kre-pipeline", "dispatcher.py", dispatcher)
    return [*found, made, code("responder-code", "kre-responses", "responder.py")]


def about(**fields: Any) -> dict[str, Any]:
    return ALERT | {"output_fields": FIELDS | {key.replace("_", "."): value for key, value in fields.items()}}


def test_an_alert_takes_its_whole_way() -> None:
    with Stage(engine(), [pod("shop", "web", UID), pod("shop", "web-2")]) as stage:
        played = play(stage, "delete-pod", ALERT, received="2026-07-23T08:00:00Z")
        assert (played.stopped_by, played.status) == (None, 200)
        (line,) = played.records
        assert line == {
            "outcome": 200,
            "path": "/respond",
            "namespace": "shop",
            "pod": "web",
            "uid": UID,
            "container": "3b8f",
            "rule": "Terminal shell in container",
            "alert": "u-1",
            "time": "2026-07-23T08:00:00Z",
        }
        (ran,) = played.workflows
        assert (ran.name, ran.phase) == (f"delete-pod-{UID}", "Succeeded")
        assert [name for name, _ in ran.nodes] == ["act", "act", "respond", "exit"], "the second act: it was deleted"
        first, second = ran.records
        assert (first["outcome"], second["outcome"]) == ("deleted", "404")
        assert (first["KRE_WORKFLOW"], first["KRE_POD"], first["KRE_MODE"]) == (ran.name, "web", "enforce")
        assert (first["allowed"], "KRE_HOOK" in first) == ("enforce", False)
        assert stage.server.changes == [
            ("create", "workflows", "kre-responses", ran.name),
            ("delete", "pods", "shop", "web"),
        ]
        assert stage.server.state.all("leases")[0]["metadata"]["name"] == "target-shop"
        assert play(stage, "delete-pod", ALERT).workflows == (), "the name is taken"


@pytest.mark.parametrize(
    ("alert", "path"),
    [
        (about(k8s_ns_name="shop\n"), r"body.output_fields.k8s\.ns\.name"),
        (about(k8s_ns_name="workshop"), r"body.output_fields.k8s\.ns\.name"),
        (about(k8s_ns_name=None), r"body.output_fields.k8s\.ns\.name"),
        ({"rule": "x"}, r"body.output_fields.k8s\.ns\.name"),
        (ALERT | {"rule": "Terminal shell in container again"}, "body.rule"),
        (ALERT | {"priority": 3}, "body.priority"),
    ],
)
def test_a_filter_stops_it(alert: dict[str, Any], path: str) -> None:
    with Stage(engine()) as stage:
        assert play(stage, "delete-pod", alert).stopped_by == path
        assert stage.server.state.requests == []


def test_a_field_with_a_default_may_be_missing_and_no_other() -> None:
    fields = {key: value for key, value in FIELDS.items() if key != "container.full_id"}
    with Stage(engine(), [pod("shop", "web", UID)]) as stage:
        assert play(stage, "delete-pod", ALERT | {"output_fields": fields}).records[0]["container"] == ""
        del fields["k8s.pod.name"]
        with pytest.raises(KeyError):
            play(stage, "delete-pod", ALERT | {"output_fields": fields})


def test_each_has_the_rights_that_are_rendered_and_no_more() -> None:
    with Stage(engine(), [pod("till", "web", UID)]) as stage:
        (ran,) = play(stage, "delete-pod", about(k8s_ns_name="till")).workflows
        assert (ran.phase, ran.records[0]["outcome"]) == ("Failed", "403")
        assert (ran.records[1]["KRE_STEP"], ran.records[1]["KRE_STATUS"]) == ("record", "Failed")
        assert [one.path for one in stage.server.state.refused] == ["/api/v1/namespaces/till/pods/web"]
        assert ("till", "web") in stage.server.state.pods
    without = [one for one in engine() if one.name != "dispatcher-workflows"]
    with Stage(without, [pod("shop", "web", UID)]) as stage:
        played = play(stage, "delete-pod", ALERT, tries=2)
        assert (played.status, len(played.records), played.workflows) == (503, 2, ())


@pytest.mark.parametrize(
    ("decision", "phase", "outcomes"),
    [
        (Decision("ann"), "Succeeded", ["deleted", "404"]),
        (Decision("ann", approves=False), "Failed", ["recorded"]),
        (None, "Running", []),
    ],
)
def test_a_person_decides(decision: Decision | None, phase: str, outcomes: list[str]) -> None:
    with Stage(engine(), [pod("shop", "web", UID)]) as stage:
        (stage.settings["kre-pipeline"] / "mode").write_text("approve")
        (ran,) = play(stage, "delete-pod", ALERT, decision=decision).workflows
        assert (ran.phase, [one["outcome"] for one in ran.records]) == (phase, outcomes)
        assert (("shop", "web") in stage.server.state.pods) is (phase != "Succeeded")
        by = [json.loads(one["KRE_ANNOTATIONS"]).get("kre/approved-by") for one in ran.records]
        assert by == ["ann"] * len(by)


def test_a_workflow_that_a_person_made_is_run() -> None:
    with Stage(engine(), [pod("shop", "web", UID)]) as stage:
        made = {
            "metadata": {"name": "by-hand", "namespace": "kre-responses", "uid": "u", "annotations": {"a": "b"}},
            "spec": {
                "workflowTemplateRef": {"name": "delete-pod"},
                "arguments": {
                    "parameters": [{"name": "namespace", "value": "shop"}, {"name": "pod", "value": "{{x}}"}]
                },
            },
        }
        assert follow(stage, made).phase == "Error", "mode was not supplied"
        made["spec"]["arguments"]["parameters"].append({"name": "mode", "value": "enforce"})
        assert follow(stage, made).phase == "Error", "a value that holds a tag"
        made["spec"]["arguments"]["parameters"][1]["value"] = "web"
        ran = follow(stage, made)
        assert (ran.phase, json.loads(ran.records[0]["KRE_ANNOTATIONS"])["a"]) == ("Succeeded", "b")


@pytest.mark.parametrize("text", ["raise SystemExit(1)", "print('hello', flush=True)", "print('{}', flush=True)"])
def test_a_dispatcher_that_does_not_start_is_told(text: str) -> None:
    with pytest.raises(ToolError, match="did not say where it listens"), Stage(engine(text)):
        pass


def test_a_fault_meets_the_engine() -> None:
    def fault(request: Request, number: int) -> Fault | None:
        return trouble(500, after=True) if request.resource == "workflows" and number == 0 else None

    with Stage(engine(), [pod("shop", "web", UID)], fault=fault) as stage:
        played = play(stage, "delete-pod", ALERT)
        assert [line["outcome"] for line in played.records] == [503, 200], "the Sensor came again, and found it made"
        assert [ran.phase for ran in played.workflows] == ["Succeeded"]


def test_rights_come_from_bindings_of_that_very_account() -> None:
    from demo.apiserver.request import parse

    known: Callable[[str], Any] = lambda name: rights(engine(), "kre-responses", name)  # noqa: E731
    asked = parse("DELETE", "/api/v1/namespaces/shop/pods/web")
    assert (known("delete-pod")(asked), known("other")(asked)) == (True, False)
    assert rights(engine(), "shop", "delete-pod")(asked) is False
