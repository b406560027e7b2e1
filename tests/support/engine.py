"""The engine's code between an API server double and a folder of settings, as in its pod."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from demo.apiserver import (
    ApiServer,
    Fault,
    Request,
    State,
    deployment,
    networkpolicy,
    pod,
    replicaset,
    reset,
    service,
)
from support.modules import imported
from support.needs import declared
from support.repository import PROJECT

# Or a copy of it with a fault, which the tests must see: tests/safety/code.
CODE = Path(os.environ.get("KRE_ENGINE_CODE", PROJECT / "base/responses/manifests/code"))
OPTIONS = Path(os.environ.get("KRE_OPTIONS", PROJECT / "base/responses/options"))
# option -> its program and its action: those that bring code of their own
PROGRAMS = {
    "": ("responder", "delete"),
    "capture-evidence": ("evidence", "capture"),
    "cordon-node": ("cordon", "cordon"),
    "scale-down": ("scale", "scale-down"),
}
UID = "7f9d2c1e-5b3a-4e8f-9c6d-0a1b2c3d4e01"
OTHER_UID = "11111111-5b3a-4e8f-9c6d-0a1b2c3d4e02"
WORKFLOW = "some-response-0123456789abcdef0123"
APPROVED = {"KRE_ANNOTATIONS": '{"kre/approved-by": "dana@example.org"}'}
REQUESTED = {"KRE_ANNOTATIONS": '{"kre/requested-by": "ola@example.org"}'}
ACTIONS = ("delete", "isolate", "release", "label", "notify")

ENVIRON = {
    "KRE_RESPONSE": "some-response",
    "KRE_STEP": "act",
    "KRE_STATUS": "",
    "KRE_WORKFLOW": WORKFLOW,
    "KRE_NAMESPACE": "shop",
    "KRE_POD": "web-1",
    "KRE_UID": UID,
    "KRE_RULE": "terminal-shell-in-container",
    "KRE_ALERT": "0e5d1a5c-4c5b-4d7e-9d6c-2f4e0a7b9c11",
    "KRE_RECEIVED": "1785000000",
    "KRE_MODE": "enforce",
    "KRE_ANNOTATIONS": "{}",
    "KRE_ACTION": "delete",
}
SETTINGS = {
    "mode": "enforce",
    "targets": "^(shop|till)$",
    "protected-namespaces": "vault",
    "protected-owners": "DaemonSet",
    "min-healthy": "1",
    "min-healthy-percent": "0",
    "min-age": "0",
}


@cache
def folder_of(option: str) -> Path:
    """The code of a responder in one folder, as its pod has it mounted."""
    if not option:
        return CODE
    made = Path(tempfile.mkdtemp(prefix="kre-code-"))
    for path in (*CODE.glob("*.py"), *(OPTIONS / option / "code").glob("*.py")):
        shutil.copyfile(path, made / path.name)
    return made


def code(option: str = "") -> SimpleNamespace:
    """The engine's modules by name, those of an option too: the same every time."""
    return _kept(option)


def fresh(option: str = "") -> SimpleNamespace:
    """The same, imported once more from their folder."""
    folder = folder_of(option)
    return imported((path.stem for path in folder.glob("*.py")), folder)


_kept = cache(fresh)


def shop(healthy: int = 2, **changes: Any) -> list[dict[str, Any]]:
    """The pod web-1 of namespace shop (with `changes`), `healthy` more pods of its Deployment, their Service, the
    policy of the quarantine; and pods that nobody means."""
    labels = {"app": "web", "track": "stable"}
    given = {"owner": ("ReplicaSet", "web-5d8", "rs-1"), "labels": labels} | changes
    others = [
        pod("shop", f"web-{i + 2}", owner=("ReplicaSet", "web-5d8", "rs-1"), labels=labels) for i in range(healthy)
    ]
    return [
        deployment("shop", "web", healthy + 1, "deploy-1"),
        replicaset("shop", "web-5d8", healthy + 1, "rs-1", owner=("Deployment", "web", "deploy-1"), selector=labels),
        pod("shop", "web-1", UID, **given),
        *others,
        pod("shop", "till", OTHER_UID, labels={"app": "till"}),
        pod("till", "web-1", "22222222-5b3a-4e8f-9c6d-0a1b2c3d4e03", labels=labels),
        service("shop", "web", {"app": "web"}),
        networkpolicy("shop", "kre-quarantine", {"kre/quarantine": "true"}, types=("Ingress", "Egress")),
    ]


@dataclass(frozen=True)
class Ran:
    """What one run of the responder left: exit code, standard output, the files in KRE_OUT."""

    code: int
    text: str
    files: dict[str, str]

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def record(self) -> dict[str, Any]:
        (made,) = self.records
        return made

    @property
    def said(self) -> tuple[int, str, str]:
        """(exit code, outcome, reason)."""
        return self.code, self.record["outcome"], self.record["reason"]


def asked(one: Request) -> tuple[str, str, str]:
    """(verb, group, resource) of a request, with its subresource as RBAC writes it."""
    return one.verb, one.group, f"{one.resource}/{one.subresource}".rstrip("/")


class Engine:
    """Runs the responder against a double whose state can be set again; of an `option` its own."""

    def __init__(self, server: ApiServer, folder: Path, option: str = "") -> None:
        self.option = option
        self.server, self.folder, self.settings = server, folder / "settings", dict(SETTINGS)
        self._written: dict[str, str] | None = None
        self.out = folder / "out"
        self.out.mkdir(parents=True)
        self.start([])

    def start(self, objects: Iterable[dict[str, Any]], settings: Mapping[str, str] | None = None) -> None:
        """From here on: these objects, a settings folder as the kubelet makes it, no requests yet."""
        self.server.state = State(graceful=self.server.state.graceful)
        self.server.state.add([copy.deepcopy(one) for one in objects])
        self.settings = SETTINGS | dict(settings or {})
        self.before = self._objects()

    def run(self, patience: float = 5.0, timeout: float = 5.0, **environ: str | None) -> Ran:
        """In this process, by a clock that waits for nobody; `environ` changes what the Workflow gives, None leaves a
        value out."""
        modules, made, clock = code(self.option), [], Clock()
        program = getattr(modules, PROGRAMS[self.option][0])
        own = (program.respond, program.ACTIONS, program.told.items()) if self.option else ()

        def client(url: str) -> Any:
            made.append(modules.api.Client(url, patience, timeout))
            return made[-1]

        def logs(url: str) -> Any:
            made.append(modules.logs.Logs(url))
            made[-1]._timeout = timeout
            return made[-1]

        stream, seen = io.TextIOWrapper(io.BytesIO(), write_through=True), len(self.server.state.requests)
        given = self._environ(environ)
        with contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch.object(modules.responder, "Client", client))
            for name in {"api", "logs", "scale"} & vars(modules).keys():
                stack.enter_context(mock.patch.object(getattr(modules, name), "time", clock))
            if self.option:
                program.told.clear()  # a process runs once
                stack.enter_context(mock.patch.dict(os.environ, given))
            if "logs" in vars(modules):
                stack.enter_context(mock.patch.object(program, "Logs", logs))
            stack.enter_context(contextlib.redirect_stdout(stream))
            try:
                ended = modules.responder.main(given, *own)
            finally:
                for one in made:
                    one._connection().close()
        self._nothing_undeclared(self.server.state.requests[seen:], environ)
        return self._ran(ended, stream.buffer.getvalue())

    def _nothing_undeclared(self, requests: list[Request], changes: Mapping[str, str | None]) -> None:
        """Whatever a test does to it: a responder asks for nothing that needs.yaml does not have for its action."""
        conditions = {key: value for key, value in {**ENVIRON, **changes}.items() if value is not None}
        allowed = {right[:3] for right in declared(f"{PROGRAMS[self.option][0]}.py", conditions)}
        assert {asked(one) for one in requests} <= allowed

    def killed(self, at: Callable[[Request], bool], *, after: bool, **environ: str | None) -> None:
        """As its pod runs it, and killed at the first request that is so, before or `after` it has its effect."""
        known = threading.Event()

        def fault(request: Request, _: int) -> Fault | None:
            if not at(request):
                return None
            assert known.wait(10)
            process.kill()
            process.wait()
            return reset(after=after)

        self.server.fault = fault
        with self.started(**environ) as process:
            known.set()
            assert process.communicate(timeout=60) == (b"", b"")
        assert process.returncode == -signal.SIGKILL
        self.server.fault = None

    def process(self, python: str = sys.executable, **environ: str | None) -> Ran:
        """As its pod runs it, with nothing else in its environment."""
        with self.started(python, **environ) as process:
            out, err = process.communicate(timeout=60)
        assert err == b""
        return self._ran(process.returncode, out)

    def started(self, python: str = sys.executable, **environ: str | None) -> subprocess.Popen[bytes]:
        """The process, just started."""
        command = [python, "-EsB", str(folder_of(self.option) / f"{PROGRAMS[self.option][0]}.py")]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, env=self._environ(environ), **pipes)

    def _environ(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        if self._written != self.settings:
            shutil.rmtree(self.folder, ignore_errors=True)
            settings_folder(self.folder, self.settings)
            self._written = dict(self.settings)
        own = {"KRE_API": self.server.url, "KRE_SETTINGS": str(self.folder), "KRE_OUT": str(self.out)}
        if self.option:
            own |= {"KRE_RESPONSE": self.option, "KRE_ACTION": PROGRAMS[self.option][1]}
        return {key: value for key, value in {**ENVIRON, **own, **changes}.items() if value is not None}

    def _ran(self, ended: int, text: bytes) -> Ran:
        files = {path.name: path.read_text() for path in self.out.iterdir() if path.is_file()}
        for name in files:
            (self.out / name).unlink()
        return Ran(ended, text.decode("ascii"), files)

    def _objects(self) -> dict[tuple[str, str, str], Any]:
        with self.server.state.lock:
            found = self.server.state.objects.items()
            return {(str(kind), *key): copy.deepcopy(one) for kind, kept in found for key, one in kept.items()}

    @property
    def touched(self) -> set[tuple[str, str, str]]:
        """(resource, namespace, name) of each object that is not as at the start, or is new, or gone; but Events."""
        now = self._objects()
        places = {key for key in now.keys() | self.before.keys() if now.get(key) != self.before.get(key)}
        return {key for key in places if key[0] != "events"}

    @property
    def changing(self) -> list[Request]:
        """The requests so far that would change something, but for those that make an Event."""
        asked = self.server.state.requests
        return [one for one in asked if one.method != "GET" and (one.method, one.resource) != ("POST", "events")]

    @property
    def events(self) -> list[dict[str, Any]]:
        return list(self.server.state.all("events"))

    @property
    def pod(self) -> dict[str, Any] | None:
        """shop/web-1 as it is now."""
        return copy.deepcopy(self.server.state.pods.get(("shop", "web-1")))


@contextlib.contextmanager
def engine(
    folder: Path,
    objects: Iterable[dict[str, Any]] = (),
    settings: Mapping[str, str] | None = None,
    *,
    option: str = "",
    graceful: bool = False,
    rights: Any = None,
    fault: Any = None,
) -> Iterator[Engine]:
    """An Engine that is started with `objects` and `settings`, of the responder of an `option`, where it has its own;
    `graceful`, `rights` and `fault` are its ApiServer's."""
    double = _double()
    double.state = State(graceful=graceful)
    double.rights, double.fault = rights, fault
    made = Engine(double, folder, option)
    made.start(objects, settings)
    yield made


@cache
def _double() -> ApiServer:
    """One for all tests, which take turns: to start and stop it takes longer than most of them."""
    return ApiServer().__enter__()


def settings_folder(folder: Path, values: Mapping[str, str] | None = None) -> Path:
    """A folder as the kubelet mounts a ConfigMap: each key a link through `..data` to the folder of a version."""
    version = folder / "..2026_01_01"
    version.mkdir(parents=True)
    os.symlink(version.name, folder / "..data")
    for name, value in (values or {}).items():
        (version / name).write_text(value)
        os.symlink(f"..data/{name}", folder / name)
    return folder


class Clock:
    """Stands for the module time: sleeping takes no time, but is counted."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
