"""The dispatcher among real neighbours: who reaches it, what outlives it, what it tells."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from e2e.engine import DEMO, DISPATCHER, PIPELINE, RESPONSES, Engine, pod_spec
from e2e.kubectl import JSON, alert, wait
from e2e.load import Barrage, Shot
from e2e.posting import Poster

pytestmark = pytest.mark.e2e
ADDRESS = "http://dispatcher.kre-pipeline.svc:8080/respond"
OTHER = "00000000-0000-4000-8000-000000000001"


def test_only_sensors_reach_it(engine: Engine) -> None:
    """Not from elsewhere, and not from the namespace itself; with the token or without."""
    token = engine.cluster.run(
        "-n",
        PIPELINE,
        "get",
        "secret",
        "notify-dispatch-token",
        "--output=go-template={{.data.authorization|base64decode}}",
    )
    assert engine.cluster.post("{}", by="stranger", header=token, to=ADDRESS) == "unreachable"
    metadata = {"name": "neighbour", "namespace": PIPELINE, "labels": {"app": "neighbour"}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec(["sleep", "1000000"])}
    cluster = engine.cluster
    try:
        cluster.apply(json.dumps(pod))
        cluster.run("-n", PIPELINE, "wait", "--for=condition=Ready", "pod/neighbour", "--timeout=60s")
        by = Poster("neighbour", PIPELINE)
        assert by.post("{}", JSON, token, ADDRESS) == "unreachable"
        cluster.run("-n", PIPELINE, "label", "pod", "neighbour", "sensor-name=neighbour")
        codes = [wait("an answer", lambda given=given: _code(by, given), 30) for given in ("", "Bearer x", token)]
        assert codes == ["401", "401", "200"]
    finally:
        cluster.run("-n", PIPELINE, "delete", "pod", "neighbour", "--grace-period=0", "--force", "--ignore-not-found")


def _code(by: Poster, header: str) -> str | None:
    """The answer, None while a changed label has not yet reached the packets."""
    code = by.post("{}", JSON, header, ADDRESS)
    return None if code == "unreachable" else code


def test_each_sensor_holds_its_own_token_alone(engine: Engine) -> None:
    cluster = engine.cluster
    secrets = {}
    for response in ("delete-pod", "isolate-pod", "notify"):
        (pod,) = cluster.list("pods", PIPELINE, f"sensor-name={response}")
        secrets[response] = set(re.findall(r'"secretName": "([^"]+)"', json.dumps(pod["spec"])))
        secrets[response] = {name for name in secrets[response] if name.endswith("-dispatch-token")}
    assert secrets == {response: {f"{response}-dispatch-token"} for response in secrets}


def _about(engine: Engine, sent: list[str]) -> list[str]:
    """The alerts that Workflows were made for."""
    found = [json.dumps(item["spec"]) for item in engine.cluster.list("workflows", RESPONSES)]
    return [known for text in found for known in sent if known in text]


def test_a_storm_of_one_alert_makes_one_workflow(engine: Engine) -> None:
    """500 posts by one Falcosidekick, and another Sensor's alert in between. Each of them is told."""
    made = alert("label-pod", DEMO, "storm", OTHER)
    shots = [Shot(str(index), json.dumps(made).encode()) for index in range(500)]
    with ThreadPoolExecutor() as pool:
        storm = pool.submit(lambda: Barrage(shots, workers=1).answers())
        time.sleep(0.5)
        assert engine.send("notify", DEMO, "between", OTHER)["outcome"] == "dispatched"
    assert [answer.status for answer in storm.result().values()] == ["200"] * 500
    known = made["uuid"]
    kept = wait("500 lines", lambda: found if len(found := engine.said(known, "intake")) >= 500 else None, 120)
    outcomes = [record["outcome"] for record in kept]
    passed = outcomes.count("taken")
    assert (len(outcomes), outcomes.count("repeated")) == (500, 500 - passed)
    assert passed <= 4, "one in ten seconds by each of two"
    said = wait("its records", lambda: found if len(found := engine.said(known)) >= passed else None, 120)
    assert [record["outcome"] for record in said].count("dispatched") == 1
    assert {record["outcome"] for record in said} <= {"dispatched", "deduplicated"}
    assert len(_about(engine, [known])) == 1


def test_it_counts_for_prometheus(engine: Engine) -> None:
    said = engine.send("notify", DEMO, "counted", OTHER)
    assert said["outcome"] == "dispatched"
    total = 0.0
    for pod in engine.cluster.list("pods", PIPELINE, DISPATCHER):
        name = pod["metadata"]["name"]
        text = engine.cluster.run(
            "get", "--raw", f"/api/v1/namespaces/{PIPELINE}/pods/{name}:8081/proxy/metrics", check=False
        )
        found = re.findall(
            r'^kre_dispatcher_alerts_total\{response="notify",outcome="dispatched"\} (\d+)$', text, re.MULTILINE
        )
        total += sum(map(float, found))
    assert total >= 1
