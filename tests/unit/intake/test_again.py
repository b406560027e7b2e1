"""What the intake posts a second time, when, and what becomes of it where it has to end or has no room."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from support.modules import imported

from .conftest import CODE, EventSource, Intake, alert, eventsource, intake, until


def counted(started: Intake, outcome: str, count: int) -> bool:
    return f'kre_intake_again_total{{outcome="{outcome}"}} {count}\n' in started.look("/metrics")[1]


def test_each_alert_comes_once_more_as_it_was(source: EventSource) -> None:
    with intake(source.port, KRE_AGAIN="1") as started:
        begun = time.monotonic()
        bodies = [alert(pod=f"web-{number}") for number in range(3)]
        assert [started.post(body) for body in bodies] == [200] * 3
        until(lambda: len(source.posted) == 6)
        assert time.monotonic() - begun >= 1
        until(lambda: counted(started, "taken", 3))
        time.sleep(1.2)
    assert [body for _, body in source.posted] == bodies * 2, "and not a third time"
    assert source.posted[0][0]["Authorization"] == source.posted[3][0]["Authorization"]


def test_what_was_not_taken_and_what_is_a_repeat_does_not(source: EventSource) -> None:
    with intake(source.port, KRE_AGAIN="0.5") as started:
        source.answers = [400]
        assert started.post(alert(pod="refused")) == 400
        assert [started.post(alert()) for _ in range(5)] == [200] * 5
        until(lambda: counted(started, "taken", 1))
        time.sleep(0.7)
    assert len(source.posted) == 3


def test_it_is_patient_the_second_time_too() -> None:
    with eventsource() as gone:
        port = gone.port
        with intake(port, KRE_AGAIN="1", KRE_PATIENCE="1") as started:
            assert started.post(alert()) == 200
            gone.answers = [500] * 3
            until(lambda: counted(started, "taken", 1))
            assert len(gone.posted) == 5
            assert started.post(alert(pod="other")) == 200
            gone.answers = [500] * 100
            until(lambda: counted(started, "not-taken", 1))


def test_asked_to_end_it_posts_all_that_waits_at_once(source: EventSource) -> None:
    with intake(source.port, KRE_AGAIN="60") as started:
        assert [started.post(alert(pod=f"web-{number}")) for number in range(20)] == [200] * 20
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(10) == 0
        said = [started.record() for _ in range(21)][-1]
    assert (said["outcome"], said["not_again"]) == ("stopped", 0)
    assert len(source.posted) == 40


def test_asked_to_end_it_says_what_it_could_not_post(source: EventSource) -> None:
    with intake(source.port, KRE_AGAIN="60", KRE_PATIENCE="30") as started:
        assert [started.post(alert(pod=f"web-{number}")) for number in range(3)] == [200] * 3
        source.answers = [500] * 1000
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(20) == 0
        said = [started.record() for _ in range(4)][-1]
    assert said["not_again"] == 3


def test_without_room_it_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    again = imported(["again"], CODE).again
    monkeypatch.setattr(again, "ROOM", 100)
    posted: list[bytes] = []
    made = again.Again(lambda body, _: (posted.append(body), (200, 1))[1], 0.2)
    for body in (b"a" * 60, b"b" * 60, b"c" * 40):
        made.give(body, {})
    threading.Thread(target=made.run, daemon=True).start()
    assert made.finish(5) == 0
    made.give(b"d", {})
    assert posted == [b"a" * 60, b"c" * 40]
    assert made.counts == {"taken": 2, "no-room": 2}
