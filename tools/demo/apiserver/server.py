"""The API server itself: HTTP/1.1 on a port of this machine."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from demo.apiserver.faults import Fault, given
from demo.apiserver.handling import READING, Rights, handle
from demo.apiserver.objects import Object
from demo.apiserver.request import Request, parse
from demo.apiserver.state import State
from demo.apiserver.status import Answer

ENGINE = ("kre-pipeline", "kre-responses")
Faults = Callable[[Request, int], Fault | None]


class ApiServer:
    """Serves a State on a port of 127.0.0.1 while the context lasts.

    `objects` are there from the start, with the namespaces that they live in and those of the engine. `rights` says
    of each request whether its sender may make it: 403 if not; without it, everyone may do everything. `fault` says
    what is to go wrong with a request (it gets its number, from 0), where `state.faults` has nothing for it.
    `graceful`: a deleted pod stays, with a deletionTimestamp. `state` is another server's: a second door to it, with
    rights of its own.
    """

    def __init__(
        self,
        objects: Iterable[Object] = (),
        *,
        rights: Rights | None = None,
        fault: Faults | None = None,
        graceful: bool = False,
        state: State | None = None,
    ) -> None:
        self.state = state or State(graceful=graceful)
        self.rights, self.fault = rights, fault
        for name in ENGINE:
            self.state.ensure_namespace(name)
        self.state.add(objects)
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def changes(self) -> list[tuple[str, str, str, str]]:
        """What requests changed so far: (verb, resource, namespace, name)."""
        with self.state.lock:
            return list(self.state.changes)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join()

    def answer(self, request: Request) -> tuple[Answer | None, float]:
        """Takes a request: its answer (None: break the connection), and how long to wait before it is sent."""
        state = self.state
        with state.lock:
            number = len(state.requests)
            state.requests.append(request)
            fault = self._fault(request, number)
            request.refused = self.rights is not None and not self.rights(request)
            done = fault is None or fault.after or request.verb in READING
            right = handle(state, request, self.rights) if done else None
            made = right if fault is None else fault.apply(right)
            request.status = made.code if made else 0
            return made, fault.wait if fault else 0.0

    def _fault(self, request: Request, number: int) -> Fault | None:
        if self.state.faults:
            scripted = self.state.faults.pop(0)
            return scripted if scripted is None or isinstance(scripted, Fault) else given(*scripted)
        return self.fault(request, number) if self.fault else None


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close waits for them
    request_queue_size = 128

    def __init__(self, owner: ApiServer) -> None:
        self.owner = owner
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer asks DNS for a name that nobody needs
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        made, address = super().get_request()
        with self._guard:
            self._open.add(made)
        return made, address

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as the base class has it
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def stop(self) -> None:
        """Ends it, and every connection that a client keeps open."""
        self.stopping.set()
        self.shutdown()
        with self._guard:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length) if length else b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        made, wait = self.server.owner.answer(parse(self.command, self.path, _json(content), headers))
        if wait:
            self.server.stopping.wait(wait)
        try:
            if made is None:
                self._break()
            else:
                self._send(made)
        except OSError:  # the client waits no more
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _handle  # noqa: N815 - the base class's

    def _break(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, no goodbye

    def _send(self, made: Answer) -> None:
        length = len(made.body) if made.promised is None else made.promised
        self.send_response(made.code)
        headers = {"Content-Type": "application/json", "Content-Length": str(length), **made.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(made.body)
        if made.promised is not None:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        return


def _json(content: bytes) -> Any:  # noqa: ANN401 - JSON
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")
