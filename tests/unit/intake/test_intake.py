"""What the intake passes on, what it keeps back, and what it says of either."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .conftest import TOKEN, EventSource, Intake, alert, eventsource, intake, until


def test_an_alert_is_passed_on_byte_by_byte(source: EventSource, started: Intake) -> None:
    body = alert(uuid="11111111-2222-3333-4444-555555555555")
    sent = {"Authorization": TOKEN, "Content-Type": "application/json; charset=utf-8", "X-Other": "no"}
    assert started.post(body, sent) == 200
    ((headers, passed),) = source.posted
    assert passed == body
    assert (headers["Authorization"], headers["Content-Type"]) == (TOKEN, sent["Content-Type"])
    assert "X-Other" not in headers
    said = started.record()
    assert {key: said[key] for key in ("part", "outcome", "status", "attempts", "alert")} == {
        "part": "intake",
        "outcome": "taken",
        "status": 200,
        "attempts": 1,
        "alert": "11111111-2222-3333-4444-555555555555",
    }
    assert said["rule"] == "Terminal shell in container"
    assert said["namespace"] == "kre-demo"
    assert "output" not in said


def test_of_equal_alerts_one_is_passed_on(source: EventSource, started: Intake) -> None:
    with ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda index: started.post(alert(uuid=f"alert-{index}")), range(100)))
    assert codes == [200] * 100
    assert len(source.posted) == 1
    outcomes = [started.record()["outcome"] for _ in range(100)]
    assert (outcomes.count("taken"), outcomes.count("repeated")) == (1, 99)
    status, metrics = started.look("/metrics")
    assert status == 200
    assert 'kre_intake_alerts_total{outcome="repeated"} 99' in metrics
    assert 'kre_intake_alerts_total{outcome="taken"} 1' in metrics
    assert 'kre_intake_attempts_total{to="eventsource"} 1' in metrics


@pytest.mark.parametrize("change", [{"pod": "other"}, {"uid": "other"}, {"rule": "Other"}, {"priority": "Critical"}])
def test_what_differs_is_no_repeat(source: EventSource, started: Intake, change: dict[str, str]) -> None:
    assert started.post(alert()) == started.post(alert(**change)) == 200
    assert len(source.posted) == 2


def test_what_a_response_does_not_go_by_makes_no_difference(source: EventSource, started: Intake) -> None:
    assert started.post(alert(output="one", time="2026-01-01T00:00:00Z")) == 200
    assert started.post(alert(output="two", time="2026-01-02T00:00:00Z")) == 200
    assert len(source.posted) == 1


def test_it_may_come_again_after_a_while(source: EventSource) -> None:
    with intake(source.port, KRE_REPEAT="0.3") as started:
        assert started.post(alert()) == 200
        time.sleep(0.4)
        assert started.post(alert()) == 200
    assert len(source.posted) == 2


def test_another_token_s_alert_is_never_the_same(source: EventSource, started: Intake) -> None:
    assert started.post(alert()) == 200
    assert started.post(alert(), {"Authorization": "Bearer guessed"}) == 401
    assert started.post(alert(), {}) == 401
    assert [started.record()["outcome"] for _ in range(3)] == ["taken", "refused", "refused"]


def test_what_was_refused_makes_no_repeat(source: EventSource, started: Intake) -> None:
    source.answers = [400]
    assert started.post(alert()) == 400
    assert started.post(alert()) == 200
    assert len(source.posted) == 2


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"null", b'{"rule": 1}', b"\xff\xfe", b"[" * 5000, b"{}"])
def test_what_is_no_alert_is_the_eventsource_s_to_judge(source: EventSource, started: Intake, body: bytes) -> None:
    source.answers = [400, 400]
    assert started.post(body) == started.post(body) == 400
    assert [posted for _, posted in source.posted] == [body, body]


def test_it_is_patient_while_the_eventsource_fails(source: EventSource, started: Intake) -> None:
    source.answers = [500, 0, 503, 429]
    assert started.post(alert()) == 200
    assert len(source.posted) == 5
    assert started.record()["attempts"] == 5


def test_it_is_patient_while_the_eventsource_is_away() -> None:
    with eventsource() as gone:
        port = gone.port
    with intake(port, KRE_PATIENCE="10") as started, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(started.post, alert())
        time.sleep(0.5)
        assert not answer.done()
        with eventsource(port) as back:
            assert answer.result() == 200
            assert len(back.posted) == 1


def test_what_is_not_taken_is_said_and_may_be_sent_again(source: EventSource) -> None:
    with intake(source.port, KRE_PATIENCE="0.5") as started:
        source.answers = [500] * 50
        assert started.post(alert()) == 503
        assert started.record()["outcome"] == "not-taken"
        source.answers = []
        assert started.post(alert()) == 200


def test_repeats_wait_for_what_the_first_one_gets(source: EventSource, started: Intake) -> None:
    """Else they would be acknowledged before anything was."""
    source.hold.clear()
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(started.post, alert()) for _ in range(8)]
        until(lambda: len(source.posted) == 1)
        time.sleep(0.2)
        assert not any(answer.done() for answer in answers)
        source.answers = [400]  # the first is refused: the next one tries
        source.hold.set()
        codes = sorted(answer.result() for answer in answers)
    assert codes == [200] * 7 + [400]
    assert len(source.posted) == 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/falco", 405), ("POST", "/other", 404), ("PUT", "/falco", 405), ("GET", "/metrics", 404)],
)
def test_other_requests(source: EventSource, started: Intake, method: str, path: str, status: int) -> None:
    assert started.post(b"", method=method, path=path) == status
    assert source.posted == []


@pytest.mark.parametrize(("length", "status"), [("65537", 413), ("1" * 20, 413), ("-1", 411), ("x", 411), ("", 411)])
def test_lengths(source: EventSource, started: Intake, length: str, status: int) -> None:
    with socket.create_connection(("127.0.0.1", started.port), timeout=5) as client:
        head = f"Content-Length: {length}\r\n" if length else ""
        client.sendall(f"POST /falco HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
        assert client.recv(100).startswith(f"HTTP/1.1 {status} ".encode())
    assert source.posted == []


def test_a_slow_client_is_cut_off_and_hinders_nobody(source: EventSource, started: Intake) -> None:
    with socket.create_connection(("127.0.0.1", started.port), timeout=20) as slow:
        slow.sendall(b"POST /falco HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
        assert started.post(alert()) == 200
        begun = time.monotonic()
        assert slow.recv(1) == b""
        assert 3 < time.monotonic() - begun < 10
    assert len(source.posted) == 1


def test_it_answers_what_is_under_way_before_it_ends(source: EventSource, started: Intake) -> None:
    source.hold.clear()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(started.post, alert())
        until(lambda: len(source.posted) == 1)
        started.process.send_signal(signal.SIGTERM)
        until(lambda: started.look("/healthz")[0] == 503)
        threading.Timer(0.5, source.hold.set).start()
        assert answer.result() == 200
    assert started.process.wait(10) == 0


def test_hostile_words_make_one_line_of_ascii(source: EventSource, started: Intake) -> None:
    body = alert(rule="a\nb\u202e\x00", uuid="x" * 5000)
    assert started.post(body) == 200
    said = started.record()
    assert said["rule"] == "a\nb\u202e\x00"
    assert said["alert"] == "x" * 253
    assert json.loads(source.posted[0][1]) == json.loads(body)
