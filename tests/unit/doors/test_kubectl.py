"""The door to a cluster: the proxy and its end, answers of every kind, and programs that do not come up."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path

import pytest

from kre.doors import command
from kre.doors.kubectl import Api, Kubectl
from kre.errors import ToolError
from support import kubectl
from support.cluster import CANARY, SERVER, Double, secret


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    double = Double([secret("a", "b", token=CANARY)])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name, value in kubectl.install(tmp_path / "double", double).items():
        monkeypatch.setenv(name, value)
    return Kubectl("some-context")


def test_the_api_server_through_the_proxy(door: Kubectl) -> None:
    with door.proxy() as api:
        assert api.get("/version").body["gitVersion"] == "v1.34.4"
        assert (api.get("/nothing").status, api.get("/nothing").message) == (404, "not found")
        assert stat.S_IMODE(os.stat(os.path.dirname(api._address)).st_mode) == 0o700
        found = api.get("/api/v1/namespaces/a/secrets/b")
        assert (found.status, CANARY in repr(found), "data" in found.body) == (200, False, True)
    assert api.get("/version").status == 0
    assert "no answer" in api.get("/version").message
    assert not command._running


def test_the_server(door: Kubectl) -> None:
    assert door.server() == SERVER


def test_a_forwarded_port(door: Kubectl) -> None:
    with door.forward("kre-pipeline", "pod", 12000) as port:
        assert 0 < port < 65536


def test_an_answer_that_does_not_come(tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "api"))
        silent.listen()
        reply = Api(str(tmp_path / "api"), 0.2).get("/version")
    assert (reply.status, reply.message) == (0, "no answer: TimeoutError")


def test_a_program_that_ends_before_it_is_ready() -> None:
    code = "import sys; print('starting', flush=True); print('no such context', file=sys.stderr); sys.exit(1)"
    with (
        pytest.raises(ToolError, match="did not come up: no such context"),
        command.serve([sys.executable, "-c", code], "x"),
    ):
        pass
    assert not command._running


def test_a_program_that_is_never_ready() -> None:
    started = time.monotonic()
    with (
        pytest.raises(ToolError, match="did not come up: it said nothing"),
        command.serve([sys.executable, "-c", "import time; time.sleep(60)"], "x", timeout=0.5),
    ):
        pass
    assert time.monotonic() - started < 10


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(ToolError, match="can't be started"), command.serve(["no-such-program"], "x"):
        pass


def test_it_is_gone_when_the_context_ends() -> None:
    code = "import os, time; print('pid', os.getpid(), flush=True); time.sleep(60)"
    with command.serve([sys.executable, "-c", code], r"pid (\d+)") as found:
        pid = int(found[1])
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
