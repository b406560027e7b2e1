"""What Prometheus would have, had it scraped the engine: metrics of every part, with the labels that it adds."""

from __future__ import annotations

import re
from typing import Any

from e2e.engine import PIPELINE
from e2e.kubectl import Cluster, Object
from support import promql

# Part (and PodMonitor) -> namespace, selector, and port of its pods.
PARTS = {
    "eventsource": (PIPELINE, "controller=eventsource-controller", "7777"),
    "intake": (PIPELINE, "app.kubernetes.io/name=intake", "8081"),
    "sensor": (PIPELINE, "controller=sensor-controller", "7777"),
    "dispatcher": (PIPELINE, "app.kubernetes.io/name=dispatcher", "8081"),
    "recorder": (PIPELINE, "app.kubernetes.io/name=recorder", "8081"),
    "argo-events": ("argo-events", "", "7777"),
    "argo-workflows": ("argo-workflows", "", "9090"),
}
TLS = ("argo-workflows",)
SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)(?: -?\d+)?$")
LABEL = re.compile(r'(?P<name>\w+)="(?P<value>(?:[^"\\]|\\.)*)"')
BEFORE = 21  # samples of 30 s that are as the first scrape was, before the one that is as the second: more than 10 min
Series = dict[str, float]


def scrape(cluster: Cluster) -> dict[str, Series]:
    """Part -> every series that is in the list of metrics, and `up`, as a selector with the labels of its target."""
    found: dict[str, Series] = {}
    for part, (namespace, selector, port) in PARTS.items():
        found[part] = {}
        for pod in cluster.list("pods", namespace, selector):
            if pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]:
                found[part] |= _of(cluster, part, pod, port)
    return found


def _of(cluster: Cluster, part: str, pod: Object, port: str) -> Series:
    metadata = pod["metadata"]
    name = f"{'https:' if part in TLS else ''}{metadata['name']}:{port}"
    code, text, _ = cluster.try_run(
        "get", "--raw", f"/api/v1/namespaces/{metadata['namespace']}/pods/{name}/proxy/metrics"
    )
    target = {"job": f"kre-pipeline/{part}", "namespace": metadata["namespace"], "pod": metadata["name"]}
    if part == "sensor":
        target["sensor"] = metadata["labels"]["sensor-name"]
    made = {_selector("up", target, {}): 1.0 if code == 0 else 0.0}
    for line in text.splitlines():
        sample = SAMPLE.match(line)
        if sample and promql.known(sample["name"]):
            own = {label["name"]: label["value"] for label in LABEL.finditer(sample["labels"] or "")}
            made[_selector(sample["name"], target, own)] = float(sample["value"])
    return made


def _selector(name: str, target: dict[str, str], own: dict[str, str]) -> str:
    """As Prometheus does without honorLabels: a label that the target has as well is `exported_`."""
    kept = {f"exported_{key}" if key in target else key: value for key, value in own.items()}
    return name + "{" + ", ".join(f'{key}="{value}"' for key, value in sorted({**target, **kept}.items())) + "}"


def names(series: Series) -> dict[str, set[str]]:
    """Metric -> the labels that its series have."""
    found: dict[str, set[str]] = {}
    for selector in series:
        name, _, labels = selector.partition("{")
        found.setdefault(name, set()).update(label["name"] for label in LABEL.finditer(labels))
    return found


def request(first: dict[str, Series], second: dict[str, Series], queries: list[str]) -> dict[str, Any]:
    """Ten minutes in which all was as at the first scrape, then the second."""
    before = {key: value for series in first.values() for key, value in series.items()}
    after = {key: value for series in second.values() for key, value in series.items()}
    series = []
    for key in sorted(before.keys() | after.keys()):
        old = f"{_text(before[key])}+0x{BEFORE}" if key in before else f"_x{BEFORE + 1}"
        series.append({"series": key, "values": f"{old} {_text(after[key])}" if key in after else f"{old} stale"})
    end = f"{(BEFORE + 1) * 30}s"
    return {"rules": promql.rules(), "interval": "30s", "at": end, "series": series, "queries": queries}


def _text(value: float) -> str:
    """Without an exponent, which the notation does not take."""
    return (
        f"{value:.6f}".rstrip("0").rstrip(".")
        if abs(value) < float("inf")
        else str(value).title().replace("Nan", "NaN")
    )
