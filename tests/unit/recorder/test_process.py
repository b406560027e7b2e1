"""The process as in its pod: killed at any time, it leaves a line for each end, and nothing held."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from support.recorder import CODE, Process, once, recorder, until
from support.workflow_api import Api, ended, node, said, uid, workflow

DONE = ended("Succeeded", node(record=said()))
STRICT = ended("Error", message="not permitted when using workflowTemplateRef with templateReferencing restriction")
COUNT = 60


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as made:
        yield made


@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again_while_workflows_end_and_go(tmp_path: Path, api: Api, seed: int) -> None:
    chance, stop = random.Random(seed), threading.Event()

    def life() -> None:
        for number in range(1, COUNT + 1):
            made = api.put(workflow(number))["metadata"]["name"]
            time.sleep(chance.random() * 0.05)
            if number % 3:
                api.put(workflow(number, **(DONE if number % 2 else STRICT)))
            if number % 2 or not number % 3:
                api.delete(made)
            if chance.random() < 0.1:
                api.server.cut()
        stop.set()

    with recorder(tmp_path, api) as process:
        thread = threading.Thread(target=life)
        thread.start()
        kills = 0
        while not stop.is_set() or kills < 5:
            time.sleep(0.1 + chance.random() * 0.5)
            process.kill()
            kills += 1
            process.start()
        thread.join()
        until("a line for each", lambda: len(once(process.records())) == COUNT, 40)
        until("nothing held", lambda: not api.held())
    found = once(process.records())
    assert {line["key"] for line in found.values()} == {uid(number) for number in range(1, COUNT + 1)}
    for number in range(1, COUNT + 1):
        wanted = {0: "never-started", 1: "deleted", 2: "never-started"}[number % 3 and (1 if number % 2 else 2)]
        assert found[uid(number)]["outcome"] == wanted, number


@pytest.mark.parametrize("answer", [0, -1, 500])
def test_killed_between_the_line_and_the_finalizer(tmp_path: Path, api: Api, answer: int) -> None:
    """-1: the finalizer is off, and it does not know; 500: it is on still. A copy then, of the same key."""
    api.answers.extend([answer] * 50)
    with recorder(tmp_path, api) as process:
        api.put(workflow(1, **DONE))
        until("its line", process.records)
        process.kill()
        api.answers.clear()
        process.start()
        until("let go", lambda: not api.held())
        api.put(workflow(2, **STRICT))
        until("the next", lambda: len(once(process.records())) == 2)
    assert [line["outcome"] for line in once(process.records()).values()] == ["deleted", "never-started"]


def test_away_while_it_ended_and_was_deleted(tmp_path: Path, api: Api) -> None:
    with recorder(tmp_path, api) as process:
        api.put(workflow(1))
        until("it watches", lambda: "watch" in api.asked)
        process.kill()
        api.put(workflow(1, **DONE))
        api.delete(workflow(1)["metadata"]["name"])
        api.put(workflow(2))  # made and deleted, and no recorder has ever seen it
        api.delete(workflow(2)["metadata"]["name"])
        assert len(api.held()) == 2, "they wait"
        process.start()
        until("both let go", lambda: not api.objects)
    assert [line["outcome"] for line in once(process.records()).values()] == ["deleted", "never-started"]


def test_it_asks_for_exactly_what_it_declares(tmp_path: Path, api: Api) -> None:
    """needs.yaml, which `kre rbac need` holds its Role to."""
    with recorder(tmp_path, api):
        api.put(workflow(1, **DONE))
        until("let go", lambda: not api.held())
        until("it watches", lambda: "watch" in api.asked)
    (program,) = yaml.safe_load((CODE / "needs.yaml").read_text())["programs"]
    declared = {
        (f"/apis/{group}/v1alpha1/namespaces/{need['in']}/{resource}", verb)
        for need in program["needs"]
        for group in need["apiGroups"]
        for resource in need["resources"]
        for verb in need["verbs"]
    }
    (place,) = api.places
    assert declared == {(place, verb) for verb in api.asked}


def test_what_it_serves(tmp_path: Path, api: Api) -> None:
    with recorder(tmp_path, api) as process:
        api.put(workflow(1, **DONE))
        until("its line", process.records)
        until("let go", lambda: not api.held())
        assert process.ask("/healthz")[0] == 200
        assert process.ask("/other")[0] == 404
        text = process.ask("/metrics")[1]
    assert 'kre_recorder_records_total{response="delete-pod",outcome="deleted"} 1\n' in text
    assert 'kre_recorder_gap{kind="overdue"} 0\n' in text
    assert "# TYPE kre_recorder_gap gauge\n" in text
    for line in text.splitlines():
        assert line.startswith(("# ", "kre_recorder_"))


def test_it_ends_when_it_is_asked(tmp_path: Path, api: Api) -> None:
    process = Process(tmp_path, api)
    process.start()
    until("it listens", process.lines)
    assert process.end() == 0


def test_it_does_not_go_on_where_it_can_not_write(tmp_path: Path, api: Api) -> None:
    """No line, no release: with a standard output that is gone nothing may be let go."""
    process = Process(tmp_path, api)
    process.log = Path("/dev/full")
    process.start()
    api.put(workflow(1, **DONE))
    time.sleep(1.5)
    assert len(api.held()) == 1
    process.kill()
