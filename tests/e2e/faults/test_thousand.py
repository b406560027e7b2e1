"""A thousand alerts while each part is killed once and a filter is edited: none that was acknowledged is lost, and the
record of them closes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from e2e.engine import DEMO, RESPONSES, Engine
from e2e.faults.breaking import FAULTS
from e2e.faults.conftest import FIGURES
from e2e.faults.ledger import OTHER
from e2e.faults.records import Records, following
from e2e.kubectl import alert, wait
from e2e.load import Barrage, shot
from e2e.recording import Recording, recording
from kre.record.account import Account, close

pytestmark = pytest.mark.e2e
COUNT, RATE, EACH = 1000, 12, 20  # alerts; a second; of so many one is to act
STRUCK = (
    "dispatcher: both pods killed", "Sensor: pod killed", "EventSource: both pods killed",
    "intake: one of two pods killed",
    "bus: one of three servers killed", "workflow controller: pod killed", "Sensor: filter edited",
)  # fmt: skip
EVERY, AGAIN = 120, 75.0  # alerts between two faults; seconds until the second post of the last one is through


def test_none_of_a_thousand_is_lost(up: Engine) -> None:
    up.forget()
    up.set(notify__cap="5000", notify__mode="approve")
    try:
        with following(up.cluster) as records, recording(up) as record:
            sent = _sent(up)
            account = _closed(up, sent, records, record)
    finally:
        up.set(notify__cap=None, notify__mode=None)
        up.forget()
    lost = [gap for gap in account.gaps if gap.kind != "not-received"]
    if path := os.environ.get(FIGURES):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"thousand": {**account.counts, "lost": len(lost)}}) + "\n")
    assert lost == []
    assert account.counts["sent"] == COUNT
    assert len(account.gaps) == sum(status != 200 for status in sent.values()), "and what was not taken is told"
    assert account.counts["dispatched"] == COUNT // EACH


def _sent(engine: Engine) -> dict[str, int]:
    """uuid -> the status of its post. Each fault strikes when the one before is over."""
    shots = []
    for index in range(COUNT):
        made = alert("notify", DEMO, f"thousand-{index}", OTHER)
        if index % EACH:
            made["output_fields"]["k8s.pod.uid"] = "x"  # refused with a record: all of the way but the API server
        shots.append(shot(made))
    barrage, faults = Barrage(shots, rate=RATE, workers=16, detached=True), {each.name: each for each in FAULTS}
    for number, name in enumerate(STRUCK):
        wait(f"alert {number * EVERY}", lambda number=number: barrage.count() >= number * EVERY + 20, 60, 0.2)
        back = faults[name].strike(engine.cluster)
        wait(f"{name}, and back", back, 90, 0.2)
    return {key: int(answer.status) if answer.status.isdigit() else 0 for key, answer in barrage.answers().items()}


def _closed(engine: Engine, sent: dict[str, int], records: Records, record: Recording) -> Account:
    taken = {key for key, status in sent.items() if status == 200}
    until = time.monotonic() + AGAIN
    while not taken <= records.by_alert().keys() and time.monotonic() < until:
        time.sleep(0.5)
    engine.cluster.run("-n", RESPONSES, "delete", "workflows", "--selector=kre/response=notify", "--wait=false")
    made = {
        line["workflow"] for key in taken for line in records.by_alert().get(key, []) if line["outcome"] == "dispatched"
    }
    wait("a line of each end", lambda: made <= record.ends().keys(), 120, 0.5)
    said = [line for key in sent for line in records.by_alert().get(key, [])]
    ends = [line for line in record.lines() if line["alert"] in sent]
    return close([*said, *ends], sent, time.time(), grace=0)
