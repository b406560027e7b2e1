"""All servers of a bus without storage at once: the one fault that needs a hand. It comes last: what is taken before
every Sensor listens to the new stream goes nowhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from e2e.engine import DEMO, PIPELINE, Engine
from e2e.faults.breaking import BUS, killing
from e2e.kubectl import alert, wait
from e2e.load import Barrage, shot

pytestmark = pytest.mark.e2e
OTHER = "00000000-0000-4000-8000-000000000004"
COMMAND = ("-n", PIPELINE, "rollout", "restart", "deployment")  # as docs/operate.md gives it


@contextmanager
def one_sensor(engine: Engine) -> Iterator[None]:
    """The others are away: one that has lost its stream asks for it without a pause, and takes a whole processor."""
    others = ("-n", PIPELINE, "--selector=sensor-name,sensor-name!=notify")
    engine.cluster.run("scale", "deployment", *others, "--replicas=0")
    try:
        yield
    finally:
        engine.cluster.run("scale", "deployment", *others, "--replicas=1")


def test_a_bus_that_has_lost_its_stream_takes_nothing_until_it_is_made_again(engine: Engine) -> None:
    """Nothing is acknowledged that would be lost; the command of the docs mends it."""
    with one_sensor(engine):
        _loses_it(engine)


def _loses_it(engine: Engine) -> None:
    back = killing(BUS)(engine.cluster)
    wait("three servers", back, 120)
    lost = [alert("notify", DEMO, f"no-stream-{index}", OTHER) for index in range(5)]
    answers = Barrage([shot(made) for made in lost]).answers().values()
    assert {answer.status for answer in answers} <= {"500", "503", "unreachable"}  # it tries for some ten seconds
    started = time.monotonic()
    engine.cluster.run(*COMMAND)
    engine.cluster.run("-n", PIPELINE, "rollout", "status", "deployment", "--timeout=120s")
    posted: list[str] = []

    def arrives() -> bool:
        """What is acknowledged before the Sensors listen to the new stream goes nowhere, as the docs say."""
        made = alert("notify", DEMO, f"stream-again-{len(posted)}", OTHER)
        posted.extend([made["uuid"]] if engine.cluster.post(made) == "200" else [])
        return any(engine.said(key) for key in posted)

    wait("an alert that is recorded", arrives, 90, 1)
    assert time.monotonic() - started < 120
