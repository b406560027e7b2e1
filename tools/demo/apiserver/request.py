"""A request as it came in, with what the API server reads out of its path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

_PATH = re.compile(
    r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/[^/]))?/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[^/]+))?)?/?"
)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


class Change(NamedTuple):
    """One thing that a request changed: (verb, resource, namespace, name)."""

    verb: str
    resource: str
    namespace: str
    name: str


@dataclass(slots=True)
class Request:
    """One request.

    `path` is without the query, `body` the JSON in it (None where there is none, the text where it is not JSON),
    `headers` by lower-case name. `verb`, `group`, `resource`, `namespace`, `name`, `subresource` are what rights are
    about; all empty where the path is nobody's. `status` is the code that was sent back: 0 is none, the connection
    was broken; None is not yet. `refused`: rights forbade it. `done`: it was carried out, whatever the answer says.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    verb: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    status: int | None = None
    refused: bool = False
    done: bool = False


def parse(method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Request:  # noqa: ANN401 - JSON
    """The request to a target such as /api/v1/namespaces/shop/pods?labelSelector=app%3Dweb."""
    parts = urlsplit(target)
    made = Request(method, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), body, headers or {})
    found = _PATH.fullmatch(parts.path)
    if not found or (found["namespace"] and found["resource"] == "namespaces"):
        return made
    made.group, made.version = found["group"] or "", found["core"] or found["version"]
    made.resource, made.name = found["resource"], unquote(found["name"] or "")
    made.subresource = found["sub"] or ""
    # As in the real one, a request about the namespace X is a request in the namespace X.
    made.namespace = unquote(found["namespace"] or "") or (made.name if made.resource == "namespaces" else "")
    made.verb = _verb(method, made.name)
    return made


def _verb(method: str, name: str) -> str:
    if method in ("GET", "HEAD"):
        return "get" if name else "list"
    if method == "DELETE":
        return "delete" if name else "deletecollection"
    return _VERBS.get(method, "")
