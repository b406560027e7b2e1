"""kre doctor --cluster: all is well after the engine came up, and each thing that is then broken is named."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.engine import DEMO, DISPATCHER, PIPELINE, RESPONSES, Engine
from e2e.kubectl import PROJECT, Object, wait
from e2e.test_responses import state

pytestmark = pytest.mark.e2e
HOPS = ["eventsource", "dispatcher", "workflow", "pod", "responder"]
NEVER = "kre-engine-never"


def doctor(*options: str) -> tuple[int, list[Object]]:
    """(exit code, checks). Whatever it says, no token is in it."""
    argv = [sys.executable, "-m", "kre", "doctor", "--cluster", "--env", "dev", "--format", "json", *options]
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, timeout=240, check=False)
    assert done.stderr == "", done.stderr
    return done.returncode, json.loads(done.stdout)["checks"]


def tokens(engine: Engine) -> list[str]:
    found = [*engine.cluster.list("secrets", PIPELINE), *engine.cluster.list("secrets", "falco")]
    values = [base64.b64decode(value).decode() for item in found for value in item.get("data", {}).values()]
    return [value.rpartition("Bearer ")[2] for value in values]


def of(checks: list[Object], status: str) -> dict[str, list[str]]:
    """Check -> which objects, of the checks that ended so."""
    found: dict[str, list[str]] = {}
    for check in checks:
        if check["status"] == status:
            found.setdefault(check["check"], []).append(check["where"])
    return found


def test_all_is_well_and_the_alert_is_followed_to_its_end(engine: Engine) -> None:
    before = state(engine)
    code, checks = doctor()
    assert (code, of(checks, "failed"), of(checks, "unknown")) == (0, {}, {}), checks
    hops = [check for check in checks if check["group"] == "probe"]
    assert [(hop["check"], hop["status"]) for hop in hops] == [(name, "ok") for name in HOPS]
    times = [hop["milliseconds"] for hop in hops]
    assert times == sorted(times)
    print("milliseconds since the post:", dict(zip(HOPS, times, strict=True)))  # noqa: T201 - a figure to quote
    assert state(engine) == before  # in mode enforce
    (event,) = engine.events(DEMO, hops[2]["found"])
    assert (event["reason"], event["involvedObject"]["name"][:11]) == ("KreGone", "kre-doctor-")
    said = json.dumps(checks)
    assert not [token for token in tokens(engine) if token and token in said]


def test_in_approve_it_leaves_nobody_a_workflow_to_decide_on(engine: Engine) -> None:
    """By what the ConfigMap says: dispatchers find it out later, and for this alert it is the same to them."""
    before = {item["metadata"]["name"] for item in engine.cluster.list("workflows", RESPONSES)}
    engine.cluster.merge("configmap", "settings", PIPELINE, {"data": {"mode": "approve"}})
    try:
        code, checks = doctor("--timeout", "20")
        after = {item["metadata"]["name"] for item in engine.cluster.list("workflows", RESPONSES)}
    finally:
        engine.cluster.merge("configmap", "settings", PIPELINE, {"data": {"mode": "enforce"}})
    assert code == 1
    assert of(checks, "failed") == {"settings": [f"ConfigMap {PIPELINE}/settings"]}
    hops = {check["check"]: check for check in checks if check["group"] == "probe"}
    assert [hops[name]["status"] for name in HOPS] == ["ok", "ok", "unknown", "unknown", "unknown"]
    assert "`gone`" in hops["dispatcher"]["found"]
    assert "approve" in hops["workflow"]["found"]
    assert after == before


@pytest.fixture
def broken(engine: Engine) -> Iterator[Engine]:
    """Whatever is independent of each other is broken at once, for each takes its time to come back."""
    cluster = engine.cluster
    kept = [
        bare(cluster.get("secret", "falco-webhook-token", PIPELINE)),
        bare(cluster.get("secret", "notify-dispatch-token", PIPELINE)),
        bare(cluster.get("validatingadmissionpolicybinding", NEVER, "default")),
        bare(cluster.get("rolebinding", "kre-notify", DEMO)),
        bare(cluster.get("eventsource", "falco", PIPELINE)),
    ]
    settings = cluster.get("configmap", "settings", RESPONSES)["data"]
    try:
        cluster.run("-n", PIPELINE, "scale", "deployment", "dispatcher", "--replicas=0")
        cluster.run("-n", PIPELINE, "delete", "secret", "notify-dispatch-token")
        cluster.run("delete", "validatingadmissionpolicybinding", NEVER)
        cluster.merge("configmap", "settings", RESPONSES, {"data": {"min-healthy": "0"}})
        cluster.run("-n", DEMO, "delete", "rolebinding", "kre-notify")
        wait("no dispatcher", lambda: not cluster.list("pods", PIPELINE, DISPATCHER))
        yield engine
    finally:
        for made in kept:  # the EventSource last: its pods read the token when they start
            cluster.apply(json.dumps(made))
        cluster.run("-n", PIPELINE, "scale", "deployment", "dispatcher", "--replicas=2")
        cluster.merge("configmap", "settings", RESPONSES, {"data": settings})
        wait("the EventSource", lambda: cluster.conditions("eventsource", "falco", PIPELINE))
        for label in (DISPATCHER, "eventsource-name=falco"):
            wait(f"two pods {label}", lambda label=label: ready(engine, label) == 2)
        # The Sensor has not given it up, and the tests that follow count what arrives.
        wait("the test alert that was on its way", lambda: "kre-doctor-" in cluster.logs(PIPELINE, DISPATCHER), 90)


def bare(found: Object) -> Object:
    """An object as it can be applied again."""
    keys = ("name", "namespace", "labels")
    metadata = {key: found["metadata"][key] for key in keys if key in found["metadata"]}
    return {key: value for key, value in found.items() if key != "status"} | {"metadata": metadata}


def ready(engine: Engine, label: str) -> int:
    pods = engine.cluster.list("pods", PIPELINE, label)
    return sum(_ready(pod) for pod in pods)


def _ready(pod: Any) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def test_what_is_broken_is_named(broken: Engine) -> None:
    code, checks = doctor("--timeout", "4")
    static = {
        "dispatcher": [f"Deployment {PIPELINE}/dispatcher"],
        "dispatch": [f"Secret {PIPELINE}/notify-dispatch-token"],
        "settings": [f"ConfigMap {RESPONSES}/settings"],
        "policies": [f"ValidatingAdmissionPolicyBinding {NEVER}"],
        "targets": [f"RoleBinding {DEMO}/kre-notify"],
    }
    assert code == 1
    assert of([check for check in checks if check["group"] != "probe"], "failed") == static
    said = {check["check"]: check for check in checks if check["status"] == "failed" and check["group"] != "probe"}
    assert said["settings"]["found"].startswith("min-healthy is '0'")
    assert said["dispatch"]["next"] == "kre token --response notify | kubectl apply -f -"
    hops = {check["check"]: check for check in checks if check["group"] == "probe"}
    assert [hops[name]["status"] for name in HOPS] == ["ok", "failed", "unknown", "unknown", "unknown"]
    assert "logs -l sensor-name=" in hops["dispatcher"]["next"]

    # and what would keep the alert from being sent
    cluster = broken.cluster
    other = base64.b64encode(b"another-token-than-falcosidekick-has").decode()
    cluster.merge("secret", "falco-webhook-token", PIPELINE, {"data": {"token": other}})
    cluster.run("-n", PIPELINE, "delete", "eventsource", "falco")
    code, checks = doctor("--timeout", "4")
    assert code == 1
    assert of(checks, "failed") == static | {
        "eventsource": [f"EventSource {PIPELINE}/falco"],
        "webhook": [f"Secrets {PIPELINE}/falco-webhook-token and falco/falcosidekick-webhook"],
    }
    hops = {check["check"]: check["status"] for check in checks if check["group"] == "probe"}
    assert set(hops.values()) == {"unknown"}
