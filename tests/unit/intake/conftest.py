"""The intake as in its pod: a process between us and an EventSource double."""

from __future__ import annotations

import http.client
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from support.repository import PROJECT

CODE = PROJECT / "base/pipeline/options/intake/code"
ALERT = next((PROJECT / "base/responses/options/delete-pod/alerts").glob("1-*.json"))
TOKEN = "Bearer a-token"


@dataclass
class EventSource:
    """What was posted to it: (headers, body); and how it answers: by `answers` first, then 200."""

    port: int = 0
    posted: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)  # 0: none at all
    hold: threading.Event = field(default_factory=threading.Event)  # set: it answers at once

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.posted]


@contextmanager
def eventsource(port: int = 0, wrap: Callable[[Any], Any] | None = None) -> Iterator[EventSource]:
    """Serves one."""
    made = EventSource()
    made.hold.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.posted.append((dict(self.headers), body))
            made.hold.wait(30)
            code = made.answers.pop(0) if made.answers else 200
            if code == 0:
                self.close_connection = True
                return
            if self.headers.get("Authorization") != TOKEN:
                code = 401
            self.send_response(code)
            self.send_header("Content-Length", "7")
            self.end_headers()
            self.wfile.write(b"success")

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", port), Handler)
    made.port = server.server_port
    if wrap:
        server.socket = wrap(server.socket)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Intake:
    """The process, its ports and what it prints."""

    process: subprocess.Popen[str]
    port: int
    health_port: int
    lines: queue.SimpleQueue[dict[str, Any]]

    def post(
        self, body: bytes, headers: Mapping[str, str] | None = None, path: str = "/falco", method: str = "POST"
    ) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {"Authorization": TOKEN} if headers is None else dict(headers))
            answer = connection.getresponse()
            assert answer.read() == b""
            return answer.status
        finally:
            connection.close()

    def look(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def record(self) -> dict[str, Any]:
        return self.lines.get(timeout=10)


@contextmanager
def intake(source_port: int, **environ: str) -> Iterator[Intake]:
    """Runs one."""
    known = {"KRE_NEXT": f"127.0.0.1:{source_port}", "KRE_PORT": "0", "KRE_HEALTH_PORT": "0", "KRE_DRAIN": "0.1"}
    known |= {"KRE_PATIENCE": "2", "KRE_TLS": "/nowhere", "KRE_AGAIN": "0", "PATH": os.environ["PATH"]} | environ
    command = [sys.executable, "-EsB", str(CODE / "intake.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=known) as process:
        assert process.stdout is not None
        first, lines = json.loads(process.stdout.readline()), queue.SimpleQueue[dict[str, Any]]()
        stream = process.stdout

        def read() -> None:
            for line in stream:
                lines.put(json.loads(line))

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            yield Intake(process, first["port"], first["health_port"], lines)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            reader.join(5)


@pytest.fixture
def source() -> Iterator[EventSource]:
    with eventsource() as made:
        yield made


@pytest.fixture
def started(source: EventSource) -> Iterator[Intake]:
    with intake(source.port) as made:
        yield made


def alert(**changes: Any) -> bytes:
    """A recorded alert, with changes of its fields (`pod`, `uid`, ... of output_fields by their last word)."""
    made = json.loads(ALERT.read_text())
    fields = {key: changes.pop(key) for key in ("pod", "uid") if key in changes}
    made["output_fields"] |= {f"k8s.pod.{'name' if key == 'pod' else key}": value for key, value in fields.items()}
    return json.dumps(made | changes).encode()


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, condition
        time.sleep(0.01)
