"""Faults, rights, and what is kept of each request."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from demo.apiserver import (
    ApiServer,
    Fault,
    Request,
    by_rules,
    hang,
    mangled,
    pod,
    reset,
    short,
    slow,
    trouble,
    truncated,
)
from unit.demo.calls import PODS, call, raw

BROKEN = (ConnectionError, http.client.RemoteDisconnected)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda after: trouble(409, after=after),
        lambda after: trouble(429, 1, after=after),
        lambda after: trouble(500, after=after),
        lambda after: trouble(503, after=after),
        lambda after: truncated(after=after),
        lambda after: short(after=after),
        lambda after: mangled(after=after),
        lambda after: mangled(b"", after=after),
        lambda after: reset(after=after),
        lambda after: hang(0.05, after=after),
    ],
    ids="409 429 500 503 truncated short mangled empty reset hang".split(),
)
def test_a_fault_is_done_before_or_after(make: Callable[..., Fault], after: bool) -> None:
    with ApiServer([pod("shop", "web", "u1")]) as server:
        server.state.faults.append(make(after=after))
        try:
            status, body, _ = raw(server.url, "DELETE", f"{PODS}/web")
        except (*BROKEN, http.client.IncompleteRead):
            pass
        else:
            with_json = body.startswith(b"{") and body.endswith(b"}")
            assert status >= 409 or not with_json, "no answer looks like success"
        assert (("shop", "web") not in server.state.pods) is after
        assert server.changes == ([("delete", "pods", "shop", "web")] if after else [])
        assert server.state.requests[0].done is after
        assert call(server.url, "GET", f"{PODS}/web")[0] == (404 if after else 200), "the next one is served"


def test_what_each_looks_like() -> None:
    with ApiServer([pod("shop", "web", "u1")]) as server:
        whole = raw(server.url, "GET", f"{PODS}/web")[1]
        server.state.faults += [trouble(429, 7), truncated(), mangled(b"<html>"), mangled(b""), None]
        status, body, headers = raw(server.url, "GET", f"{PODS}/web")
        assert (status, headers["retry-after"], json.loads(body)["reason"]) == (429, "7", "TooManyRequests")
        assert raw(server.url, "GET", f"{PODS}/web")[:2] == (200, whole[: len(whole) // 2])
        assert raw(server.url, "GET", f"{PODS}/web")[:2] == (200, b"<html>")
        assert raw(server.url, "GET", f"{PODS}/web")[:2] == (200, b"")
        assert raw(server.url, "GET", f"{PODS}/web")[:2] == (200, whole)
        server.state.faults += [short(), reset()]
        with pytest.raises(http.client.IncompleteRead):
            raw(server.url, "GET", f"{PODS}/web")
        with pytest.raises(BROKEN):
            raw(server.url, "GET", f"{PODS}/web")
        assert [one.status for one in server.state.requests] == [200, 429, 200, 200, 200, 200, 200, 0]


def test_a_hanging_server_is_met_by_the_clients_timeout_and_stops_at_once() -> None:
    started = time.monotonic()
    with ApiServer([pod("shop", "web", "u1")]) as server:
        server.state.faults += [hang(60, after=True)]
        with pytest.raises(TimeoutError):
            raw(server.url, "DELETE", f"{PODS}/web", timeout=0.2)
        assert server.state.pods == {}
        server.state.faults += [slow(0.2)]
        before = time.monotonic()
        assert raw(server.url, "GET", f"{PODS}/web")[0] == 404
        assert time.monotonic() - before >= 0.2
    assert time.monotonic() - started < 5


def test_a_function_says_which_request_fails() -> None:
    def fault(request: Request, number: int) -> Fault | None:
        return trouble(503) if number == 1 and request.verb == "get" else None

    with ApiServer([pod("shop", "web", "u1")], fault=fault) as server:
        assert [call(server.url, "GET", f"{PODS}/web")[0] for _ in range(3)] == [200, 503, 200]


def test_what_is_not_allowed_is_refused_and_kept() -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
    named = [{"apiGroups": [""], "resources": ["pods"], "resourceNames": ["web"], "verbs": ["delete"]}]
    rights = by_rules(
        {"shop": [*rules, *named], "": [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]}
    )
    with ApiServer([pod("shop", "web", "u1"), pod("shop", "x"), pod("till", "web")], rights=rights) as server:
        asked = [
            ("GET", PODS, 200),
            ("GET", f"{PODS}/none", 404),
            ("GET", "/api/v1/namespaces/till", 200),
            ("GET", "/api/v1/namespaces/till/pods/web", 403),
            ("GET", "/api/v1/pods", 403),
            ("GET", "/apis/apps/v1/namespaces/shop/deployments/web", 403),
            ("PATCH", f"{PODS}/web", 403),
            ("DELETE", f"{PODS}/x", 403),
            ("DELETE", PODS, 403),
            ("POST", f"{PODS}/web/eviction", 403),
            ("DELETE", f"{PODS}/web", 200),
            ("GET", "/version", 403),
        ]
        assert [call(server.url, method, path, {} if method == "PATCH" else None)[0] for method, path, _ in asked] == [
            code for _, _, code in asked
        ]
        assert [(one.method, one.path) for one in server.state.refused] == [
            (method, path) for method, path, code in asked if code == 403
        ]
        assert call(server.url, "GET", "/api/v1/pods")[1]["reason"] == "Forbidden"
        assert server.changes == [("delete", "pods", "shop", "web")]


def test_each_request_is_kept() -> None:
    with ApiServer([pod("shop", "web", "u1")]) as server:
        call(
            server.url,
            "PATCH",
            f"{PODS}/web?fieldManager=kre",
            {"metadata": {"labels": {"a": "b"}}},
            Authorization="Bearer x",
        )
        kept = server.state.requests[0]
        assert (kept.method, kept.path, kept.query) == ("PATCH", f"{PODS}/web", {"fieldManager": "kre"})
        assert (kept.verb, kept.group, kept.resource, kept.namespace, kept.name) == ("patch", "", "pods", "shop", "web")
        assert (kept.body, kept.status) == ({"metadata": {"labels": {"a": "b"}}}, 200)
        assert kept.headers["authorization"] == "Bearer x"


def test_a_connection_is_kept_alive() -> None:
    with ApiServer([pod("shop", "web", "u1")]) as server:
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.url).port, timeout=5)
        sockets = set()
        for _ in range(3):
            connection.request("GET", f"{PODS}/web")
            assert connection.getresponse().read()
            sockets.add(id(connection.sock))
        assert (len(sockets), connection.sock is None) == (1, False)
    connection.close()
