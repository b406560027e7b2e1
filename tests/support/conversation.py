"""Plays the table of requests and answers, tests/unit/demo/conversations.yaml, against an API server."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import yaml

from support.repository import TESTS

TABLE = TESTS / "unit/demo/conversations.yaml"
_KEPT = re.compile(r"\$\{(\w+)\}")
# method, path, body, headers -> status, body of the answer
Send = Callable[[str, str, str, Mapping[str, str]], tuple[int, str]]


def conversations() -> list[dict[str, Any]]:
    """The conversations of the table: title, steps."""
    return yaml.safe_load(TABLE.read_text())


def setup(namespace: str) -> list[dict[str, Any]]:
    """The steps that come before each conversation."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "tester"}}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    return [
        {"ask": "POST /api/v1/namespaces", "body": space, "status": 201},
        {"ask": f"POST /api/v1/namespaces/{namespace}/serviceaccounts", "body": account, "status": 201},
    ]


def at(url: str) -> Send:
    """Asks a server that speaks plain HTTP on this machine."""
    parts = urlsplit(url)

    def send(method: str, path: str, body: str, headers: Mapping[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
        try:
            connection.request(method, path, body or None, {"Accept": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    return send


def play(send: Send, steps: list[dict[str, Any]], namespace: str) -> None:
    """Asks and compares, step by step; fails with the step and its answer."""
    kept = {"ns": namespace}
    for step in steps:
        asked = _filled(step, kept)
        status, answer = _ask(send, asked)
        said = f"{asked['ask']} {json.dumps(asked.get('body'))}\nanswered {status}: {json.dumps(answer)[:2000]}"
        assert status == step["status"], said
        assert "reason" not in step or (answer["kind"], answer["reason"]) == ("Status", step["reason"]), said
        assert (problem := differs(asked.get("has", {}), answer)) == "", f"{problem}\n{said}"
        for name, path in step.get("keep", {}).items():
            value = answer
            for key in path:
                value = value[key]
            kept[name] = value


def differs(wanted: Any, found: Any, at: str = "") -> str:
    """Where `found` lacks something of `wanted`, "" if nowhere. null is what must not be there; lists are as long."""
    if isinstance(wanted, dict):
        if not isinstance(found, dict):
            return f"{at or '/'}: {found!r} is no object"
        return next(filter(None, (differs(value, found.get(key), f"{at}/{key}") for key, value in wanted.items())), "")
    if isinstance(wanted, list):
        if not isinstance(found, list) or len(wanted) != len(found):
            return f"{at}: {found!r} is no list of {len(wanted)}"
        pairs = enumerate(zip(wanted, found, strict=True))
        return next(filter(None, (differs(one, other, f"{at}/{index}") for index, (one, other) in pairs)), "")
    return "" if wanted == found else f"{at}: {found!r} is not {wanted!r}"


def _filled(value: Any, kept: dict[str, str]) -> Any:
    if isinstance(value, dict):
        path = value.get("ask", "")
        made = {key: _filled(one, kept) for key, one in value.items()}
        if path:  # in a URL a kept value is quoted
            made["ask"] = _filled(path, {name: quote(one, safe="") for name, one in kept.items()})
        return made
    if isinstance(value, list):
        return [_filled(one, kept) for one in value]
    return _KEPT.sub(lambda found: kept[found[1]], value) if isinstance(value, str) else value


def _ask(send: Send, step: dict[str, Any]) -> tuple[int, Any]:
    method, path = step["ask"].split(" ", 1)
    usual = "application/merge-patch+json" if method == "PATCH" else "application/json"
    headers = {"Content-Type": step.get("type", usual)}
    if "as" in step:
        headers["Impersonate-User"] = step["as"]
    status, text = send(method, path, json.dumps(step["body"]) if "body" in step else "", headers)
    return status, json.loads(text)
