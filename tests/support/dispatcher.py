"""A dispatcher to send alerts to: as a process as in its pod, or within the test, with a clock of the test's own."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from demo.apiserver import ApiServer, State, lease, namespace, pod
from demo.apiserver.handling import Rights
from demo.apiserver.server import Faults
from support.engine import CODE, fresh

UID = "7f9d2c1e-5b3a-4e8f-9c6d-0a1b2c3d4e01"
ALERT = "0e5d1a5c-4c5b-4d7e-9d6c-2f4e0a7b9c11"
EDGE = 1_800_000_000  # epoch seconds, where a bucket of 300 s begins
TOKENS = {"delete-pod": "Bearer the-token-of-delete-pod", "isolate-pod": "Bearer the-token-of-isolate-pod"}
SETTINGS = {
    "mode": "enforce",
    "targets": "^(shop|till)$",
    "protected-namespaces": "vault",
    "protected-owners": "DaemonSet",
    "min-healthy": "1",
    "min-healthy-percent": "0",
    "min-age": "0",
    "cap": "20",
    "window": "600",
    "cooldown": "300",
    "max-age": "3600",
    "delete-pod.lane": "workflow",
    "isolate-pod.lane": "label",
}
Facts = dict[str, Any]

MODULES = vars(fresh())  # a copy of its own: what is set in one is not seen in the other
_idle: list[ApiServer] = []


def uid(number: int) -> str:
    """A pod's uid."""
    return f"{number:08x}-5b3a-4e8f-9c6d-0a1b2c3d4e01"


def alert(at: float | None = None, **changes: Any) -> Facts:
    """What a Sensor posts; `at` is when the EventSource took it, else now."""
    received = datetime.fromtimestamp(time.time() if at is None else at, UTC).isoformat().replace("+00:00", "Z")
    body = {"namespace": "shop", "pod": "web-1", "uid": UID, "container": "", "rule": "Terminal shell in container"}
    return {**body, "alert": ALERT, "time": received, **changes}


@contextlib.contextmanager
def api(*objects: Any, rights: Rights | None = None, fault: Faults | None = None) -> Iterator[ApiServer]:
    """An API server with the Leases of the targets, the pod of `alert()`, and more. One that has served before is
    emptied and serves again."""
    server = _idle.pop() if _idle else ApiServer().__enter__()
    server.state, server.rights, server.fault = State(), rights, fault
    leases = [lease("kre-pipeline", f"target-{name}") for name in ("shop", "till")]
    server.state.add([namespace("kre-responses"), *leases, pod("shop", "web-1", UID), *objects])
    try:
        yield server
    finally:
        server.fault = None
        _idle.append(server)


def counted(server: ApiServer, namespace: str = "shop") -> dict[str, float]:
    """What the Lease of a target says was done lately."""
    found = next(one for one in server.state.all("leases") if one["metadata"]["name"] == f"target-{namespace}")
    return json.loads((found["metadata"].get("annotations") or {}).get("kre/actions", "{}"))


def changed(server: ApiServer, resource: str) -> list[tuple[str, str]]:
    """What was changed of a resource: (verb, name)."""
    return [(one[0], one[3]) for one in server.changes if one[1] == resource]


def workflows(server: ApiServer) -> list[Facts]:
    """The Workflows that were created: response, mode, and the parameters."""
    return [
        {"response": one["spec"]["workflowTemplateRef"]["name"]}
        | {each["name"]: each["value"] for each in one["spec"]["arguments"]["parameters"]}
        for one in server.state.all("workflows")
    ]


class Mount:
    """A folder as the kubelet keeps it: links into `..data`, itself a link, which is exchanged at once."""

    def __init__(self, folder: Path, values: Mapping[str, str | bytes]) -> None:
        self.folder, self._version = folder, 0
        folder.mkdir(parents=True)
        self.write(values)

    def write(self, values: Mapping[str, str | bytes]) -> None:
        """Exchanges all values for others."""
        self._version += 1
        real = self.folder / f"..{self._version}"
        real.mkdir()
        for name, value in values.items():
            (real / name).write_bytes(value if isinstance(value, bytes) else value.encode())
        (self.folder / "..new").symlink_to(real.name)
        (self.folder / "..new").rename(self.folder / "..data")
        for link in self.folder.glob("[!.]*"):
            link.unlink()
        for name in values:
            (self.folder / name).symlink_to(f"..data/{name}")


@dataclass
class Local:
    """A Dispatcher of this process, whose time and settings are the test's to say."""

    server: ApiServer
    now: float = EDGE + 100
    settings: dict[str, str] = field(default_factory=lambda: dict(SETTINGS))
    patience: float = 0.05
    timeout: float = 2.0

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Another replica takes over, which remembers nothing."""
        self.client = MODULES["api"].Client(self.server.url, patience=self.patience, timeout=self.timeout)
        self.dispatcher = MODULES["decide"].Dispatcher(self.client, lambda: self.settings, lambda: self.now)

    def take(self, response: str = "delete-pod", at: float | None = None, **changes: Any) -> Facts:
        """Delivers an alert, received `at` (else now); returns the facts of its record."""
        try:
            return self.dispatcher.take(response, alert(self.now if at is None else at, **changes))
        finally:
            self.client._connection().close()

    def outcome(self, response: str = "delete-pod", at: float | None = None, **changes: Any) -> str:
        """As `take`, but only how it ended."""
        return str(self.take(response, at, **changes)["outcome"])


class Process:
    """A dispatcher process; `tokens` and `settings` are its mounts, `lines` what it printed so far."""

    def __init__(self, folder: Path, url: str, settings: Mapping[str, str] | None = None, drain: float = 0.0) -> None:
        self.settings = Mount(folder / "settings", SETTINGS if settings is None else settings)
        self.tokens = Mount(folder / "tokens", TOKENS)
        environ = {"PATH": "/usr/bin:/bin", "KRE_API": url, "KRE_PORT": "0", "KRE_HEALTH_PORT": "0"}
        environ |= {"KRE_SETTINGS": str(self.settings.folder), "KRE_TOKENS": str(self.tokens.folder)}
        command = [sys.executable, "-EsB", str(CODE / "dispatcher.py")]
        self._errors = (folder / "stderr").open("w+")
        self.process = subprocess.Popen(
            command, env=environ | {"KRE_DRAIN": str(drain)}, stdout=subprocess.PIPE, stderr=self._errors, bufsize=0
        )
        assert self.process.stdout
        self.lines: list[bytes] = []
        self._reading = threading.Lock()  # while what was read is not yet among the lines
        late = threading.Timer(60, self.process.kill)  # one that says nothing is a failure, and none to wait for
        late.start()
        first = json.loads(self.process.stdout.readline())
        late.cancel()
        assert first["outcome"] == "listening"
        self.port, self.health_port = first["port"], first["health_port"]
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        pipe, rest = self._pipe(), b""
        while True:
            select.select([pipe], [], [])
            with self._reading:
                read = os.read(pipe, 65536)
                *lines, rest = (rest + read).split(b"\n")
                self.lines.extend(line + b"\n" for line in lines)
            if not read:
                return

    def _pipe(self) -> int:
        assert self.process.stdout
        return self.process.stdout.fileno()

    def _unread(self) -> int:
        """How many bytes it has printed that nobody has read."""
        with self._reading:
            return int.from_bytes(fcntl.ioctl(self._pipe(), termios.FIONREAD, bytes(4)), sys.byteorder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        said = self.errors()
        self._errors.close()
        assert kind or said == "", said

    def kill(self) -> None:
        """Ends it at once, as a crash does."""
        self.process.kill()
        self.process.wait()
        self._reader.join(10)
        if self.process.stdout:
            self.process.stdout.close()

    def stop(self) -> int:
        """Asks it to end, and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self._reader.join(10)
        return code

    def errors(self) -> str:
        """What it wrote to standard error."""
        self._errors.seek(0)
        return self._errors.read()

    def records(self) -> list[Facts]:
        """Its records, all that it has printed: one before each answer."""
        while self._unread():
            time.sleep(0.001)
        return [json.loads(line) for line in list(self.lines)]

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """Status and body of an answer of the health port for a GET, else of the other."""
        return ask(self.health_port if method == "GET" else self.port, method, path, body, **headers)

    def send(self, body: Any, response: str = "delete-pod") -> int:
        """Delivers an alert as the Sensor of a response; returns the status, having seen that the answer is empty."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        code, said = self.ask("POST", "/respond", content, Authorization=TOKENS[response])
        assert said == b""
        return code


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """Status and body of an answer, by a connection of its own."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


class Sender:
    """A Sensor: delivers over one connection that it keeps."""

    def __init__(self, port: int, response: str = "delete-pod") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.headers = {"Authorization": TOKENS[response], "Content-Type": "application/json"}

    def send(self, body: Any) -> int:
        """Delivers one alert (bytes as they are); returns the status, having seen that the answer is empty."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.connection.request("POST", "/respond", content, self.headers)
        answer = self.connection.getresponse()
        assert answer.read() == b""
        return answer.status

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()


@contextlib.contextmanager
def wire(port: int, data: bytes = b"", timeout: float = 20) -> Iterator[socket.socket]:
    """A connection on which `data` was sent as it is."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as made:
        made.sendall(data)
        yield made


def rest(connection: socket.socket) -> bytes:
    """All that comes until the other side ends the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):  # it ended it before it had read all
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def post(body: bytes, token: str = TOKENS["delete-pod"], length: int | None = None, more: str = "") -> bytes:
    """The bytes of a POST, whose Content-Length may be wrong."""
    head = f"POST /respond HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n{more}"
    return f"{head}Content-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body
