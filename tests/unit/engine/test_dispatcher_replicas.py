"""Two replicas at once, as processes: they share nothing but the API server."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from demo.apiserver import ApiServer, pod
from support.dispatcher import SETTINGS, Process, Sender, alert, api, changed, counted, uid, workflows

Replicas = tuple[ApiServer, list[Process]]


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[Replicas]:
    with api() as server, Process(tmp_path / "1", server.url) as one, Process(tmp_path / "2", server.url) as two:
        yield server, [one, two]


def deliver(processes: list[Process], bodies: Iterable[tuple[Any, str]], connections: int) -> list[int]:
    """Delivers alerts, each with its response, over so many connections to each replica; returns the statuses."""
    todo, codes, lock = iter(bodies), list[int](), threading.Lock()

    def work(process: Process) -> None:
        with Sender(process.port) as first, Sender(process.port, "isolate-pod") as second:
            while True:
                with lock:
                    body, response = next(todo, (None, ""))
                if body is None:
                    return
                code = (second if response == "isolate-pod" else first).send(body)
                with lock:
                    codes.append(code)

    with ThreadPoolExecutor(connections * len(processes)) as pool:
        for done in [pool.submit(work, process) for process in processes for _ in range(connections)]:
            done.result()
    return codes


def outcomes(processes: list[Process]) -> Counter[str]:
    return Counter(each["outcome"] for process in processes for each in process.records())


def stored(server: ApiServer) -> list[dict[str, int]]:
    """Each state of the count that was ever stored, in order."""
    put = [one.body for one in server.state.requests if one.verb == "update" and one.status == 200]
    return [json.loads(one["metadata"]["annotations"]["kre/actions"]) for one in put]


@pytest.mark.parametrize("response", ["delete-pod", "isolate-pod"])
def test_the_same_alert_many_times_at_both_acts_once(replicas: Replicas, response: str) -> None:
    server, processes = replicas
    codes = deliver(processes, [(alert(), response)] * 200, connections=8)
    assert codes == [200] * 200
    assert len(workflows(server)) == len(counted(server)) == 1
    assert changed(server, "pods") == ([("patch", "web-1")] if response == "isolate-pod" else [])
    assert outcomes(processes) == {"dispatched": 1, "deduplicated": 199}


def test_many_pods_never_exceed_the_cap(replicas: Replicas) -> None:
    server, processes = replicas
    bodies = [(alert(pod=f"web-{each}", uid=uid(each)), "delete-pod") for each in range(60)]
    codes = deliver(processes, bodies, connections=8)
    taken = codes.count(200)
    assert taken + codes.count(503) == 60  # 503: others wrote the Lease all the time, and the Sensor tries again
    if taken < 60:
        deliver(processes, bodies, connections=2)
    assert len(workflows(server)) == 20
    assert [len(each) for each in stored(server)] == list(range(1, 21))  # one more each time, none was lost
    made = {one["metadata"]["name"] for one in server.state.all("workflows")}
    assert set(counted(server)) == made
    found = outcomes(processes)
    assert found["dispatched"] == 20
    assert found["refused"] >= 40


def test_each_response_has_a_cap_of_its_own(replicas: Replicas) -> None:
    server, processes = replicas
    for process in processes:
        process.settings.write({**SETTINGS, "cap": "5", "isolate-pod.cap": "3"})
    time.sleep(1.1)
    bodies = [
        (alert(pod=f"web-{each}", uid=uid(each)), response)
        for each in range(12)
        for response in ("delete-pod", "isolate-pod")
    ]
    while 503 in deliver(processes, bodies, connections=4):
        pass
    assert Counter(each["response"] for each in workflows(server)) == {"delete-pod": 5, "isolate-pod": 3}
    assert Counter(name.rpartition("-")[0] for name in counted(server)) == {"delete-pod": 5, "isolate-pod": 3}


def test_a_storm_does_not_hide_another_alert(tmp_path: Path) -> None:
    """1,000 alerts of one pod over 20 connections, and one of another pod of another target amid them."""
    with api(pod("till", "desk-1", uid(1))) as server, Process(tmp_path, server.url) as process:
        storm, waited = alert(), list[float]()
        middle = threading.Event()

        def bodies() -> Iterator[tuple[Any, str]]:
            for number, body in enumerate([storm] * 1000):
                if number == 500:
                    middle.set()
                yield body, "delete-pod"

        def other() -> None:
            middle.wait(30)
            started = time.monotonic()
            assert process.send(alert(namespace="till", pod="desk-1", uid=uid(1))) == 200
            waited.append(time.monotonic() - started)

        beside = threading.Thread(target=other)
        beside.start()
        started = time.monotonic()
        codes = deliver([process], bodies(), connections=20)
        took = time.monotonic() - started
        beside.join()
        logging.getLogger(__name__).info("1,000 alerts: %.2f s, the other one amid them: %.3f s", took, waited[0])
        assert codes == [200] * 1000
        assert sorted(each["namespace"] for each in workflows(server)) == ["shop", "till"]
        assert outcomes([process]) == {"dispatched": 2, "deduplicated": 999}
        assert len(counted(server)) == len(counted(server, "till")) == 1
        assert len(server.state.requests) < 200  # most of a storm never reaches the API server
