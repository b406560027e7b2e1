"""`make demo`: validates this repository, then plays the recorded alerts of dev's responses without a cluster."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from demo.play import Played, play
from demo.pods import cluster
from demo.stage import Stage
from kre.load.bundle import load
from kre.model.bundle import Bundle
from kre.report.result import count, result
from kre.report.text import text
from kre.rules.run import validate

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ROOT / "base" / "responses" / "options"
ENVIRONMENT = "dev"


def main() -> int:
    """Returns 1 where the repository has findings, else 0."""
    started = time.monotonic()
    print("1. Every environment, rendered and checked:\n")
    bundle = load(ROOT)
    made = result(bundle, validate(bundle), "jsonschema")
    print(f"   {text(made)}")
    if count(made, "error"):
        return 1
    print(f"2. Recorded alerts, through Sensor filters, the real dispatcher and the real responder of {ENVIRONMENT}:")
    for sensor in sorted(bundle.of(ENVIRONMENT, "Sensor"), key=lambda item: item.name):
        _respond(bundle, sensor.name)
    print(f"\n{time.monotonic() - started:.1f} s. Next: README.md, and `kre --help`.")
    return 0


def _respond(bundle: Bundle, response: str) -> None:
    """The alerts of one response, each on what the one before has left."""
    print(f"\n   {response}")
    with Stage(bundle.of(ENVIRONMENT, *_KINDS), cluster()) as stage:
        for path in sorted((OPTIONS / response / "alerts").glob("*.json")):
            alert = json.loads(path.read_text())
            fields = alert["output_fields"]
            pod = f"{fields['k8s.ns.name']}/{fields['k8s.pod.name']}"
            outcome, reason = told(play(stage, response, alert))
            print(f"   {path.stem:<19} {pod:<36} {outcome:<15} {reason}")


_KINDS = (
    *("ClusterRole", "ConfigMap", "Deployment", "Namespace", "NetworkPolicy", "Role", "RoleBinding"),
    *("Sensor", "WorkflowTemplate"),
)


def told(played: Played) -> tuple[str, str]:
    """(outcome, reason) of whoever spoke last about an alert."""
    if played.stopped_by is not None:
        return "filtered", f"by the Sensor, on {played.stopped_by.replace(chr(92), '')}"
    responders = [record for ran in played.workflows for record in ran.records]
    last = (responders or list(played.records))[-1]
    return last["outcome"], last["reason"]


if __name__ == "__main__":
    sys.exit(main())
