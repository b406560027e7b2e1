"""Clients that dawdle, that say nothing, and that are too many. The limits are shortened, so that none waits long."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from support.dispatcher import MODULES, TOKENS, ask, post, rest, wire

serve = MODULES["serve"]
IDLE, SLOW, WORK, CONNECTIONS = 0.5, 0.3, 1.2, 12
BUSY = 5  # seconds more, on a machine that has no time
REQUEST = post(b"[]")


class Ports:
    """Both ports, answered by threads of this process; what a delivery waits for is the test's to say."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in (("IDLE", IDLE), ("SLOW", SLOW), ("WORK", WORK), ("CONNECTIONS", CONNECTIONS)):
            monkeypatch.setattr(serve, name, value)
        self.written: list[str] = []
        monkeypatch.setattr(serve, "record", SimpleNamespace(write=self.written.append, line=str))
        self.go = threading.Event()
        self.go.set()
        own = {"dispatcher": self, "tokens": staticmethod(lambda: TOKENS), "timeout": IDLE}
        own |= {"stopping": threading.Event(), "counts": Counter(), "lock": threading.Lock()}
        handler = type("Handler", (serve.Handler,), own)
        self.servers = [serve.Server(("", 0), handler) for _ in range(2)]
        self.servers[0].paths, self.servers[1].paths = ("/respond",), ("/healthz", "/metrics")
        self.port, self.health_port = (each.server_port for each in self.servers)
        for each in self.servers:
            threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def take(self, response: str, _: object) -> dict[str, Any]:
        self.go.wait(10)
        return {"response": response, "outcome": "refused", "reason": ""}

    def alive(self) -> bool:
        return ask(self.port, "POST", "/respond", b"[]", Authorization=TOKENS["delete-pod"]) == (200, b"")

    def wait_for_room(self) -> None:
        until = time.monotonic() + BUSY
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                assert self.alive()
                return
            assert time.monotonic() < until
            time.sleep(0.02)

    def stop(self) -> None:
        self.go.set()
        for each in self.servers:
            each.shutdown()
            each.server_close()


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ports]:
    made = Ports(monkeypatch)
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("data", "limit"),
    [
        (b"", IDLE),
        (b"POST", IDLE),
        (REQUEST[:30], IDLE + SLOW),  # within the header
        (REQUEST[:-1], IDLE + SLOW),  # within the body
    ],
)
@pytest.mark.parametrize("drip", [b"", b"x"])
def test_who_does_not_get_on_is_cut_off(ports: Ports, data: bytes, limit: float, drip: bytes) -> None:
    """Also one that sends a byte now and then, which would hold a plain timeout off for ever."""
    with wire(ports.port, data, timeout=0.1) as connection:
        started, said = time.monotonic(), b"-"
        while said == b"-" and time.monotonic() < started + limit + BUSY:
            try:
                if drip and not data.endswith(b"["):
                    connection.sendall(drip)
                said = connection.recv(100)
            except TimeoutError:
                continue
            except OSError:
                said = b""
        assert said in (b"", b"HTTP/1.1 400 \r\n") or said.startswith(b"HTTP/1.1 4"), said
        assert time.monotonic() - started < limit + BUSY
    assert ports.written == []
    assert ports.alive()


def test_a_connection_may_rest_between_requests_but_not_for_ever(ports: Ports) -> None:
    with wire(ports.port, REQUEST) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
        time.sleep(SLOW + 0.1)
        connection.sendall(REQUEST)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
        started = time.monotonic()
        assert rest(connection) == b""
        assert IDLE - 0.1 < time.monotonic() - started < IDLE + BUSY


def test_an_answer_may_take_longer_than_a_request(ports: Ports) -> None:
    ports.go.clear()
    threading.Timer(SLOW + IDLE + 0.1, ports.go.set).start()
    assert ports.alive()


def test_an_answer_that_never_comes_is_not_waited_for(ports: Ports) -> None:
    ports.go.clear()
    with wire(ports.port, REQUEST, timeout=4) as connection:
        assert rest(connection) == b""
    assert [len(each.busy) for each in ports.servers] == [1, 0]
    ports.go.set()
    assert ports.alive()


def test_more_clients_than_it_takes_are_turned_away_at_once(ports: Ports) -> None:
    ports.go.clear()
    with contextlib.ExitStack() as kept:
        opened = [kept.enter_context(wire(ports.port, REQUEST)) for _ in range(CONNECTIONS)]
        while len(ports.servers[0].busy) < CONNECTIONS:
            time.sleep(0.01)
        for _ in range(5):
            with wire(ports.port, REQUEST) as connection:
                assert rest(connection) == b""
        assert ask(ports.health_port, "GET", "/healthz") == (200, b"")  # or the kubelet would end it
        ports.go.set()
        assert all(each.recv(1000).startswith(b"HTTP/1.1 200 ") for each in opened)
    assert len(ports.written) == CONNECTIONS
    ports.wait_for_room()


def test_half_open_clients_make_room_again(ports: Ports) -> None:
    with contextlib.ExitStack() as kept:
        for _ in range(CONNECTIONS):
            kept.enter_context(wire(ports.port))
        started = time.monotonic()
        ports.wait_for_room()
        assert time.monotonic() - started > IDLE - 0.3
