"""A cluster that has not said that it may be used: the tests on a cluster ask it that, and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from support.repository import PROJECT
from support.serving import listening, serving

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="the tests on a cluster need kubectl")

OPT_IN = "/api/v1/namespaces/kube-system/configmaps/kre-e2e"
KINDS = [
    {"name": "configmaps", "kind": "ConfigMap", "namespaced": True, "singularName": "configmap", "verbs": ["get"]},
    {"name": "namespaces", "kind": "Namespace", "namespaced": False, "singularName": "namespace", "verbs": ["get"]},
]
PAGES: dict[str, dict[str, Any]] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": KINDS},
    "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
}
NOT_FOUND = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
MAP = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "kre-e2e", "namespace": "kube-system"}}


@dataclass
class Server:
    """A cluster as far as it goes here: discovery, and one ConfigMap if it has opted in."""

    folder: Path
    opted_in: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def told(self) -> list[tuple[str, str]]:
        """The requests that are no discovery."""
        return [(method, path) for method, path in self.asked if path not in PAGES]

    def pytest(self, *arguments: str) -> str:
        """Runs tests of tests/e2e against it; returns what was printed."""
        environ = {**os.environ, "KUBECONFIG": str(self.folder / "config"), "HOME": str(self.folder)}
        environ.pop("KRE_E2E_CRDS", None)
        command = [sys.executable, "-m", "pytest", "-q", "-m", "e2e", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(
            command, cwd=PROJECT, env=environ, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    server = listening(_handler(made))
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}],
        "current-context": "c",
    }
    (tmp_path / "config").write_text(json.dumps(config))
    with serving(server):
        yield made


def _handler(made: Server) -> type[BaseHTTPRequestHandler]:
    def answer(self: BaseHTTPRequestHandler) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        made.asked.append((self.command, path))
        page = PAGES.get(path) or (MAP if made.opted_in and path == OPT_IN else None)
        text = json.dumps(page or NOT_FOUND).encode()
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    methods = {f"do_{name}": answer for name in ("GET", "POST", "PUT", "PATCH", "DELETE")}
    return type("Handler", (BaseHTTPRequestHandler,), {**methods, "log_message": lambda *_: None})


def test_a_cluster_that_has_not_opted_in_is_asked_that_and_nothing_else(server: Server) -> None:
    """By any of the tests: each ends where it asks for the cluster."""
    said = server.pytest("tests/e2e")
    assert "no ConfigMap kre-e2e in kube-system" in said
    errors = re.search(r"(\d+) errors", said)
    assert errors
    assert int(errors[1]) > 100
    assert set(server.told) <= {("GET", OPT_IN), ("GET", "/api/v1/namespaces/kube-system")}
    assert ("GET", OPT_IN) in server.told


def test_one_that_has_is_used(server: Server) -> None:
    """The counter-proof: the tests do go on, and the double would have seen it."""
    server.opted_in = True
    said = server.pytest("tests/e2e/test_observe.py", "-x")
    assert "no ConfigMap kre-e2e" not in said
    assert set(server.told) - {("GET", OPT_IN), ("GET", "/api/v1/namespaces/kube-system")}, server.asked
