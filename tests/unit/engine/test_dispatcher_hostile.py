"""Whatever is posted: no request but an allowed one reaches the API server, every record is JSON, and it goes on."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from demo.apiserver import ApiServer, replicaset
from demo.apiserver import pod as made_pod
from support.dispatcher import SETTINGS, TOKENS, UID, Process, Sender, alert, api, counted, rest, uid, wire
from support.dispatcher_requests import WORKFLOW, allowed

FIELDS = list(alert())
TRIES = 5
PATIENCE = 1.4  # seconds, a little less than the dispatcher gives the API server
SET = ("ReplicaSet", "web", "set")
VALUES: list[Any] = [
    "{{workflow.name}}",
    "{{=toJson(workflow)}}",
    "{{inputs.parameters.pod}}",
    "$(KRE_UID)",
    "web-1\n",
    "web-1\r\nHost: x",
    "web-1;reboot",
    "../../namespaces/kube-system",
    "web-1/log",
    "web-1?x=y",
    "web-1#",
    "%2e%2e%2f",
    "web-1%00",
    "\x00",
    "\x1b[2J",
    "\u202eweb-1",
    "\uff57\uff45\uff42-1",
    "\ud800",
    "a" * 253,
    "a" * 254,
    "a" * 5000,
    "kube-system",
    "kre-responses",
    "null",
    "None",
    "",
    " ",
    "0",
    "-1",
    "1e999",
    "NaN",
    UID,
    UID.upper(),
    "9" * 64,
    True,
    None,
    0,
    -1,
    10**400,
    2**63,
    1e308,
    -0.0,
    float("nan"),
    float("inf"),
    [],
    {},
    ["web-1"],
    {"web-1": "web-1"},
    [[[[[[[[]]]]]]]],
]
TEXTS = st.text(max_size=40) | st.text(st.characters(categories=["Cs", "Cc", "Cf"]), max_size=5)
LEAVES = st.sampled_from(VALUES) | st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS) | TEXTS, inner, max_size=8),
)
POSSIBLE = {
    "namespace": st.sampled_from(["shop", "till"]),
    "pod": st.sampled_from(["web-1", "web-2", "web-3"]) | st.from_regex(r"\A[a-z0-9.-]{1,20}\Z"),
    "uid": st.sampled_from([UID, uid(2), "", "null"]) | st.uuids().map(str),
    "container": st.sampled_from(["c" * 64, "d" * 64, ""]),
    "rule": TEXTS,
    "alert": st.uuids().map(str),
    "time": st.integers(-4000, 100).map(lambda each: alert(time.time() + each)["time"]),
}
LIKELY = st.fixed_dictionaries(POSSIBLE)
CHANGES = st.dictionaries(st.sampled_from(FIELDS) | TEXTS, LEAVES | ANYTHING, max_size=3)


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    mine = made_pod("shop", "web-1", UID, SET, labels={"app": "web"}, containers={"main": "c" * 64})
    other = made_pod("shop", "web-2", uid(2), SET, labels={"app": "web"})
    with api(mine, other, replicaset("shop", "web", 2, "set")) as made:
        yield made


@pytest.fixture(scope="module")
def process(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    settings = {**SETTINGS, "cap": "99999", "cooldown": "1"}
    with Process(tmp_path_factory.mktemp("dispatcher"), server.url, settings) as made:
        yield made


@pytest.fixture(scope="module", params=list(TOKENS))
def sender(process: Process, request: pytest.FixtureRequest) -> Iterator[Sender]:
    with Sender(process.port, request.param) as made:
        yield made


def check(server: ApiServer, process: Process, sender: Sender, body: bytes) -> int:
    """Posts it, and looks at what came of it; returns the status. As a Sensor does, it posts again what failed because
    nobody answered in time, on a machine that had no time."""
    for _ in range(TRIES):
        began = time.monotonic()
        code = _check(server, process, sender, body)
        if code != 503 or time.monotonic() - began < PATIENCE:
            break
    assert code in (200, 400, 413)
    return code


def _check(server: ApiServer, process: Process, sender: Sender, body: bytes) -> int:
    asked, lines = len(server.state.requests), len(process.lines)
    code = sender.send(body)
    until = time.monotonic() + 5
    while len(process.lines) == lines and code in (200, 503) and time.monotonic() < until:
        time.sleep(0.0005)
    printed = process.lines[lines:]
    assert len(printed) == (code in (200, 503))  # one record of each delivery, none of what is no alert
    for line in printed:
        record = json.loads(line)
        assert record["part"] == "dispatcher"
        assert record["outcome"] in ({"failed"} if code == 503 else {"dispatched", "deduplicated", "refused", "gone"})
        assert all(len(value) <= 253 for value in record.values() if isinstance(value, str))
        assert line.isascii()
        assert b"\x1b" not in line
    assert [one for one in server.state.requests[asked:] if not allowed(one)] == []
    return code


@settings(max_examples=60, deadline=None)
@given(body=ANYTHING)
def test_any_json(server: ApiServer, process: Process, sender: Sender, body: Any) -> None:
    before = len(server.state.requests)
    check(server, process, sender, json.dumps(body).encode())
    assert len(server.state.requests) == before  # an alert is no accident


@settings(max_examples=250, deadline=None)
@given(likely=LIKELY, changes=CHANGES)
def test_alerts_with_something_odd_in_them(
    server: ApiServer, process: Process, sender: Sender, likely: dict[str, Any], changes: dict[str, Any]
) -> None:
    check(server, process, sender, json.dumps({**likely, **changes}).encode())


@settings(max_examples=60, deadline=None)
@given(likely=LIKELY, key=st.sampled_from(FIELDS), value=LEAVES, where=st.integers(0, 600), raw=st.binary(max_size=8))
@example(alert(), "pod", "web-1", 0, b"")
def test_bytes_that_are_no_utf8_and_keys_that_come_twice(
    server: ApiServer,
    process: Process,
    sender: Sender,
    likely: dict[str, Any],
    key: str,
    value: Any,
    where: int,
    raw: bytes,
) -> None:
    twice = b"%s, %s}" % (json.dumps(likely).encode()[:-1], json.dumps({key: value}).encode()[1:-1])
    check(server, process, sender, twice)
    where %= len(twice)
    check(server, process, sender, twice[:where] + raw + twice[where + len(raw) :])
    check(server, process, sender, json.dumps(likely, ensure_ascii=False).encode("utf-16", "surrogatepass"))
    check(server, process, sender, raw)


@settings(max_examples=60, deadline=None)
@given(
    start=st.sampled_from(
        [b"", b"POST /respond HTTP/1.1\r\n", b"GET /metrics HTTP/1.1\r\n", b"POST /respond HTTP/1.1\r\nAuthorization: "]
    ),
    raw=st.binary(max_size=60) | st.text(max_size=60).map(lambda each: each.encode("utf-8", "surrogatepass")),
    end=st.sampled_from([b"", b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n[]", b"\r\nContent-Length: 100\r\n\r\n[]"]),
)
def test_bytes_that_are_no_request(server: ApiServer, process: Process, start: bytes, raw: bytes, end: bytes) -> None:
    asked, lines = len(server.state.requests), len(process.lines)
    with wire(process.port, start + raw + end) as connection:
        connection.shutdown(1)  # that is all
        said = rest(connection)
    assert b" 500 " not in said
    assert b"Traceback" not in said
    assert (len(server.state.requests), len(process.lines)) == (asked, lines)


def test_after_all_that_it_still_answers(server: ApiServer, process: Process, sender: Sender) -> None:
    """And the tests above did get through to what is allowed, else they would prove nothing."""
    body = alert(pod="web-1", uid=UID, rule="last")
    assert check(server, process, sender, json.dumps(body).encode()) == 200
    assert process.ask("GET", "/healthz") == (200, b"")
    made = {(one.verb, one.resource) for one in server.state.requests}
    assert made >= {("create", "workflows"), ("update", "leases"), ("get", "pods")}
    if sender.headers["Authorization"] == TOKENS["isolate-pod"]:
        assert made >= {("patch", "pods"), ("list", "pods"), ("get", "namespaces"), ("get", "replicasets")}
    assert all(WORKFLOW.fullmatch(name) and isinstance(then, int) for name, then in counted(server).items())
    first = server.state.requests[0]
    assert allowed(first)
    assert not allowed(dataclasses.replace(first, namespace="kube-system"))
