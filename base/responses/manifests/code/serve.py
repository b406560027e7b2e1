"""The dispatcher's ports. Answers to alerts are empty: a body would hold the Sensor's connection until its timeout."""

import hmac
import json
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import record
from decide import Dispatcher
from settings import Values

LIMIT, MOST, CONNECTIONS = 8192, 1 << 19, 200  # bytes of a body that is looked at, that is heard out; at once
IDLE, SLOW, WORK = 75.0, 5.0, 60.0  # seconds to wait for a request, for all of it to arrive, for the answer


class Server(ThreadingHTTPServer):
    """Takes a bounded number of connections, and cuts off those that do not get on."""

    daemon_threads, request_queue_size = True, 128
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


class Handler(BaseHTTPRequestHandler):
    """POST /respond, by whoever has the token of a response; GET /healthz and /metrics."""

    protocol_version, timeout = "HTTP/1.1", IDLE
    server: Server
    dispatcher: Dispatcher  # this and the next are set before it serves
    tokens: Values
    stopping, counts, lock = threading.Event(), Counter[str](), threading.Lock()

    def handle(self) -> None:
        with suppress(OSError):  # the client went away, or was cut off
            super().handle()

    def count(self, name: str, labels: str, more: int = 1) -> None:
        with self.lock:
            self.counts[f"kre_dispatcher_{name}_total{{{labels}}}"] += more

    def parse_request(self) -> bool:
        self.server.due[self.connection] = time.monotonic() + SLOW
        return super().parse_request()

    def answer(self, code: int, content: bytes = b"") -> None:
        self.count("answers", f'code="{code}"')
        self.send_response_only(code)
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
        metrics = "".join(f"{name} {value}\n" for name, value in sorted(self.counts.items())).encode()
        codes = {"/respond": 405, "/metrics": 200, "/healthz": 503 if self.stopping.is_set() else 200}
        code = codes[self.path] if self.path in self.server.paths else 404
        self.answer(code, metrics if (self.path, code) == ("/metrics", 200) else b"")

    def do_POST(self) -> None:
        self.server.busy.add(self.connection)
        self.answer(self._respond())
        self.server.busy.discard(self.connection)

    def _respond(self) -> int:
        if self.path != "/respond" or self.path not in self.server.paths:
            return 404
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or "Transfer-Encoding" in self.headers:
            return 411
        if len(length) > 9 or int(length) > MOST:
            return 413
        raw, given = self.rfile.read(int(length)), self.headers.get("Authorization", "").encode()
        self.server.due[self.connection] = time.monotonic() + WORK
        names = [key for key, own in self.tokens().items() if " " in own and hmac.compare_digest(given, own.encode())]
        if not names:  # "Bearer" alone is none
            return 401
        try:
            body = json.loads(raw) if len(raw) <= LIMIT else None  # refused for good: 413 would be asked again
        except (ValueError, RecursionError):
            return 400
        facts = self.dispatcher.take(names[0], body)
        record.write(record.line(facts | {"part": "dispatcher"}))
        self.count("alerts", f'response="{names[0]}",outcome="{facts["outcome"]}"')
        self.count("capped", f'response="{names[0]}"', facts["reason"].startswith("cap:"))
        return 503 if facts["outcome"] == "failed" else 200
