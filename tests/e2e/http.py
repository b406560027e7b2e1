"""HTTP to the API server of KUBECONFIG, as whoever it names: kept connections, a millisecond or so a request.

Credentials come out of the kubeconfig. Where it names a way to get them that only kubectl knows (a plugin, a proxy,
another name for the certificate), everything goes through one `kubectl proxy` instead.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

JSON = "application/json"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
IDLE = 30.0  # seconds after which a kept connection is not used again: an API server closes it after 90
Headers = tuple[tuple[str, str], ...]
# What of a cluster or a user of a kubeconfig takes more than this module to follow.
_KUBECTL = ("proxy-url", "tls-server-name", "exec", "auth-provider", "as", "as-uid", "as-groups", "as-user-extra")


@dataclass(frozen=True)
class Reply:
    """The HTTP status and the body of an answer."""

    status: int
    text: str

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)
        return found

    @property
    def message(self) -> str:
        """What a Status says; of anything else its first words."""
        try:
            return str(self.body["message"])
        except (ValueError, KeyError, TypeError):
            return self.text[:300]


@dataclass(frozen=True)
class Question:
    """One request. A body that is no text goes out as JSON."""

    method: str
    path: str
    body: Any = None
    content: str = JSON
    headers: Headers = ()

    def encoded(self) -> bytes:
        if self.body is None:
            return b""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass(frozen=True)
class Route:
    """How to get there: `open` makes a connection, `prefix` comes before each path, `headers` go with each request."""

    open: Callable[[], http.client.HTTPConnection]
    prefix: str = ""
    headers: Headers = ()
    proxy: subprocess.Popen[str] | None = field(default=None, compare=False)


class Http:
    """The API server of KUBECONFIG. Any number of threads may ask; each has a connection of its own."""

    def __init__(self) -> None:
        config = _kubeconfig()
        cluster, user = (config[key][0][key.rstrip("s")] for key in ("clusters", "users"))
        self._route = direct(cluster, user) or _through_kubectl()
        self._local, self._opened, self._lock = threading.local(), list[http.client.HTTPConnection](), threading.Lock()
        self._pools: dict[int, ThreadPoolExecutor] = {}  # by size: their threads keep connections too

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for pool in self._pools.values():
            pool.shutdown()
        for connection in self._opened:
            connection.close()
        if proxy := self._route.proxy:
            proxy.terminate()
            proxy.communicate(timeout=10)

    def ask(
        self, method: str, path: str, body: Any = None, content: str = JSON, headers: Iterable[tuple[str, str]] = ()
    ) -> Reply:
        """Sends one request, and returns what comes back, whatever that is."""
        return self.send(Question(method, path, body, content, tuple(headers)))

    def send(self, question: Question) -> Reply:
        try:
            return self._send(question)
        except (ConnectionError, ssl.SSLEOFError):  # the server has closed what was kept
            if question.method not in ("GET", "PATCH"):  # only what may be asked twice is asked again
                raise
            return self._send(question)

    def send_all(self, questions: Iterable[Question], threads: int = 4) -> list[Reply]:
        """The answers to all of them, in order, asked side by side."""
        with self._lock:
            if threads not in self._pools:
                self._pools[threads] = ThreadPoolExecutor(threads)
            pool = self._pools[threads]
        return list(pool.map(self.send, questions))

    def _send(self, question: Question) -> Reply:
        connection, body = self._connection(), question.encoded()
        usual = (("Accept", JSON), ("Content-Type", question.content), ("Content-Length", str(len(body))))
        try:
            connection.putrequest(question.method, self._route.prefix + question.path)
            for key, value in (*self._route.headers, *question.headers, *usual):
                connection.putheader(key, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return Reply(response.status, response.read().decode())
        except (OSError, http.client.HTTPException):
            connection.close()  # the next request opens it again
            raise

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._local, "connection"):
            self._local.connection = self._route.open()
            with self._lock:
                self._opened.append(self._local.connection)
        elif time.monotonic() - self._local.used > IDLE:
            self._local.connection.close()  # the request opens it again
        self._local.used = time.monotonic()
        return self._local.connection


def direct(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> Route | None:
    """The way that a cluster and a user of a flattened kubeconfig describe; None where it takes kubectl."""
    if any({**cluster, **user}.get(key) for key in _KUBECTL):
        return None
    parts = urlsplit(cluster["server"])
    host, prefix, headers = str(parts.hostname), parts.path.rstrip("/"), _credentials(user)
    if parts.scheme != "https":
        return Route(lambda: http.client.HTTPConnection(host, parts.port or 80, timeout=60), prefix, headers)
    tls = _tls(cluster, user)
    return Route(lambda: http.client.HTTPSConnection(host, parts.port or 443, timeout=60, context=tls), prefix, headers)


def _credentials(user: Mapping[str, Any]) -> Headers:
    token = user.get("token") or (Path(user["tokenFile"]).read_text().strip() if user.get("tokenFile") else "")
    if token:
        return (("Authorization", f"Bearer {token}"),)
    if user.get("username"):
        pair = base64.b64encode(f"{user['username']}:{user.get('password', '')}".encode()).decode()
        return (("Authorization", f"Basic {pair}"),)
    return ()


def _tls(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    authority = cluster.get("certificate-authority-data")
    tls = ssl.create_default_context(cadata=_text(authority) if authority else None)
    tls.verify_flags &= ~ssl.VERIFY_X509_STRICT  # kubectl does not ask for it either
    if cluster.get("insecure-skip-tls-verify"):
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    if user.get("client-certificate-data"):
        with tempfile.TemporaryDirectory() as folder:  # the library takes files only
            files = [os.path.join(folder, name) for name in ("crt", "key")]
            for file, key in zip(files, ("client-certificate-data", "client-key-data"), strict=True):
                Path(file).write_text(_text(user[key]))
            tls.load_cert_chain(*files)
    return tls


def _text(data: str) -> str:
    return base64.b64decode(data).decode()


def _kubeconfig() -> dict[str, Any]:
    """The one in use, of however many files: its current cluster and user alone, with the files' contents in it."""
    command = ["kubectl", "config", "view", "--minify", "--flatten", "--raw", "--output=json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _through_kubectl() -> Route:
    command = ["kubectl", "proxy", "--port=0", "--disable-filter=true"]
    proxy = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert proxy.stdout is not None
    line = proxy.stdout.readline()  # Starting to serve on 127.0.0.1:34567
    assert line, "kubectl proxy ended at once"
    return Route(lambda: http.client.HTTPConnection(line.split()[-1], timeout=60), proxy=proxy)
