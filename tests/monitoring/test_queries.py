"""Alerts and dashboard ask for metrics that there are, by labels that they have; each with where it comes from."""

from __future__ import annotations

import ast
import re

import pytest
import yaml

from support import promql
from support.repository import PROJECT

CODE = PROJECT / "base/responses/manifests"
QUERIES = list(promql.queries())
EXPRESSIONS = {
    **{name: rule["expr"] for name, rule in promql.alerts().items()},
    **promql.recorded(),
    **{f"{query.panel}: {query.legend}": query.expression for query in QUERIES},
}
ADDED = {"job", "le"}  # by Prometheus, and by every histogram


def test_each_has_a_name_of_its_own() -> None:
    assert len(EXPRESSIONS) == len(promql.alerts()) + len(promql.recorded()) + len(QUERIES)


def test_each_is_an_expression_over_known_metrics_by_their_labels() -> None:
    wrong = []
    for name, found in zip(EXPRESSIONS, promql.parsed(list(EXPRESSIONS.values())), strict=True):
        if said := found.get("error"):
            wrong.append(f"{name}: {said}")
        for metric in found["metrics"]:
            entry = promql.known(metric)
            if entry is None and metric not in promql.recorded():
                wrong.append(f"{name}: {metric} is not in {promql.METRICS.name}")
            if entry and (odd := set(found["labels"].get(metric, [])) - entry["labels"] - ADDED):
                wrong.append(f"{name}: {metric} has no {sorted(odd)}")
    assert wrong == []


def test_an_unknown_name_is_seen() -> None:
    assert promql.known("kre_dispatcher_alert_total") is None
    assert promql.known("argo_workflows_queue_latency_bucket") is not None
    found, broken = promql.parsed(['sum(x{a="1"}) / rate(y[5m])', "sum("])
    assert found["metrics"] == ["x", "y"]
    assert found["labels"] == {"x": ["a"]}
    assert broken["error"]


def test_none_is_listed_that_nobody_uses() -> None:
    used = {metric for found in promql.parsed(list(EXPRESSIONS.values())) for metric in found["metrics"]}
    stems = used | {metric.rpartition("_")[0] for metric in used}
    assert promql.metrics().keys() - stems == set()
    assert promql.recorded().keys() - used == set()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: f"{query.panel}: {query.legend}")
def test_a_legend_names_labels_that_are_left(query: promql.Query) -> None:
    """`{{name}}` of a label that the query sums away is empty."""
    by = {label for group in re.findall(r"\bby \(([^)]*)\)", query.expression) for label in re.split(r",\s*", group)}
    assert set(re.findall(r"\{\{(\w+)\}\}", query.legend)) == by - {"le"}


def test_jobs_are_those_of_the_podmonitors() -> None:
    jobs = {job for text in EXPRESSIONS.values() for job in re.findall(r'job="([^"]+)"', text)}
    files = promql.MANIFESTS.glob("*-podmonitor.yaml")
    made = [yaml.safe_load(file.read_text())["metadata"] for file in files]
    assert jobs <= {f"{metadata['namespace']}/{metadata['name']}" for metadata in made}


def test_the_dispatcher_has_the_metrics_that_are_its_own() -> None:
    calls = [node for node in ast.walk(ast.parse((CODE / "code/serve.py").read_text())) if isinstance(node, ast.Call)]
    counted = {
        (call.args[0].value, tuple(re.findall(r"(\w+)=", ast.unparse(call.args[1]))))
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "count" and isinstance(call.args[0], ast.Constant)
    }
    listed = {
        (name.removeprefix("kre_dispatcher_").removesuffix("_total"), tuple(entry["labels"]))
        for name, entry in promql.metrics().items()
        if name.startswith("kre_dispatcher_")
    }
    assert {(name, frozenset(labels)) for name, labels in listed} == {
        (name, frozenset(labels)) for name, labels in counted
    }


def test_so_has_the_recorder() -> None:
    ours = {name.removeprefix("kre_recorder_") for name in promql.metrics() if name.startswith("kre_recorder_")}
    for file in CODE.glob("recorder/code/status.py"):
        named = {node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)}
        assert ours <= named


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    board = promql.dashboard()
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert panel["targets"]
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken)), "panels lie on each other"
    left = set(
        re.findall(r"\$\w+", " ".join(target["expr"] for panel in panels for target in panel.get("targets", [])))
    )
    assert left <= promql.VARIABLES.keys()
