"""Requests to the API server double, one connection each."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

PODS = "/api/v1/namespaces/shop/pods"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kre-pipeline/leases"
MERGE = "application/merge-patch+json"


def raw(
    url: str, method: str, path: str, body: Any = None, kind: str = "", timeout: float = 10, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers (lower case) of an answer. Raises what http.client raises."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=timeout)
    try:
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": kind or (MERGE if method == "PATCH" else "application/json"), **headers}
        connection.request(method, path, content, given)
        answer = connection.getresponse()
        return answer.status, answer.read(), {key.lower(): value for key, value in answer.getheaders()}
    finally:
        connection.close()


def call(url: str, method: str, path: str, body: Any = None, kind: str = "", **headers: str) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    status, content, _ = raw(url, method, path, body, kind, **headers)
    return status, json.loads(content)
