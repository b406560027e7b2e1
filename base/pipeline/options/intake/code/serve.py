"""The intake's ports: a bounded number of connections, each with a time by which it must have got on."""

import json
import os
import socket
import ssl
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import record
from again import Again
from forward import Forward
from repeats import Repeats, key

LIMIT, CONNECTIONS = 65536, 200  # bytes of an alert, as the EventSource has it; at once
IDLE, SLOW, WORK = 75.0, 5.0, 30.0  # seconds to wait for a request, for all of it to arrive, for the answer
PASSED = ("Authorization", "Content-Type", "User-Agent")
OUTCOMES = {200: "taken", 503: "not-taken"}


class Server(ThreadingHTTPServer):
    """Takes a bounded number of connections, and cuts off those that do not get on."""

    daemon_threads, request_queue_size = True, 256
    address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    paths: tuple[str, ...] = ()  # that this port serves

    def server_activate(self) -> None:
        self.due, self.busy = dict[socket.socket, float](), set[socket.socket]()  # when to cut off; being answered
        super().server_activate()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the library has it
        if len(self.due) >= CONNECTIONS:
            super().shutdown_request(request)
        else:
            self.due[request] = time.monotonic() + IDLE
            super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as before
        self.due.pop(request, None)
        self.busy.discard(request)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        for connection in [known for known, due in list(self.due.items()) if due < time.monotonic()]:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # its thread ends at the next read


def secured(server: Server, folder: str) -> None:
    """Makes the port one of TLS, where the folder has a certificate. Each connection's thread shakes hands."""
    if os.path.exists(os.path.join(folder, "tls.crt")):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(os.path.join(folder, name) for name in ("tls.crt", "tls.key")))
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)


class Handler(BaseHTTPRequestHandler):
    """POST /falco, passed on as it is; GET /healthz and /metrics."""

    protocol_version, timeout = "HTTP/1.1", IDLE
    server: Server
    forward: Forward  # this and the next two are set before it serves
    again: Again
    repeats: Repeats
    stopping, counts, lock = threading.Event(), Counter[str](), threading.Lock()

    def handle(self) -> None:
        with suppress(OSError):  # the client went away, or was cut off
            super().handle()

    def count(self, name: str, labels: str, by: int = 1) -> None:
        with self.lock:
            self.counts[f"kre_intake_{name}_total{{{labels}}}"] += by

    def parse_request(self) -> bool:
        self.server.due[self.connection] = time.monotonic() + SLOW
        return super().parse_request()

    def answer(self, code: int, content: bytes = b"") -> None:
        self.send_response_only(code)
        if content:
            self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Connection", "close" if self.close_connection or code != 200 else "keep-alive")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.server.due[self.connection] = time.monotonic() + IDLE

    def send_error(self, code: int, *_: object, **__: object) -> None:  # the library's would be a page
        self.answer({501: 405}.get(code, code))

    def log_message(self, *_: object) -> None:
        """Nothing: records are what is printed."""

    def do_GET(self) -> None:
        again = {f'kre_intake_again_total{{outcome="{name}"}}': value for name, value in self.again.counts.items()}
        metrics = "".join(f"{name} {value}\n" for name, value in sorted((self.counts | again).items())).encode()
        codes = {"/falco": 405, "/metrics": 200, "/healthz": 503 if self.stopping.is_set() else 200}
        code = codes[self.path] if self.path in self.server.paths else 404
        self.answer(code, metrics if (self.path, code) == ("/metrics", 200) else b"")

    def do_POST(self) -> None:
        self.server.busy.add(self.connection)
        self.answer(self._take())
        self.server.busy.discard(self.connection)

    def _take(self) -> int:
        if self.path not in self.server.paths or self.path != "/falco":
            return 404
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or "Transfer-Encoding" in self.headers:
            return 411
        if len(length) > 9 or int(length) > LIMIT:
            return 413
        raw = self.rfile.read(int(length))
        if len(raw) < int(length):
            return 400
        self.server.due[self.connection] = time.monotonic() + WORK
        alert = _parsed(raw)
        sent = {name: self.headers[name] for name in PASSED if name in self.headers}
        attempts = 0

        def send() -> int:
            nonlocal attempts
            status, attempts = self.forward.post(raw, sent)
            return status

        status, repeated = self.repeats.once(key(alert, sent.get("Authorization", "")) if alert else "", send)
        outcome = "repeated" if repeated else OUTCOMES.get(status, "refused")
        record.write(record.facts(alert) | {"outcome": outcome, "status": status, "attempts": attempts})
        self.count("alerts", f'outcome="{outcome}"')
        self.count("attempts", 'to="eventsource"', attempts)
        if outcome == "taken":
            self.again.give(raw, sent)
        return status


def _parsed(raw: bytes) -> dict[str, object]:
    """The alert; empty where this is none, which is the EventSource's to refuse."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
