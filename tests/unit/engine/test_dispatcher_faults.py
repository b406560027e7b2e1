"""Whatever goes wrong with whichever request: the Sensor is told to try again, and in the end all was done once."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from demo.apiserver import ApiServer, Fault, hang, mangled, pod, replicaset, reset, short, trouble, truncated
from demo.apiserver.request import Request
from support.dispatcher import MODULES, UID, Local, Process, alert, api, changed, counted, uid, workflows

FAULTS: dict[str, Callable[..., Fault]] = {
    "409": lambda **when: trouble(409, **when),
    "429": lambda **when: trouble(429, **when),
    "429, wait": lambda **when: trouble(429, 3, **when),
    "500": lambda **when: trouble(500, **when),
    "503": lambda **when: trouble(503, **when),
    "403": lambda **when: trouble(403, **when),
    "reset": reset,
    "hang": lambda **when: hang(0.4, **when),
    "truncated": truncated,
    "short": short,
    "html": mangled,
    "empty": lambda **when: mangled(b"", **when),
    "null": lambda **when: mangled(b"null", **when),
    "list": lambda **when: mangled(b"[]", **when),
}
SET = ("ReplicaSet", "web", "set")
CONTAINER = "c" * 64


def cluster() -> contextlib.AbstractContextManager[ApiServer]:
    """One where every kind of request is made: by container id, with an owner whose pods are counted."""
    mine = pod("shop", "web-1", UID, SET, labels={"app": "web"}, containers={"main": CONTAINER})
    other = pod("shop", "web-2", uid(2), SET, labels={"app": "web"})
    return api(mine, other, replicaset("shop", "web", 2, "set"))


def way() -> list[str]:
    """The requests of a delivery without a fault."""
    with cluster() as server:
        Local(server).take("isolate-pod", uid="", container=CONTAINER)
        return [f"{one.verb} {one.resource}" for one in server.state.requests]


WAY = way()


def test_the_way_is_the_one_that_these_tests_are_about() -> None:
    assert WAY == [
        "get pods",
        "get leases",
        "update leases",
        "get pods",
        "get namespaces",
        "get replicasets",
        "list pods",
        "patch pods",
        "create workflows",
    ]


@pytest.mark.parametrize("patience", [0.0, 1.0], ids=["gives up", "asks again"])
@pytest.mark.parametrize("fault", list(FAULTS))
@pytest.mark.parametrize("number", range(len(WAY)), ids=[f"{number} {each}" for number, each in enumerate(WAY)])
def test_any_fault_at_any_request(monkeypatch: pytest.MonkeyPatch, number: int, fault: str, patience: float) -> None:
    """Before it took effect and after, once and for a while; redelivered to the same replica, and to another."""
    monkeypatch.setattr(MODULES["api"], "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: None))
    for after in (False, True):
        for times in (1, 2) if patience and fault != "hang" else (1,):
            with cluster() as server:
                local = Local(server, patience=patience, timeout=0.06 if fault == "hang" else 5)
                server.state.faults[:] = [None] * number + [FAULTS[fault](after=after)] * times
                deliver_until_taken(local, another=times == 2 or number % 2 == 0)
                assert_done_once(server)


def deliver_until_taken(local: Local, *, another: bool) -> None:
    outcomes = []
    while not outcomes or outcomes[-1] == "failed":
        assert len(outcomes) < 5, outcomes
        facts = local.take("isolate-pod", uid="", container=CONTAINER)
        assert facts["reason"]
        outcomes.append(facts["outcome"])
        if another:
            local.restart()
    assert outcomes[-1] in ("dispatched", "deduplicated")
    assert set(outcomes[:-1]) <= {"failed"}


def assert_done_once(server: ApiServer) -> None:
    assert [(each["uid"], each["response"]) for each in workflows(server)] == [(UID, "isolate-pod")]
    assert len(counted(server)) == 1
    assert changed(server, "leases") == [("update", "target-shop")]
    assert changed(server, "workflows")[0][0] == "create"
    assert changed(server, "pods") in ([("patch", "web-1")], [])
    assert len(server.changes) == 2 + len(changed(server, "pods"))


@pytest.mark.parametrize(
    "body", [b"{}", b'{"metadata": null}', b'{"metadata": {}}', b'{"metadata": []}', b'{"items": null}']
)
@pytest.mark.parametrize("number", [each for each, asked in enumerate(WAY) if asked.startswith(("get", "list"))])
def test_an_object_that_lacks_what_it_must_have(number: int, body: bytes) -> None:
    with cluster() as server:
        server.state.faults[:] = [None] * number + [mangled(body)]
        local = Local(server)
        deliver_until_taken(local, another=bool(number % 2))
        assert_done_once(server)


@pytest.mark.parametrize("fault", ["409", "500", "hang"])
def test_a_lease_that_is_never_written_is_no_reason_to_act(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(MODULES["lease"], "time", SimpleNamespace(sleep=lambda _: None))
    with cluster() as server:
        server.fault = lambda asked, _: FAULTS[fault]() if asked.verb == "update" else None
        local = Local(server, timeout=0.1)
        for _ in range(3):
            assert local.outcome("isolate-pod") == "failed"
        assert server.changes == []


def test_a_sensor_is_answered_before_it_waits_no_more(tmp_path: Path) -> None:
    """5 s is its timeout; each delivery leaves one record, and the last is the one that did it."""
    faults: list[Fault] = []

    def fault(asked: Request, _: int) -> Fault | None:
        return faults.pop(0) if faults and asked.resource in ("leases", "workflows") else None

    with api(fault=fault) as server, Process(tmp_path, server.url) as process:
        body: Any = alert()
        for given, code in (([hang(6)], 503), ([trouble(429, 60)], 503), ([trouble(429, 1)], 200)):
            faults[:] = given
            started = time.monotonic()
            assert process.send(body) == code
            assert time.monotonic() - started < 6
        records = process.records()
        assert [each["outcome"] for each in records] == ["failed", "failed", "dispatched"]
        assert [each["reason"].partition(":")[0] for each in records] == [
            "no answer",
            "429",
            "the Workflow was created",
        ]
        assert len(workflows(server)) == 1
        metrics = process.ask("GET", "/metrics")[1].decode()
        assert 'kre_dispatcher_alerts_total{response="delete-pod",outcome="failed"} 2\n' in metrics


def test_without_an_api_server_it_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    with Process(tmp_path, url) as process:
        assert process.send(alert()) == 503
        assert process.records()[-1]["reason"].startswith("no answer: gave up after 1.5 s")
        assert process.ask("GET", "/healthz")[0] == 200  # to start it anew would cure nothing
