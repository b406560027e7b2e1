"""A small API server: what the responder asks, answered as Kubernetes answers it (proved against a real one).

Knows pods: GET and DELETE by name, with preconditions.uid. Everything else is 404. Requests are kept for whoever
wants to see them; `faults` are answers to give instead, once each.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Request:
    """One request: method, path, and the body as JSON."""

    method: str
    path: str
    body: Any = None


@dataclass(slots=True)
class State:
    """Pods by (namespace, name), the requests so far, and (code, headers, body) to answer with first."""

    pods: dict[tuple[str, str], dict[str, Any]]
    requests: list[Request] = field(default_factory=list)
    faults: list[tuple[int, Mapping[str, str], bytes]] = field(default_factory=list)


def pod(
    namespace: str, name: str, uid: str, owner: str = "", annotations: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A v1 Pod as the API server returns it, as far as a responder looks at it."""
    metadata: dict[str, Any] = {"namespace": namespace, "name": name, "uid": uid, "resourceVersion": "1"}
    if annotations:
        metadata["annotations"] = dict(annotations)
    if owner:
        metadata["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": owner, "name": "owner", "uid": "0", "controller": True}
        ]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}, "status": {"phase": "Running"}}


class ApiServer:
    """Serves a State on a port of 127.0.0.1 while the context lasts."""

    def __init__(self, pods: Iterable[dict[str, Any]]) -> None:
        self.state = State({(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in pods})
        state = self.state

        class Handler(_Handler):
            served = state

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    served: State

    def do_GET(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.served.requests.append(Request(self.command, self.path, body))
        if self.served.faults:
            self._send(*self.served.faults.pop(0))
            return
        code, answer = _answer(self.served, self.command, self.path, body)
        self._send(code, {}, json.dumps(answer).encode())

    def _send(self, code: int, headers: Mapping[str, str], content: bytes) -> None:
        if code == 0:  # a connection that breaks
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        return


def _answer(state: State, method: str, path: str, body: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401 - JSON
    parts = path.strip("/").split("/")
    if len(parts) != 6 or parts[:3] != ["api", "v1", "namespaces"] or parts[4] != "pods":  # noqa: PLR2004
        return 404, _status(404, "NotFound", "the server could not find the requested resource")
    key = (parts[3], parts[5])
    found = state.pods.get(key)
    if found is None:
        return 404, _status(404, "NotFound", f'pods "{parts[5]}" not found')
    if method == "DELETE":
        wanted = ((body or {}).get("preconditions") or {}).get("uid")
        if wanted is not None and wanted != found["metadata"]["uid"]:
            message = f"the UID in the precondition ({wanted}) does not match the UID in record"
            return 409, _status(409, "Conflict", message)
        del state.pods[key]
    return 200, found


def _status(code: int, reason: str, message: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
