"""Metrics of a real engine: every name that alerts and dashboard use is there, and every query is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from e2e.engine import DEMO, PIPELINE, Engine, pod_spec
from e2e.kubectl import PROJECT, Cluster, wait
from e2e.scrape import PARTS, Series, names, request, scrape
from support import promql

pytestmark = pytest.mark.e2e
OTHER = "0b5f3c7e-0000-4000-8000-00000000beef"
# What each may show after an alert was acted on: more than nothing.
COUNTED = ("Received", "Triggered", "Dispatched", "Acted")
SHOWN = ("Filtered by each Sensor, a minute", "What the dispatcher decided, a minute", "By response, a minute")
TIMED = ("EventSource: from the post to the bus", "Sensor: until the dispatcher has decided")
# Silent while all is well, whatever the tests before have done: of growth between two scrapes, and of what is up.
WELL = {
    *("KreEventSourceDown", "KreSensorDown", "KreDispatcherDown", "KreRecorderDown", "KreControllerDown"),
    *("KreAlertsNotTaken", "KreAlertsLost", "KreTriggeredNotDecided", "KreDispatcherFailed", "KreDispatcherRefused"),
    *("KreCapReached", "KreWrongToken", "KreWorkflowErrored", "KreDispatchedNotMet", "KreRecorderDeaf"),
}
GET = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=3).status)"
FOREVER = ["python3", "-c", "import time; time.sleep(1e6)"]


@pytest.fixture(scope="module")
def scraped(up: Engine) -> tuple[dict[str, Series], dict[str, Series]]:
    """Before and after an alert that was acted on, and one about a pod that is not there."""
    up.forget()
    up.respond("notify", DEMO, *up.victim())
    first = scrape(up.cluster)
    about = [("notify", *up.victim()), ("label-pod", *up.victim()), ("notify", "metrics", OTHER)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda one: up.respond(one[0], DEMO, *one[1:]), about))
    wait("the recorder's lines", lambda: _ended(scrape(up.cluster)["recorder"]) >= _ended(first["recorder"]) + 3, 60)
    return first, scrape(up.cluster)


def _ended(series: Series) -> float:
    return sum(value for key, value in series.items() if key.startswith("kre_recorder_records_total{"))


def test_every_part_answers(scraped: tuple[dict[str, Series], dict[str, Series]]) -> None:
    up = {
        part: [value for key, value in series.items() if key.startswith("up{")] for part, series in scraped[1].items()
    }
    assert {part for part, values in up.items() if values and all(values)} == PARTS.keys(), up


@pytest.mark.parametrize("name", sorted(name for name, entry in promql.metrics().items() if "scraped" in entry))
def test_every_name_is_there_with_its_labels(scraped: tuple[dict[str, Series], dict[str, Series]], name: str) -> None:
    entry = promql.metrics()[name]
    found = names(scraped[1][entry["scraped"]])
    forms = [form for form in (name, f"{name}_count") if form in found]
    if not entry["rare"]:
        assert forms, sorted(found)
    for form in forms:
        labels = {label.removeprefix("exported_") for label in found[form]}
        assert entry["labels"] & labels if entry["either"] else entry["labels"] <= labels


def test_every_query_of_the_dashboard_runs_and_shows_what_happened(
    scraped: tuple[dict[str, Series], dict[str, Series]],
) -> None:
    queries = list(promql.queries())
    (answer,) = promql.ask(request(*scraped, [query.expression for query in queries]))
    results = list(zip(queries, answer["results"], strict=True))
    assert [(query.panel, result["error"]) for query, result in results if "error" in result] == []
    shown = {query.panel: [float(one["value"]) for one in result["samples"]] for query, result in results}
    assert [panel for panel in COUNTED if not sum(shown[panel])] == []
    assert [panel for panel in (*SHOWN, *TIMED) if not shown[panel]] == []
    stages = [result["samples"] for query, result in results if query.panel == "From stage to stage, a minute"]
    assert all(stages[1:]), "all but what Falcosidekick posts"


def test_no_alert_is_raised_while_all_is_well(scraped: tuple[dict[str, Series], dict[str, Series]]) -> None:
    assert promql.alerts().keys() >= WELL
    (answer,) = promql.ask(request(*scraped, []))
    assert {alert["labels"]["alertname"] for alert in answer["alerts"]} & WELL == set()


def test_a_cap_that_is_reached_raises_its_alert(engine: Engine) -> None:
    engine.set(notify__cap="0")
    try:
        first = scrape(engine.cluster)
        assert engine.send("notify", DEMO, *engine.victim())["reason"].startswith("cap: 0 ")
        (answer,) = promql.ask(request(first, scrape(engine.cluster), []))
    finally:
        engine.set(notify__cap=None)
    raised = {(alert["labels"]["alertname"], alert["labels"].get("response")) for alert in answer["alerts"]}
    assert {("KreCapReached", "notify"), ("KreDispatcherRefused", "notify")} <= raised
    assert {name for name, _ in raised} & WELL == {"KreCapReached", "KreDispatcherRefused"}


@pytest.fixture
def lookers(cluster: Cluster) -> Iterator[list[str]]:
    """Namespaces with a pod that asks: Prometheus' own, and another."""
    policy = Path(PROJECT / "base/monitoring/manifests/metrics-networkpolicy.yaml").read_text()
    cluster.apply(policy)
    spaces = ["monitoring", "kre-e2e-looker"]
    made = [space for space in spaces if not cluster.try_get("namespace", space, "")]
    for space in made:
        cluster.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}))
    for space in spaces:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "kre-e2e-looker", "namespace": space}}
        cluster.apply(json.dumps(pod | {"spec": pod_spec(FOREVER)}))
        cluster.run("-n", space, "wait", "--for=condition=Ready", "pod/kre-e2e-looker", "--timeout=120s")
    yield spaces
    for space in spaces:
        cluster.run("-n", space, "delete", "pod", "kre-e2e-looker", "--ignore-not-found", "--grace-period=0", "--force")
    cluster.run("delete", "namespace", *made, "--wait=false") if made else None
    cluster.run("delete", "--filename=-", "--ignore-not-found", stdin=policy)


def test_prometheus_gets_to_the_metrics_and_nobody_else_does(engine: Engine, lookers: list[str]) -> None:
    def reaches(space: str, address: str) -> bool:
        command = ("-n", space, "exec", "kre-e2e-looker", "--", "python3", "-c", GET, f"http://{address}")
        return engine.cluster.try_run(*command)[1].strip() == "200"

    ours, others = lookers
    for part in ("eventsource", "sensor", "dispatcher", "recorder"):
        _, selector, port = PARTS[part]
        pods = engine.cluster.list("pods", PIPELINE, selector)
        host = next(pod["status"]["podIP"] for pod in pods if pod["status"].get("phase") == "Running")
        wait(f"{part} lets Prometheus in", lambda at=f"{host}:{port}/metrics": reaches(ours, at), 30)
        assert not reaches(others, f"{host}:{port}/metrics")
    bus = engine.cluster.list("pods", PIPELINE, "controller=eventbus-controller")[0]["status"]["podIP"]
    assert not reaches(ours, f"{bus}:8222/varz"), "the bus' own port, which says more than its exporter"
