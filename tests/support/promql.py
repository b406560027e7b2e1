"""Prometheus' own code (tests/promql), asked by lines of JSON; and what base/monitoring gives it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from support.repository import PROJECT

MANIFESTS = PROJECT / "base/monitoring/manifests"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
PROGRAM = CACHE / "kre/bin/kre-promql"
METRICS = PROJECT / "tests/fixtures/monitoring/metrics.yaml"
# What Grafana fills in, with what would do for any time that is shown.
VARIABLES = {"$__rate_interval": "2m", "$__range": "6h"}


def ask(*requests: Mapping[str, Any]) -> list[Any]:
    """The answer to each request: tests/promql/README.md. One process for all of them."""
    assert PROGRAM.exists(), "kre-promql is missing: make tools-promql"
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([PROGRAM], input=lines, capture_output=True, text=True, check=True, timeout=300)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(requests), done.stderr
    for answer in answers:
        assert "error" not in answer, answer
    return answers


@cache
def groups() -> list[dict[str, Any]]:
    """The groups of every PrometheusRule."""
    files = sorted(MANIFESTS.glob("*-prometheusrule.yaml"))
    return [group for file in files for group in yaml.safe_load(file.read_text())["spec"]["groups"]]


def rules() -> str:
    """All of them, as a rule file."""
    return json.dumps({"groups": groups()})


def alerts() -> dict[str, dict[str, Any]]:
    """Each alerting rule by its name."""
    return {rule["alert"]: rule for group in groups() for rule in group["rules"] if "alert" in rule}


def recorded() -> dict[str, str]:
    """Each recording rule's name and expression."""
    return {rule["record"]: rule["expr"] for group in groups() for rule in group["rules"] if "record" in rule}


@dataclass(frozen=True)
class Query:
    """One of the dashboard's."""

    panel: str
    expression: str  # variables filled in
    legend: str


def dashboard() -> Any:
    """As Grafana is given it."""
    return json.loads((MANIFESTS / "kre.json").read_text())


def queries() -> Iterator[Query]:
    """Every query of the dashboard."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            yield Query(panel["title"], expression, target["legendFormat"])


@cache
def metrics() -> dict[str, dict[str, Any]]:
    """The list of all metrics that may be used: name -> part, labels, source."""
    found: dict[str, dict[str, Any]] = {}
    for part in yaml.safe_load(METRICS.read_text())["parts"]:
        for name, labels in part["metrics"].items():
            assert name not in found, name
            marks = {mark: name in part.get(mark, ()) for mark in ("rare", "either")}
            found[name] = {**part, "labels": set(labels), **marks}
    return found


def known(name: str) -> dict[str, Any] | None:
    """The entry of a series: `_bucket`, `_sum` and `_count` are of the histogram or summary."""
    found = metrics()
    stem, _, kind = name.rpartition("_")
    return found.get(name) or (found.get(stem) if kind in ("bucket", "sum", "count") else None)


def parsed(expressions: Sequence[str]) -> list[dict[str, Any]]:
    """What each of them reads: `error`, `metrics`, `labels`, `functions`."""
    (answer,) = ask({"parse": list(expressions)})
    found: list[dict[str, Any]] = answer
    return found
