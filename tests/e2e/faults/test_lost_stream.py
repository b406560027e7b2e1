"""All servers of a bus without storage at once: the one fault that needs a hand."""

from __future__ import annotations

import time

import pytest

from e2e.engine import DEMO, PIPELINE, Engine
from e2e.faults.breaking import BUS, killing
from e2e.kubectl import alert, wait
from e2e.load import Barrage, shot

pytestmark = pytest.mark.e2e
OTHER = "00000000-0000-4000-8000-000000000004"
COMMAND = ("-n", PIPELINE, "rollout", "restart", "deployment")  # as docs/operate.md gives it


def test_a_bus_that_has_lost_its_stream_takes_nothing_until_it_is_made_again(engine: Engine) -> None:
    """Nothing is acknowledged that would be lost; the command of the docs mends it."""
    back = killing(BUS)(engine.cluster)
    wait("three servers", back, 120)
    lost = [alert("notify", DEMO, f"no-stream-{index}", OTHER) for index in range(5)]
    answers = Barrage([shot(made) for made in lost]).answers().values()
    assert {answer.status for answer in answers} <= {"500", "unreachable"}  # it tries for some ten seconds
    started = time.monotonic()
    engine.cluster.run(*COMMAND)
    engine.cluster.run("-n", PIPELINE, "rollout", "status", "deployment", "--timeout=120s")
    made = alert("notify", DEMO, "stream-again", OTHER)
    wait("an answer", lambda: engine.cluster.post(made) == "200", 60)
    said = wait("its record", lambda: engine.said(made["uuid"]), 60)
    assert said[0]["outcome"] == "dispatched"
    assert time.monotonic() - started < 90
