"""The dispatcher's ports, as a process as in its pod: who is let in, what is answered, and how it ends."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.apiserver import ApiServer, slow
from support.dispatcher import TOKENS, Process, Sender, alert, api, ask, post, rest, uid, wire, workflows

GOOD = TOKENS["delete-pod"]
SAMPLE = re.compile(
    r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-z_]+="([^"\\\n]|\\[\\"n])*",?)*\})? [0-9]+(\.[0-9]+)?'
)  # a line of Prometheus' text format


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with api() as made:
        yield made


@pytest.fixture(scope="module")
def running(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with Process(tmp_path_factory.mktemp("dispatcher"), server.url) as made:
        yield made


@pytest.fixture(autouse=True)
def untouched(server: ApiServer) -> Iterator[None]:
    """What does not get in must not reach the API server."""
    before = len(server.state.requests)
    yield
    assert len(server.state.requests) == before


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        GOOD[:-1],
        GOOD + "x",
        GOOD.removeprefix("Bearer "),
        GOOD.lower(),
        GOOD.replace(" ", "  "),
        f"Basic {GOOD}",
        "Bearer délete",
        "null",
    ],
)
def test_a_wrong_token_is_401(running: Process, token: str | None) -> None:
    given = {} if token is None else {"Authorization": token}
    assert ask(running.port, "POST", "/respond", json.dumps(alert()).encode(), **given) == (401, b"")


def test_the_token_names_the_response(running: Process) -> None:
    for response in TOKENS:
        assert running.send([], response) == 200
        assert (running.records()[-1]["response"], running.records()[-1]["outcome"]) == (response, "refused")


def test_tokens_are_taken_up_while_it_runs(running: Process) -> None:
    def code(token: str) -> int:
        return ask(running.port, "POST", "/respond", b"[]", Authorization=token)[0]

    running.tokens.write(
        {
            "delete-pod": "Bearer rotated\n",  # as an editor saves it
            "notify": "Bearer the-token-of-notify",
            "label-pod": "",
            "contain-pod": " \n",
            "release-pod": "Bearer ",  # a Secret that was made of an unset variable
        }
    )
    try:
        started = time.monotonic()
        while code("Bearer rotated") != 200:
            assert time.monotonic() < started + 10
            time.sleep(0.05)
        assert code("Bearer the-token-of-notify") == 200
        assert running.records()[-1]["response"] == "notify"
        refused = [GOOD, TOKENS["isolate-pod"], "", " ", "Bearer", "Bearer ", "Bearer rotated\t"]
        assert [code(token) for token in refused] == [401] * len(refused)
    finally:
        running.tokens.write(TOKENS)
        time.sleep(1.1)
    assert [code(GOOD), code("Bearer rotated")] == [200, 401]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/", 404),
        ("POST", "/respond/", 404),
        ("POST", "/respond?response=delete-pod", 404),
        ("POST", "/metrics", 404),
        ("PUT", "/respond", 405),
        ("DELETE", "/respond", 405),
        ("HEAD", "/respond", 405),
        ("OPTIONS", "*", 405),
        ("PROPFIND", "/respond", 405),
    ],
)
def test_another_path_or_method(running: Process, method: str, path: str, code: int) -> None:
    assert ask(running.port, method, path, b"{}", Authorization=GOOD) == (code, b"")


def test_each_port_serves_its_own(running: Process) -> None:
    """Who may look at the metrics can't post, and who may post can't look."""
    assert ask(running.port, "GET", "/respond") == (405, b"")
    assert [ask(running.port, "GET", path)[0] for path in ("/healthz", "/metrics")] == [404, 404]
    assert ask(running.health_port, "POST", "/respond", b"{}", Authorization=GOOD) == (404, b"")
    assert [ask(running.health_port, "GET", path)[0] for path in ("/healthz", "/metrics")] == [200, 200]


def test_nothing_is_told_by_a_get(running: Process) -> None:
    for path in ("/", "/respond", "/healthz/", "/metrics/..", "/etc/kre/tokens/delete-pod"):
        assert running.ask("GET", path, Authorization=GOOD) == (404, b"")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"x",
        b"\xff\xfe\xfd",
        b'{"a": "\xff"}',
        b'{"namespace": }',
        b"[" * 8192,
        b'{"a":' * 1500,
        b"1" * 5000,
        b"{}{}",
    ],
)
def test_what_is_no_json_is_400(running: Process, body: bytes) -> None:
    assert running.send(body) == 400


@pytest.mark.parametrize("body", [b"null", b"[]", b"7", b"NaN", b"1e999", b'"text"', b"[[[[]]]]", b"{}"])
def test_json_that_is_no_alert_is_refused_with_a_record(running: Process, body: bytes) -> None:
    before = len(running.records())
    assert running.send(body) == 200
    (record,) = running.records()[before:]
    assert (record["outcome"], record["part"], record["response"]) == ("refused", "dispatcher", "delete-pod")


@pytest.mark.parametrize(
    ("length", "code"),
    [
        ("524289", 413),
        ("99999999999", 413),
        ("0" * 20 + "99999999", 413),
        ("9" * 5000, 413),
        ("-1", 411),
        ("+5", 411),
        ("1_0", 411),
        ("0x10", 411),
        ("٣", 411),
        ("", 411),
        ("2, 2", 411),
    ],
)
def test_a_bad_or_great_length_is_answered_unread(running: Process, length: str, code: int) -> None:
    """The answer comes although nothing of the body was sent; then the connection ends."""
    head = f"POST /respond HTTP/1.1\r\nAuthorization: {GOOD}\r\nContent-Length: {length}\r\n\r\n"
    with wire(running.port, head.encode(), timeout=4) as connection:
        assert rest(connection).startswith(f"HTTP/1.1 {code} ".encode())


def test_the_longest_body_is_read(running: Process) -> None:
    assert running.send(b"[" + b" " * 8190 + b"]") == 200


@pytest.mark.parametrize("length", [8193, 1 << 19])
def test_a_body_that_is_too_long_is_refused_for_good(running: Process, length: int) -> None:
    """With a record. A status that is not 200 would have the Sensor ask again for a minute, all else behind it."""
    before = len(running.records())
    body = json.dumps(alert(uid="x" * length)).encode()[:length]
    assert running.send(body) == 200
    (record,) = running.records()[before:]
    assert (record["outcome"], record["reason"]) == ("refused", "the body is no object, or too long")


def test_chunks_and_a_missing_length_are_411(running: Process) -> None:
    for more in ("Transfer-Encoding: chunked\r\n", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", ""):
        head = f"POST /respond HTTP/1.1\r\nAuthorization: {GOOD}\r\n{more}\r\n"
        with wire(running.port, head.encode() + b"2\r\n[]\r\n0\r\n\r\n") as connection:
            assert rest(connection).startswith(b"HTTP/1.1 411 ")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"POST /respond HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % each for each in range(200)) + b"\r\n", b"431"),
        (b"POST /respond HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", b"431"),
        (b"POST /" + b"y" * 70_000, b"414"),
        (b"POST /respond HTTP/9.9\r\n\r\n", b"505"),
        (b"POST /respond HTTP/x\r\n\r\n", b"400"),
        (b"hello\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", b"400"),
    ],
)
def test_what_is_no_sound_http(running: Process, data: bytes, code: bytes) -> None:
    with wire(running.port, data) as connection:
        said = rest(connection)
    assert said == b"" or (said.split()[1] == code and said.endswith(b"\r\n\r\n"))  # "": reset, with much unread


def test_a_connection_is_kept_and_used_again(running: Process) -> None:
    with Sender(running.port) as sender:
        assert sender.send([]) == 200
        kept = sender.connection.sock
        assert kept is not None
        assert [sender.send([]) for _ in range(5)] == [200] * 5
        assert sender.connection.sock is kept
        assert sender.send(b"{") == 400  # what goes wrong ends it, and says so
        assert sender.connection.sock is None


def test_requests_in_one_piece_are_answered_in_turn(running: Process) -> None:
    with wire(running.port, post(b"[]") + post(b"7") + post(b"[]", "Bearer wrong") + post(b"[]")) as connection:
        codes = re.findall(rb"HTTP/1.1 (\d+) ", rest(connection))
    assert codes == [b"200", b"200", b"401"]  # the last is not taken any more


def test_a_client_that_waits_to_be_asked_is_asked(running: Process) -> None:
    with wire(running.port, post(b"", length=2, more="Expect: 100-continue\r\n")) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"[]")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


def test_clients_that_go_away_leave_no_mark(running: Process) -> None:
    """Nothing on standard error, which __exit__ of the process sees to; and the server goes on."""
    for data in (b"", b"POST", post(b"[]", length=100), post(b"[]"), b"GET /metrics HTTP/1.1\r\n\r\n" * 50):
        for linger in (False, True):
            with wire(running.port, data) as connection:
                if linger:
                    connection.setsockopt(1, 13, b"\x01\0\0\0\0\0\0\0")  # SO_LINGER: it is a reset
    time.sleep(0.1)
    assert running.send([]) == 200


def test_metrics_count_alerts_and_answers(running: Process) -> None:
    def metrics() -> dict[str, float]:
        code, text = running.ask("GET", "/metrics")
        lines = text.decode().splitlines()
        assert code == 200
        assert text.endswith(b"\n")
        assert [line for line in lines if not SAMPLE.fullmatch(line)] == []
        made = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}
        assert len(made) == len(lines)
        return made

    running.send([])
    before = metrics()
    running.send([])
    running.send(b"{")
    after = metrics()
    more = {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key)}
    assert more == {
        'kre_dispatcher_alerts_total{response="delete-pod",outcome="refused"}': 1,
        'kre_dispatcher_answers_total{code="200"}': 2,  # the first /metrics is one
        'kre_dispatcher_answers_total{code="400"}': 1,
    }


def test_it_ends_when_asked_and_finishes_what_is_under_way(tmp_path: Path) -> None:
    late = [slow(1.0)]
    with (
        api(fault=lambda asked, _: late.pop() if asked.resource == "workflows" and late else None) as server,
        Process(tmp_path, server.url, drain=0.5) as process,
    ):
        assert process.ask("GET", "/healthz") == (200, b"")
        codes: list[int] = []
        sending = threading.Thread(target=lambda: codes.append(process.send(alert())))
        sending.start()
        while late:
            time.sleep(0.01)
        ending = threading.Thread(target=process.stop)
        ending.start()
        time.sleep(0.15)
        assert process.ask("GET", "/healthz") == (503, b"")
        assert process.send(alert(uid=uid(2))) == 200  # until Endpoints have followed, alerts still come
        ending.join()
        sending.join()
        assert codes == [200]
        assert process.process.returncode == 0
        assert len(workflows(server)) == 2
        records = process.records()
        assert [each["outcome"] for each in records] == ["dispatched", "dispatched", "stopped"]
        with pytest.raises((OSError, http.client.HTTPException)):
            ask(process.port, "GET", "/healthz")


def test_it_does_not_wait_for_connections_that_are_idle(tmp_path: Path) -> None:
    with api() as server, Process(tmp_path, server.url) as process, Sender(process.port) as sender:
        assert sender.send([]) == 200
        started = time.monotonic()
        assert process.stop() == 0
        assert time.monotonic() - started < 10
