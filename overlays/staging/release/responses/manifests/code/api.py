"""The only way to the API server. Standard library only."""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, cast
from urllib.parse import quote, urlencode, urlsplit

from names import Gone

Object: TypeAlias = dict[str, Any]
Reply: TypeAlias = tuple[int, Object]

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
JSON, PAGE = "application/json", 100  # objects of a list in one answer


class ApiError(Exception):
    """The API server did not do what was asked. The message begins with its HTTP code, where there was an answer."""

    outcome = "failed"


def server(environ: Mapping[str, str]) -> str:
    """The URL of the API server: KRE_API where it is set, else the one that every pod is told."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    return environ.get("KRE_API") or f"https://{f'[{host}]' if ':' in host else host}:{port}"


def path(resource: str, namespace: str, name: str = "", group: str = "") -> str:
    """The path of an object, or of a list of them: group "" is the core API, else such as "apps/v1"."""
    parts = [*(("apis", *group.split("/")) if group else ("api", "v1")), "namespaces", namespace, resource, name]
    return "/" + "/".join(quote(part, safe="") for part in parts if part)


class Client:
    """Talks to one API server. In passing trouble it asks again for `patience` seconds: requests must bear that."""

    def __init__(self, url: str, patience: float = 60.0, timeout: float = 5.0) -> None:
        parts = urlsplit(url)
        self._tls = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt")) if parts.scheme == "https" else None
        if not self._tls and parts.hostname not in ("127.0.0.1", "localhost"):
            raise ApiError("plain HTTP is for this very machine only")
        self._host, self._port, self._timeout = parts.hostname or "", parts.port, timeout
        self._patience, self._local = patience, threading.local()

    def get(self, where: str) -> Object | None:
        """The object, None where there is none. Raises ApiError."""
        status, answer = self.call("GET", where, take=(404,))
        return None if status == 404 else answer

    def items(self, where: str) -> Iterator[Object]:
        """Every object of a list, page by page. Raises ApiError."""
        token: str | None = ""
        while token is not None:
            _, answer = self.call("GET", f"{where}?{urlencode({'limit': PAGE, 'continue': token})}")
            yield from answer["items"]
            token = answer["metadata"].get("continue") or None

    def patch(self, pod: Mapping[str, str], metadata: Object) -> Object:
        """Merges into the metadata of the pod of this namespace, name (`pod`) and uid. Raises Gone, ApiError."""
        where, body = path("pods", pod["namespace"], pod["pod"]), {"metadata": {"uid": pod["uid"], **metadata}}
        status, answer = self.call("PATCH", where, body, "application/merge-patch+json", (404, 422))
        if status == 404 or "metadata.uid" in str(answer.get("message")):
            raise Gone("the pod went away or was replaced")
        if status == 422:
            raise ApiError(f"{status}: {str(answer.get('reason'))[:200]}")
        return answer

    def call(self, method: str, where: str, body: object = None, kind: str = JSON, take: Collection[int] = ()) -> Reply:
        """(status, answer) if the status is a 2xx or one of `take`. Raises ApiError."""
        connection, headers = self._connection(), {"Accept": JSON, "Content-Type": kind}
        deadline, pause, content = time.monotonic() + self._patience, 0.2, None if body is None else json.dumps(body)
        while True:
            try:
                if self._tls:
                    headers["Authorization"] = f"Bearer {(ACCOUNT / 'token').read_text().strip()}"
                connection.request(method, where, content, headers)
                response = connection.getresponse()
                status, after, answer = response.status, response.headers["Retry-After"], json.loads(response.read())
                reason = str(answer.get("reason") or "unexpected answer")[:200]
            except (OSError, http.client.HTTPException, ValueError, AttributeError, RecursionError) as error:
                connection.close()  # the next request opens it again
                status, after, answer, reason = 0, None, {}, type(error).__name__
            passing = status in (0, 429, 500, 502, 503, 504) or (reason == "Conflict" and method in ("PATCH", "POST"))
            if 200 <= status < 300 or (status in take and not passing):
                return status, answer
            if not passing:
                raise ApiError(f"{status}: {reason}")
            wait = max(pause, min(float(after), 60.0) if after and after.isdecimal() else 0.0)
            if time.monotonic() + wait > deadline:
                raise ApiError(f"{status or 'no answer'}: gave up after {self._patience:g} s ({reason})")
            time.sleep(wait)
            pause = min(2 * pause, 8.0)

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._local, "connection"):
            kind = partial(http.client.HTTPSConnection, context=self._tls) if self._tls else http.client.HTTPConnection
            self._local.connection = kind(self._host, self._port, timeout=self._timeout)
        return cast("http.client.HTTPConnection", self._local.connection)
