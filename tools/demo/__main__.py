"""`make demo`: validates this repository, then plays the recorded alerts of delete-pod against a local API server."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from demo.apiserver import ApiServer, pod
from demo.seed import respond, response, unpack
from kre.load.bundle import load
from kre.report.result import count, result
from kre.report.text import text
from kre.rules.run import validate

ROOT = Path(__file__).resolve().parents[2]
ALERTS = ROOT / "base" / "responses" / "options" / "delete-pod" / "alerts"


def main() -> int:
    """Returns 1 where the repository has findings, else 0."""
    started = time.monotonic()
    print("1. Every environment, rendered and checked:\n")
    bundle = load(ROOT)
    made = result(bundle, validate(bundle), "jsonschema")
    print(f"   {text(made)}")
    if count(made, "error"):
        return 1
    known = response(bundle, "dev", "delete-pod")
    pods = [pod(**entry) for entry in yaml.safe_load((Path(__file__).parent / "pods.yaml").read_text())]
    print("2. Recorded alerts, played through the responder of dev:\n")
    with ApiServer(pods) as server, tempfile.TemporaryDirectory() as folder:
        code = unpack(known, Path(folder))
        for path in sorted(ALERTS.glob("*.json")):
            alert = json.loads(path.read_text())
            print(_line(path.stem, respond(known, alert, server.url, code)))
        left = ", ".join(f"{namespace}/{name}" for namespace, name in sorted(server.state.pods))
    print(f"\n   still running: {left}")
    print(f"\n{time.monotonic() - started:.1f} s. Next: README.md, and `kre --help`.")
    return 0


def _line(name: str, record: dict[str, Any]) -> str:
    pod = f"{record['namespace']}/{record['pod']}"
    return f"   {name:<20} {pod:<38} {record['outcome']:<8} {record['reason']}"


if __name__ == "__main__":
    sys.exit(main())
