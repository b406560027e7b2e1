"""Parts of the engine fail while alerts flow. These come after all that need a whole one, and before Argo CD's."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from e2e.engine import PIPELINE, Engine
from e2e.faults.breaking import FAULTS, RESTART, edited
from e2e.faults.ledger import Figures, Ledger, settle, stream
from e2e.faults.records import following
from e2e.kubectl import Object, wait
from e2e.recording import recording

HERE = Path(__file__).parent
FIGURES = "KRE_E2E_FIGURES"  # a file to add them to, one JSON object a line
_table: list[Figures] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    last = ("argocd", "test_lost_stream.py")
    items.sort(key=lambda item: [*(part in item.path.parts for part in last), HERE in item.path.parents])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for figures in _table:
        terminalreporter.write_line(" ".join(f"{key}={value}" for key, value in asdict(figures).items()))
    if _table and not os.environ.get(RESTART):
        terminalreporter.write_line(f"NOT TESTED: a restart of the API server. {RESTART} names no command for it.")


@pytest.fixture(scope="module")
def ledger(up: Engine) -> Ledger:
    """All streams first, one after the other, then one wait for what is late."""
    up.forget()
    up.set(notify__cap="5000", notify__mode="approve", label_pod__cap="100")
    up.still()  # what a pod that is on its way out writes may not be read any more
    sensor: Object = up.cluster.get("sensor", "notify", PIPELINE)["spec"]
    faults = [fault for fault in FAULTS if not fault.name.startswith("API server") or os.environ.get(RESTART)]
    try:
        with following(up.cluster) as records, recording(up) as record:
            found = settle(up, [stream(up, fault) for fault in faults], records, record)
    finally:
        whole = up.cluster.get("sensor", "notify", PIPELINE)["spec"] == sensor
        sensor["template"]["metadata"] = None
        back = edited(lambda _: sensor)(up.cluster)
        up.set(notify__cap=None, notify__mode=None, label_pod__cap=None)
        up.forget()
        wait("the Sensor as it was", lambda: whole or back())
    _table.extend(found.figures.values())
    if path := os.environ.get(FIGURES):
        lines = [*map(asdict, found.figures.values()), {"account": found.account.counts | {"lost": len(found.lost)}}]
        with Path(path).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    return found
