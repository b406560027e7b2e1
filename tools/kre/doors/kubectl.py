"""The way to a cluster: kubectl, with whatever it is set up to sign on with.

`kubectl proxy` stands at a Unix socket in a folder of our own, so that no other user of this machine comes by it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kre.doors import command, tools

LIMIT = 32 * 1024 * 1024  # bytes of an answer
NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the API server: its HTTP status (NO_ANSWER: there was none), the JSON object ({} where it was none),
    and the text, which no `repr` shows."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    text: str = field(default="", repr=False)

    @property
    def message(self) -> str:
        """What the API server says of a request that it did not do."""
        return str(self.body.get("message") or self.text.strip().partition("\n")[0])[:300]


class Api:
    """The API server behind one proxy. May be asked by many threads at a time."""

    def __init__(self, address: str, timeout: float) -> None:
        self._address, self._timeout = address, timeout

    def call(self, method: str, path: str, body: object = None, headers: Iterable[tuple[str, str]] = ()) -> Reply:
        """Asks; never raises for what comes back, or does not. A header may be there more than once."""
        connection = _Connection(self._address, self._timeout)
        content = b"" if body is None else json.dumps(body).encode()
        always = (("Content-Type", "application/json"), ("Accept", "application/json, */*"))
        try:
            connection.putrequest(method, path)
            for name, value in (*always, ("Content-Length", str(len(content))), *headers):
                connection.putheader(name, value)
            connection.endheaders(content)
            answer = connection.getresponse()
            text = answer.read(LIMIT).decode(errors="replace")
            status = answer.status
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Reply(NO_ANSWER, text=f"no answer: {type(error).__name__}")
        finally:
            connection.close()
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        return Reply(status, found if isinstance(found, dict) else {}, text)

    def get(self, path: str) -> Reply:
        return self.call("GET", path)


class Kubectl:
    """kubectl with one context, "" for the current one. Raises ToolError where it is missing."""

    def __init__(self, context: str = "") -> None:
        _, path = tools.require(tools.KUBECTL)
        self._argv = [path, *([f"--context={context}"] if context else [])]

    def server(self) -> str:
        """The URL of the API server, "" where kubectl can't say it."""
        view = ("config", "view", "--minify", "--output=jsonpath={.clusters[0].cluster.server}")
        return command.run([*self._argv, *view], timeout=20).stdout.strip()

    @contextlib.contextmanager
    def proxy(self, timeout: float = 15.0) -> Iterator[Api]:
        """The API server, each answer within `timeout` seconds. Raises ToolError where the proxy does not come up."""
        with tempfile.TemporaryDirectory(prefix="kre-") as folder:
            address = os.path.join(folder, "api")
            with command.serve([*self._argv, "proxy", f"--unix-socket={address}"], r"^Starting to serve"):
                yield Api(address, timeout)

    @contextlib.contextmanager
    def forward(self, namespace: str, pod: str, port: int) -> Iterator[int]:
        """A port of this machine that leads to a pod's. Past NetworkPolicies: the kubelet connects from inside the pod.

        Raises ToolError where it does not come up.
        """
        argv = [*self._argv, "--namespace", namespace, "port-forward", "--address=127.0.0.1", f"pod/{pod}", f":{port}"]
        with command.serve(argv, r"^Forwarding from 127\.0\.0\.1:(\d+)") as found:
            yield int(found[1])


class _Connection(http.client.HTTPConnection):
    def __init__(self, address: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._address)
