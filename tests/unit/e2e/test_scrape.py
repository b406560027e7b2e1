"""What the tests on a cluster make of metrics: series as Prometheus would have them, which its own code can read."""

from __future__ import annotations

from typing import Any, cast

from e2e.kubectl import Cluster
from e2e.scrape import names, request, scrape
from support import promql

TEXT = {
    "eventsource": """# HELP argo_events_events_sent_total How many events have been sent successfully.
# TYPE argo_events_events_sent_total counter
argo_events_events_sent_total{event_name="alerts",eventsource_name="falco",namespace="kre-pipeline"} %d
argo_events_event_processing_duration_milliseconds_sum{event_name="alerts",eventsource_name="falco"} 1.5e+02
go_goroutines 40
""",
    "dispatcher": 'kre_dispatcher_alerts_total{response="notify",outcome="dispatched"} %d\n',
}


class Fake:
    """One pod of each part; those of `TEXT` answer, with a count that is higher each time."""

    def __init__(self) -> None:
        self.count = 3
        self.asked: list[str] = []

    def list(self, kind: str, namespace: str, selector: str) -> list[dict[str, Any]]:
        assert kind == "pods"
        name = selector.rpartition("=")[2].removesuffix("-controller") or namespace
        labels = {"sensor-name": "notify"} if name == "sensor" else {}
        return [{"metadata": {"name": name, "namespace": namespace, "labels": labels}, "status": {"phase": "Running"}}]

    def try_run(self, *arguments: str) -> tuple[int, str, str]:
        self.asked.append(arguments[-1])
        part = arguments[-1].split("/pods/")[1].partition(":")[0]
        self.count += 1
        return (0, TEXT[part] % self.count, "") if part in TEXT else (1, "", "unreachable")


def test_what_is_scraped_is_what_prometheus_would_have() -> None:
    fake = Fake()
    first, second = (scrape(cast("Cluster", fake)) for _ in range(2))
    assert "/api/v1/namespaces/argo-workflows/pods/https:argo-workflows:9090/proxy/metrics" in fake.asked
    assert names(second["eventsource"]) == {
        "up": {"job", "namespace", "pod"},
        "argo_events_events_sent_total": {
            "job",
            "namespace",
            "pod",
            "event_name",
            "eventsource_name",
            "exported_namespace",
        },
        "argo_events_event_processing_duration_milliseconds_sum": {
            *("job", "namespace", "pod", "event_name", "eventsource_name")
        },
    }
    ups = {part: [value for key, value in series.items() if key.startswith("up{")] for part, series in first.items()}
    assert ups == {part: [1.0 if part in TEXT else 0.0] for part in first}
    queries = [
        "sum(increase(argo_events_events_sent_total[10m]))",
        'up{sensor="notify"}',
        "argo_events_event_processing_duration_milliseconds_sum",
    ]
    (answer,) = promql.ask(request(first, second, queries))
    grown, sensor, mean = (result["samples"] for result in answer["results"])
    assert float(grown[0]["value"]) > 0
    assert [(one["labels"]["pod"], one["value"]) for one in sensor] == [("sensor", "0")]
    assert [one["value"] for one in mean] == ["150"]
    raised = {alert["labels"]["alertname"] for alert in answer["alerts"]}
    assert {"KreSensorDown", "KreControllerDown", "KreRecorderDown"} <= raised
    assert not {"KreEventSourceDown", "KreDispatcherDown"} & raised


def test_what_went_and_what_came_between_is_told() -> None:
    series = {"sensor": {'up{job="a"}': 1.0}}, {"sensor": {'up{job="b"}': float("inf")}}
    (answer,) = promql.ask(request(*series, ["up", "up offset 5m"]))
    now, before = ([(one["labels"]["job"], one["value"]) for one in each["samples"]] for each in answer["results"])
    assert (now, before) == ([("b", "+Inf")], [("a", "1")])
