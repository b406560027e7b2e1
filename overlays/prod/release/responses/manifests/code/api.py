"""The only way from the responder to the API server: get a pod, delete a pod. Standard library only."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
AUTHORITY = Path("/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
TIMEOUT = 5.0  # seconds, a request
PATIENCE = 60.0  # seconds, all attempts together; the Workflow's own deadline is 120
LIMIT = 4 * 1024 * 1024  # bytes of an answer
RETRIED = frozenset({429, 500, 502, 503, 504})


class ApiError(Exception):
    """The API server did not do what was asked: `status` is its HTTP code, 0 where there was no answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}" if status else message)
        self.status = status


def server(environ: Mapping[str, str]) -> str:
    """The URL of the API server: KRE_API where it is set, else the one that every pod is told."""
    given = environ.get("KRE_API")
    if given:
        return given
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    return f"https://{f'[{host}]' if ':' in host else host}:{port}"


class Client:
    """Talks to one API server. Answers that may be passing trouble (429, 5xx, no answer) are tried again."""

    def __init__(self, url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(url)
        self._tls = parts.scheme == "https"
        if not self._tls and parts.hostname not in ("127.0.0.1", "localhost"):
            raise ApiError(0, "plain HTTP is for this very machine only")
        self._host, self._port = parts.hostname or "", parts.port
        self._sleep = sleep

    def get_pod(self, namespace: str, name: str) -> dict[str, Any] | None:
        """The v1 Pod object, or None where there is no such pod. Raises ApiError."""
        status, body = self._request("GET", namespace, name)
        if status == 404:
            return None
        return self._expect(status, body)

    def delete_pod(self, namespace: str, name: str, uid: str) -> bool:
        """Deletes the pod only if it still has this uid; False where it is gone or another. Raises ApiError."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "gracePeriodSeconds": 1,  # an intruder has no use for a graceful end; 0 would not wait for the kubelet
            "preconditions": {"uid": uid},
        }
        status, body = self._request("DELETE", namespace, name, options)
        if status in (404, 409):
            return False
        self._expect(status, body)
        return True

    def _expect(self, status: int, body: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(body)
        except ValueError:
            raise ApiError(status, "the answer is not JSON") from None
        if status != 200 or not isinstance(answer, dict):
            reason = answer.get("reason") if isinstance(answer, dict) else None
            raise ApiError(status, str(reason or "unexpected answer")[:200])
        return answer

    def _request(self, method: str, namespace: str, name: str, body: object = None) -> tuple[int, bytes]:
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(name, safe='')}"
        deadline, pause = time.monotonic() + PATIENCE, 0.5
        while True:
            try:
                status, answer, after = self._once(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                status, answer, after = 0, str(type(error).__name__).encode(), ""
            if status and status not in RETRIED:
                return status, answer
            wait = float(after) if after.isdigit() else pause
            if time.monotonic() + wait > deadline:
                raise ApiError(status, f"gave up after {PATIENCE:.0f} s ({answer[:80].decode(errors='replace')})")
            self._sleep(wait)
            pause = min(2 * pause, 8.0)

    def _once(self, method: str, path: str, body: object) -> tuple[int, bytes, str]:
        connection = self._connect()
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._tls:
            headers["Authorization"] = f"Bearer {TOKEN.read_text().strip()}"
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, response.read(LIMIT), response.getheader("Retry-After", "")
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        if not self._tls:
            return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT)
        context = ssl.create_default_context(cafile=str(AUTHORITY))
        return http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT, context=context)
