"""What the dispatcher does about an alert: every refusal, the modes, and settings that change while it runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from demo.apiserver import ApiServer, pod
from support.dispatcher import (
    ALERT,
    EDGE,
    SETTINGS,
    UID,
    Local,
    Process,
    alert,
    api,
    changed,
    counted,
    uid,
    workflows,
)

NOW = EDGE + 100
CONTAINERS = {"main": "a" * 64, "side": "b" * 64, "late": ""}


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api() as made:
        yield made


@pytest.fixture
def local(server: ApiServer) -> Local:
    return Local(server)


def at(seconds: float) -> str:
    return datetime.fromtimestamp(NOW + seconds, UTC).isoformat()


def test_the_workflow_holds_what_was_checked_and_nothing_more(local: Local, server: ApiServer) -> None:
    facts = local.take(output="{{workflow.name}}", rule="Terminal shell, in  {{container}}!", container="{{=1}}")
    (made,) = server.state.all("workflows")
    given = made["metadata"].keys() - {"uid", "resourceVersion", "creationTimestamp"}
    assert given == {"name", "namespace", "labels", "finalizers"}
    assert made["metadata"]["finalizers"] == ["kre/record"], "it can't go before its end is recorded"
    assert (made["metadata"]["namespace"], made["metadata"]["labels"]) == (
        "kre-responses",
        {"kre/response": "delete-pod"},
    )
    wanted = {"namespace": "shop", "pod": "web-1", "uid": UID, "rule": "terminal-shell-in-container", "alert": ALERT}
    wanted |= {"received": str(NOW), "mode": "enforce"}
    assert made["spec"] == {
        "workflowTemplateRef": {"name": "delete-pod"},
        "arguments": {"parameters": [{"name": key, "value": value} for key, value in wanted.items()]},
    }
    assert facts.items() >= {**wanted, "workflow": made["metadata"]["name"], "response": "delete-pod"}.items()
    assert (facts["outcome"], facts["reason"]) == ("dispatched", "the Workflow was created")
    assert "output" not in facts


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        *(({key: bad}, key) for key in alert() for bad in (None, 7, ["a"], {"a": "b"}, True)),
        *(
            ({"namespace": bad}, "namespace")
            for bad in ("", "Shop", "shop\n", "a" * 64, "sho p", "-shop", "shop.web", "..")
        ),
        *(
            ({"pod": bad}, "pod")
            for bad in ("", "Web-1", "web-1\n", "a" * 254, "web_1", "../web-1", "web..1", "web-1/log")
        ),
        *(({"uid": bad}, "uid") for bad in (UID.upper(), UID[:-1], f"{UID}\n", "7", "NULL", " ", "None")),
        *(
            ({"uid": "", "container": bad}, "container")
            for bad in ("", "null", "a" * 12, "A" * 64, f"docker://{'a' * 64}")
        ),
        *(({"alert": bad}, "alert") for bad in ("", "null", "{{inputs.parameters.pod}}", ALERT + "0")),
        ({"namespace": "kube-system"}, "protected"),
        ({"namespace": "kube-anything"}, "protected"),
        ({"namespace": "argocd"}, "protected"),
        ({"namespace": "falco"}, "protected"),
        ({"namespace": "kre-pipeline"}, "protected"),
        ({"namespace": "kre-responses"}, "protected"),
        ({"namespace": "vault"}, "protected"),
        ({"namespace": "sho"}, "not a target"),
        ({"namespace": "shop2"}, "not a target"),
        *(
            ({"time": bad}, "old, or from the future")
            for bad in (at(-3601), at(61), at(-1e9), at(1e9), "", "now", "null")
        ),
        *(
            ({"time": bad}, "old, or")
            for bad in (str(NOW), "0001-01-01", "0001-01-01T00:00:00Z", "9999-12-31", "\ud800")
        ),
        *(({"time": bad}, "old, or") for bad in ("٢٠٢٧-01-15T08:01:40Z", "2027-01-15T08:01:60Z", "2" * 253, "\x00")),
    ],
)
def test_refusals_before_the_api_is_asked(
    local: Local, server: ApiServer, changes: dict[str, Any], reason: str
) -> None:
    facts = local.take(**changes)
    assert facts["outcome"] == "refused"
    assert reason in facts["reason"]
    assert server.state.requests == []
    given = {key: value for key, value in {**alert(NOW), **changes}.items() if isinstance(value, str)}
    assert facts.items() >= {"response": "delete-pod", **given}.items()  # the record says what it was about


@pytest.mark.parametrize("key", list(alert()))
def test_every_field_must_be_there(local: Local, server: ApiServer, key: str) -> None:
    body = alert(NOW)
    del body[key]
    facts = local.dispatcher.take("delete-pod", body)
    assert (facts["outcome"], facts["reason"]) == ("refused", f"{key} is missing or no text")
    assert server.state.requests == []


@pytest.mark.parametrize(
    "given",
    [
        at(-3600),
        at(60),
        at(0).replace("+00:00", "Z"),
        datetime.fromtimestamp(NOW, UTC).strftime("%Y%m%dT%H%M%SZ"),
        datetime.fromtimestamp(NOW, timezone(timedelta(hours=-9, minutes=-30))).isoformat(),
        at(0.5),
        at(0).replace("+00:00", ".123456789Z"),
        at(0).replace("T", " "),
    ],
)
def test_times_that_are_near_enough(local: Local, server: ApiServer, given: str) -> None:
    assert local.take(time=given)["outcome"] == "dispatched"
    assert abs(int(workflows(server)[0]["received"]) - NOW) <= 3600


@pytest.mark.parametrize(("longest", "outcome"), [("99", "refused"), ("100", "dispatched")])
def test_how_old_is_a_setting(local: Local, longest: str, outcome: str) -> None:
    local.settings["delete-pod.max-age"] = longest
    assert local.outcome(at=NOW - 100) == outcome


@pytest.mark.parametrize("kind", ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"])
@pytest.mark.parametrize("missing", ["", "null"])
def test_without_a_uid_the_container_tells_the_pod(kind: str, missing: str) -> None:
    one = pod("shop", "api-1", uid(1), containers=CONTAINERS)
    one["status"][kind] = one["status"].pop("containerStatuses")
    with api(one) as server:
        assert Local(server).outcome(pod="api-1", uid=missing, container="b" * 64) == "dispatched"
        assert [each["uid"] for each in workflows(server)] == [uid(1)]


@pytest.mark.parametrize("runtime", ["containerd", "cri-o", "docker"])
def test_the_same_pod_by_uid_and_by_container_is_one(runtime: str) -> None:
    one = pod("shop", "api-1", uid(1), containers=CONTAINERS)
    one["status"]["containerStatuses"][0]["containerID"] = f"{runtime}://{'a' * 64}"
    with api(one) as server:
        local = Local(server)
        found = [local.outcome(pod="api-1", uid=given, container="a" * 64) for given in ("", uid(1), "")]
        assert found == ["dispatched", "deduplicated", "deduplicated"]


@pytest.mark.parametrize(
    ("statuses", "name", "outcome"),
    [
        ({}, "api-1", "refused"),
        ({"containerStatuses": None}, "api-1", "failed"),  # the API server writes no such thing
        ({"containerStatuses": [{"name": "main"}]}, "api-1", "refused"),
        ({"containerStatuses": [{"name": "main", "containerID": f"containerd://{'c' * 64}"}]}, "api-1", "refused"),
        ({"containerStatuses": [{"name": "main", "imageID": f"containerd://{'a' * 64}"}]}, "api-1", "refused"),
        ({}, "api-2", "gone"),
    ],
)
def test_a_container_that_the_pod_has_not(statuses: dict[str, Any], name: str, outcome: str) -> None:
    one = pod("shop", "api-1", uid(1))
    one["status"] = statuses
    with api(one) as server:
        assert Local(server).outcome(pod=name, uid="", container="a" * 64) == outcome
        assert server.changes == []


@pytest.mark.parametrize("mode", ["observe", "approve", "enforce"])
@pytest.mark.parametrize("response", ["delete-pod", "isolate-pod"])
def test_the_mode_is_passed_on_and_only_enforce_labels(server: ApiServer, mode: str, response: str) -> None:
    local = Local(server, settings={**SETTINGS, "mode": mode})
    facts = local.take(response)
    assert [(each["response"], each["mode"]) for each in workflows(server)] == [(response, mode)]
    fast = mode == "enforce" and response == "isolate-pod"
    assert changed(server, "pods") == ([("patch", "web-1")] if fast else [])
    assert facts.get("lane") == ("labelled" if fast else None)


def test_a_response_has_settings_of_its_own(local: Local, server: ApiServer) -> None:
    local.settings |= {"mode": "observe", "isolate-pod.mode": "enforce", "delete-pod.targets": "^till$"}
    local.settings |= {"isolate-pod.protected-namespaces": "shop"}
    assert local.take("delete-pod")["reason"] == "the namespace is not a target"
    assert local.take("delete-pod", namespace="vault")["reason"] == "the namespace is protected"
    assert local.take("isolate-pod")["reason"] == "the namespace is protected"
    assert local.take("isolate-pod", namespace="till", pod="x")["mode"] == "enforce"
    assert local.take("delete-pod", namespace="till", pod="x")["mode"] == "observe"


@pytest.mark.parametrize("targets", ["$.^", "", "sho", "hop", "shop|till\n", "(?!)", " "])
def test_targets_that_match_other_or_nothing(local: Local, server: ApiServer, targets: str) -> None:
    local.settings |= {"targets": targets}
    assert local.take(namespace="shop" if targets != "shop|till\n" else "vault2")["outcome"] == "refused"
    assert server.state.requests == []


@pytest.mark.parametrize(
    ("key", "values"),
    [
        *(
            (key, ["", "-1", "1.5", "ten", "\u0661\u0660", "1e3", "0x10", "9999999999"])
            for key in ("cap", "window", "cooldown", "max-age")
        ),
        ("mode", ["", "Enforce", "enforce,observe", "on"]),
        ("delete-pod.lane", ["", "fast", "Workflow"]),
        ("targets", ["(", "[", "*", "\\"]),
    ],
)
def test_a_setting_that_is_broken_or_missing_stops_it(server: ApiServer, key: str, values: list[str]) -> None:
    for value in (*values, None):
        local = Local(server)
        if value is None:
            del local.settings[key]
        else:
            local.settings[key] = value
        facts = local.take()
        assert facts["outcome"] == "refused", facts
        assert key.removeprefix("delete-pod.") in facts["reason"] or facts["reason"] == "the response is not enabled"
    assert server.state.requests == []


def test_a_response_without_a_lane_does_nothing(local: Local, server: ApiServer) -> None:
    facts = local.take("notify")
    assert (facts["outcome"], facts["reason"]) == ("refused", "the response is not enabled")
    local.settings["lane"] = "workflow"  # not for all of them
    assert local.outcome("notify") == "refused"
    assert server.state.requests == []


@pytest.mark.parametrize(
    "stored",
    ["7", "[]", "null", "{", '{"a": "b"}', '{"a": null}', '{"a": [1]}', '{"a": {}}', '"text"', "{}{}", "[" * 9000],
)
def test_a_count_that_another_wrote_stops_it(local: Local, server: ApiServer, stored: str) -> None:
    (kept,) = [one for key, one in server.state.objects.items() if key.plural == "leases"]
    kept["kre-pipeline", "target-shop"]["metadata"]["annotations"] = {"kre/actions": stored}
    facts = local.take()
    assert facts["outcome"] == "refused", facts
    assert "as the engine wrote it" in facts["reason"]
    assert server.changes == []


def test_the_first_action_in_a_target_makes_its_lease(local: Local, server: ApiServer) -> None:
    local.settings["targets"] = "^(shop|new)$"
    facts = local.take(namespace="new")
    assert facts["outcome"] == "dispatched"
    changed = [(change.verb, change.resource, change.namespace, change.name) for change in server.changes]
    assert changed == [
        ("create", "leases", "kre-pipeline", "target-new"),
        ("create", "workflows", "kre-responses", facts["workflow"]),
    ]
    assert local.take(namespace="new")["outcome"] == "deduplicated"


def test_settings_are_taken_up_while_it_runs(tmp_path: Path) -> None:
    with api() as server, Process(tmp_path, server.url, {**SETTINGS, "cap": "9999", "mode": "observe"}) as process:

        def until(outcome: str, **wanted: str) -> None:
            started = time.monotonic()
            while True:
                number = len(server.state.requests) + 10
                process.send(alert(uid=uid(number)))
                record = process.records()[-1]
                if record.items() >= {"outcome": outcome, **wanted}.items():
                    return
                assert time.monotonic() < started + 10, record

        until("dispatched", mode="observe")
        process.settings.write({**SETTINGS, "mode": "sometimes"})
        until("refused", reason="setting mode is none of observe, approve, enforce")
        process.settings.write({})
        until("refused", reason="the response is not enabled")
        process.settings.write({**SETTINGS, "targets": b"\xff"})  # can't be read: what was known holds
        time.sleep(1.1)
        until("refused", reason="the response is not enabled")
        process.settings.write({**SETTINGS, "cap": "9999"})
        until("dispatched", mode="enforce")
        assert {each["mode"] for each in workflows(server)} == {"observe", "enforce"}
        assert len(counted(server)) == len(workflows(server))
