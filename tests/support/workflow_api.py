"""An API server of Workflows that knows versions, watches, bookmarks and finalizers, and breaks as it is told; and the
Workflows that it has."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import socket
import threading
import time
from collections import deque
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

HOLD = "kre/record"
Object = dict[str, Any]


# ---- Workflows


def uid(number: int) -> str:
    return f"{number:08x}-77aa-4e8f-9c6d-0a1b2c3d4e01"


def workflow(number: int = 1, response: str = "delete-pod", *, held: bool = True, **status: Any) -> Object:
    """As the dispatcher makes it; with `status` of Argo's."""
    given = {"namespace": "shop", "pod": f"web-{number}", "uid": uid(900 + number), "rule": "terminal-shell"}
    given |= {"alert": uid(500 + number), "received": "1785000000", "mode": "enforce"}
    metadata: Object = {"name": f"{response}-{number:020x}", "namespace": "kre-responses", "uid": uid(number)}
    metadata |= {"labels": {"kre/response": response}, "creationTimestamp": stamp()}
    metadata |= {"finalizers": [HOLD]} if held else {}
    parameters = [{"name": name, "value": value} for name, value in given.items()]
    spec = {"workflowTemplateRef": {"name": response}, "arguments": {"parameters": parameters}}
    made: Object = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec}
    return made | ({"status": status} if status else {})


def stamp(at: float | None = None) -> str:
    return datetime.fromtimestamp(time.time() if at is None else at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node(name: str = "act", phase: str = "Succeeded", message: str = "", **more: Any) -> Object:
    """A pod's node. `record` is what its responder has left, `code` the exit code of its container."""
    made: Object = {"id": name, "type": "Pod", "templateName": "record" if name == "record" else "act", "phase": phase}
    made |= {"startedAt": stamp(), "message": message}
    record, code = more.pop("record", None), more.pop("code", None)
    if phase not in ("Pending", "Running"):
        made |= {"finishedAt": more.pop("at", stamp())}
    outputs: Object = {"exitCode": code} if code is not None else {}
    if record is not None:
        text = record if isinstance(record, str) else json.dumps(record)
        outputs["parameters"] = [{"name": "outcome", "value": "x"}, {"name": "record", "value": text}]
    return made | ({"outputs": outputs} if outputs else {}) | more


def said(outcome: str = "deleted", step: str = "act", **more: str) -> Object:
    """A responder's record."""
    known = {"part": "responder", "outcome": outcome, "step": step, "reason": f"because: {outcome}", "by": ""}
    return known | {"event": "written: e"} | more


def nodes(*made: Object) -> Object:
    return {one["id"] + str(index): one for index, one in enumerate(made)}


def ended(phase: str, *made: Object, message: str = "") -> Object:
    """The status of one that has ended."""
    return {"phase": phase, "message": message, "finishedAt": stamp(), "nodes": nodes(*made)}


def compressed(made: Object) -> str:
    """Nodes as Argo keeps those of a large Workflow."""
    import gzip

    return base64.b64encode(gzip.compress(json.dumps(made).encode())).decode()


# ---- the API server


class Api:
    """Workflows, and everything that was told of them since version `kept`."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.log: list[tuple[int, str, Object]] = []  # version, type, object as it was told
        self.version, self.kept = 100, 0
        self.changed = threading.Condition(threading.RLock())
        self.watches: deque[str] = deque()  # what happens to the next watches: see _Handler._watch
        self.answers: deque[int] = deque()  # codes of the next patches, instead of being done; -1: done, and no answer
        self.asked: list[str] = []  # verbs
        self.places: set[str] = set()  # what they were about
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.api = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.cut()
        self.server.server_close()

    # ---- what controllers and people do

    def put(self, made: Object) -> Object:
        """Makes it, or changes it into this; with metadata.finalizers as they are, once it is there."""
        with self.changed:
            name = made["metadata"]["name"]
            old = self.objects.get(name)
            made = copy.deepcopy(made)
            if old is not None:
                held = old["metadata"].get("finalizers")
                gone = old["metadata"].get("deletionTimestamp")
                made["metadata"].pop("finalizers", None)
                made["metadata"] |= {"finalizers": held} if held else {}
                made["metadata"] |= {"deletionTimestamp": gone} if gone else {}
            return self._tell("ADDED" if old is None else "MODIFIED", made)

    def delete(self, name: str, *, force: bool = False) -> None:
        """Marks it, where it has finalizers; else, or by `force`, it is gone."""
        with self.changed:
            made = copy.deepcopy(self.objects[name])
            if made["metadata"].get("finalizers") and not force:
                made["metadata"].setdefault("deletionTimestamp", stamp())
                self._tell("MODIFIED", made)
            else:
                self._tell("DELETED", made)

    def forget(self) -> None:
        """What came until now is not told to watches any more: 410."""
        with self.changed:
            self.kept = self.version

    def patch(self, name: str, operations: list[Object]) -> int:
        with self.changed:
            if name not in self.objects:
                return 404
            made = copy.deepcopy(self.objects[name])
            try:
                for one in operations:
                    _operate(made, one)
            except (LookupError, ValueError, AssertionError):
                return 422
            self._tell("MODIFIED", made)
            if made["metadata"].get("deletionTimestamp") and not made["metadata"].get("finalizers"):
                self._tell("DELETED", copy.deepcopy(made))
            return 200

    def _tell(self, kind: str, made: Object) -> Object:
        self.version += 1
        made["metadata"]["resourceVersion"] = str(self.version)
        if kind == "DELETED":
            del self.objects[made["metadata"]["name"]]
        else:
            self.objects[made["metadata"]["name"]] = made
        self.log.append((self.version, kind, copy.deepcopy(made)))
        self.changed.notify_all()
        return made

    def held(self) -> list[str]:
        """Names of those that can't go yet."""
        with self.changed:
            return sorted(name for name, one in self.objects.items() if HOLD in one["metadata"].get("finalizers", []))


def _operate(made: Object, one: Object) -> None:
    *parents, last = [part.replace("~1", "/") for part in one["path"].split("/")[1:]]
    place: Any = made
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    index: Any = int(last) if isinstance(place, list) and last != "-" else last
    if one["op"] == "test":
        assert place[index] == one["value"]
    elif one["op"] == "remove":
        del place[index]
    elif isinstance(place, list):
        place.append(one["value"])
    else:
        place[index] = one["value"]
    if made["metadata"].get("finalizers") == []:
        del made["metadata"]["finalizers"]


class _Server(ThreadingHTTPServer):
    daemon_threads, api = True, None
    allow_reuse_address = True

    def server_activate(self) -> None:
        self.open: set[socket.socket] = set()
        super().server_activate()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def cut(self) -> None:
        for one in list(self.open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def api(self) -> Api:
        return self.server.api  # type: ignore[attr-defined]

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        with self.api.changed:
            self.api.asked.append("watch" if "watch" in query else "list")
            self.api.places.add(parts.path)
        if "watch" in query:
            self._watch(int(query["resourceVersion"]))
            return
        with self.api.changed:
            items = [copy.deepcopy(one) for _, one in sorted(self.api.objects.items())]
            version = str(self.api.version)
        if "fieldSelector" in query:
            items = [one for one in items if one["metadata"]["name"] == query["fieldSelector"].partition("=")[2]]
        start, limit = int(query.get("continue") or 0), int(query.get("limit", 1000))
        more = str(start + limit) if start + limit < len(items) else ""
        self._answer(200, {"metadata": {"resourceVersion": version, "continue": more}, "items": items[start:][:limit]})

    def do_PATCH(self) -> None:
        operations = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = self.path.rpartition("/")[2]
        assert self.headers["Content-Type"] == "application/json-patch+json"
        with self.api.changed:
            self.api.asked.append("patch")
            self.api.places.add(self.path.rpartition("/")[0])
            code = self.api.answers.popleft() if self.api.answers else 0
            done = self.api.patch(name, operations) if code in (0, -1) else code
        if code == -1:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._answer(done, {"kind": "Status", "code": done, "reason": "made up"})

    def _answer(self, code: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _watch(self, version: int) -> None:
        """One watch, with the next fault: `410` before it or `expired` within, `500`, `cut` in the middle of an event,
        `reset` or `end` after one, `mangled`, `bookmark` first, `twice` (each event is told two times)."""
        with self.api.changed:
            fault = self.api.watches.popleft() if self.api.watches else ""
            kept = self.api.kept
        if fault in ("410", "500"):
            self._answer(int(fault), {"kind": "Status", "code": int(fault)})
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if fault == "expired" or version < kept:
            self._event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired"})
            self.wfile.write(b"0\r\n\r\n")
            return
        if fault == "bookmark":
            self._bookmark()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with self.api.changed:
                new = [entry for entry in self.api.log if entry[0] > version]
                if not new:
                    self.api.changed.wait(0.1)
                    continue
            for number, kind, made in new:
                if fault in ("cut", "mangled"):
                    text = json.dumps({"type": kind, "object": made}).encode()
                    self._chunk(text[: len(text) // 2] + (b"\n" if fault == "mangled" else b""))
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                for _ in range(2 if fault == "twice" else 1):
                    self._event(kind, made)
                version = number
                if fault == "reset":
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                if fault == "end":
                    self.wfile.write(b"0\r\n\r\n")
                    return
        self.wfile.write(b"0\r\n\r\n")

    def _bookmark(self) -> None:
        version = str(self.api.version)
        self._event("BOOKMARK", {"kind": "Workflow", "metadata": {"resourceVersion": version}})

    def _event(self, kind: str, made: object) -> None:
        self._chunk(json.dumps({"type": kind, "object": made}).encode() + b"\n")

    def _chunk(self, text: bytes) -> None:
        self.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")
        self.wfile.flush()
