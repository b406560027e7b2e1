"""The test alert passes the real Sensors, and for it the engine's own code touches no pod, in any mode."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.sensor import Event, calls, stopped_by
from kre.cluster.alert import DRILL, alert, plan
from kre.cluster.result import Unreadable
from kre.cluster.wanted import Wanted, wanted
from kre.load.bundle import load
from kre.model.resource import Resource
from support.cluster import Double, well
from support.dispatcher import SETTINGS, Local, api, changed, counted, workflows
from support.engine import ACTIONS, Engine, engine, shop
from support.repository import PROJECT

RESPONSES = ("capture-evidence", "contain-pod", "delete-pod", "isolate-pod", "label-pod", "notify", "scale-down")
NOW = "2026-07-23T08:00:00Z"
MODES = ("observe", "approve", "enforce")


@pytest.fixture(scope="module")
def dev() -> Wanted:
    """This repository's environment dev: all of its responses are enabled there."""
    return wanted(load(PROJECT, ["dev"]), "dev")


@pytest.fixture
def acting(tmp_path: Path) -> Iterator[Engine]:
    with engine(tmp_path, shop()) as made:
        yield made


def received(sensor: Resource, target: str, *, known_uid: bool) -> dict[str, Any]:
    """What the Sensor makes of the alert for the dispatcher."""
    event = Event(alert(sensor, target, known_uid=known_uid), NOW)
    secrets = {(f"{sensor.name}-dispatch-token", "authorization"): "Bearer x"}
    assert stopped_by(sensor.body, event) is None
    (call,) = calls(sensor.body, event, secrets)
    made: dict[str, Any] = json.loads(call.body)
    return made


@pytest.mark.parametrize("response", RESPONSES)
def test_it_passes_the_filters_of_its_sensor_and_of_no_other_target(dev: Wanted, response: str) -> None:
    assert set(dev.sensors) == set(RESPONSES)
    sensor = dev.sensors[response]
    assert received(sensor, "kre-demo", known_uid=True)["namespace"] == "kre-demo"
    other = Event(alert(sensor, "kre-doctor", known_uid=True), NOW)
    assert stopped_by(sensor.body, other) == r"body.output_fields.k8s\.ns\.name"


def test_the_drill_goes_first(dev: Wanted) -> None:
    assert alert(dev.sensors["notify"], "kre-demo", known_uid=True)["rule"] == DRILL


def test_no_two_are_about_the_same_pod(dev: Wanted) -> None:
    made = [alert(dev.sensors["notify"], "kre-demo", known_uid=True) for _ in range(50)]
    for key in ("k8s.pod.name", "k8s.pod.uid", "container.full_id"):
        assert len({one["output_fields"][key] for one in made}) == 50
    assert len({one["uuid"] for one in made}) == 50


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lane", ["workflow", "label"])
def test_the_dispatcher_makes_a_workflow_and_touches_no_pod(dev: Wanted, lane: str, mode: str) -> None:
    body = received(dev.sensors["isolate-pod"], "kre-demo", known_uid=True) | {"namespace": "shop"}
    settings = SETTINGS | {"isolate-pod.lane": lane, "mode": mode}
    with api() as server:
        facts = Local(server, settings=settings).take("isolate-pod", **without_time(body))
        assert (facts["outcome"], facts["mode"]) == ("dispatched", mode)
        assert len(workflows(server)) == 1
        assert changed(server, "pods") == []


@pytest.mark.parametrize("mode", MODES)
def test_without_a_uid_the_dispatcher_makes_nothing_and_counts_nothing(dev: Wanted, mode: str) -> None:
    body = received(dev.sensors["delete-pod"], "kre-demo", known_uid=False) | {"namespace": "shop"}
    assert body["uid"] == ""
    with api() as server:
        facts = Local(server, settings=SETTINGS | {"mode": mode}).take("delete-pod", **without_time(body))
        assert (facts["outcome"], facts["reason"]) == ("gone", "there is no such pod")
        assert (workflows(server), server.changes, counted(server)) == ([], [], {})


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("action", ACTIONS)
def test_the_responder_finds_no_pod_and_does_nothing(dev: Wanted, acting: Engine, action: str, mode: str) -> None:
    body = received(dev.sensors["notify"], "kre-demo", known_uid=True)
    environ = {"KRE_ACTION": action, "KRE_MODE": mode, "KRE_POD": body["pod"], "KRE_UID": body["uid"]}
    ran = acting.run(**environ, KRE_ALERT=body["alert"], KRE_WEBHOOK="https://127.0.0.1:1/never")
    assert ran.said == (0, "gone", "there is no such pod")
    assert acting.touched == set()
    assert [event["reason"] for event in acting.events] == ["KreGone"]


def without_time(body: dict[str, Any]) -> dict[str, Any]:
    """For a dispatcher whose clock is its own."""
    return {key: value for key, value in body.items() if key != "time"}


# ---- which response


@pytest.mark.parametrize(
    ("settings", "response", "mode"),
    [
        ({}, "notify", "enforce"),
        ({"mode": "observe"}, "notify", "observe"),
        ({"label-pod.mode": "observe"}, "label-pod", "observe"),
        ({"mode": "approve"}, "notify", "approve"),
        ({"mode": "approve", "delete-pod.mode": "enforce"}, "delete-pod", "enforce"),
        ({"mode": "nonsense", "label-pod.mode": "approve"}, "label-pod", "approve"),
    ],
    ids=str,
)
def test_observe_goes_first_and_approve_last(dev: Wanted, settings: dict[str, str], response: str, mode: str) -> None:
    double = well(dev)
    double.find("ConfigMap", "settings", "kre-pipeline")["data"].update(settings)
    made = plan(double.snapshot(dev))
    assert (made.response, made.mode, made.target) == (response, mode, "kre-demo")
    assert ("k8s.pod.uid" in made.alert["output_fields"]) is (mode != "approve")
    assert made.id not in repr(made)


def test_where_there_is_no_target_the_filters_drop_it(dev: Wanted) -> None:
    double: Double = well(dev)
    double.drop("Namespace", "kre-demo")
    made = plan(double.snapshot(dev))
    assert (made.target, made.alert["output_fields"]["k8s.ns.name"]) == ("", "kre-doctor")


def test_a_filter_that_is_no_list_of_names(dev: Wanted) -> None:
    body = json.loads(json.dumps(dev.sensors["notify"].body).replace("^syscall$", "^sys.*$"))
    sensor = Resource(body, "", "", "dev", "kre-pipeline")
    with pytest.raises(Unreadable, match=r"body\.source is no list of names"):
        alert(sensor, "kre-demo", known_uid=True)
