"""The parts over HTTP: watches that break in every way, finalizers that others touch, patches that come to nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from support.recorder import MODULES, until
from support.workflow_api import HOLD, Api, ended, node, said, workflow

DONE = ended("Succeeded", node(record=said()))


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """And no connection is left to the garbage collector, which says so."""
    opened, kind = [], MODULES.api.Client
    for module, method in ((kind, "_connection"), (MODULES.watch.Watcher, "_stream")):
        real = getattr(module, method)
        monkeypatch.setattr(module, method, lambda self, real=real: opened.append(real(self)) or opened[-1])
    with Api() as made:
        yield made
    for one in opened:
        one.close()


class Parts:
    """A recorder's parts in this process; what it writes is kept, and no pause is long."""

    def __init__(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines: list[dict[str, Any]] = []
        monkeypatch.setattr(MODULES.recorder, "write", self._write)
        self.made = MODULES.recorder.Recorder(api.url, "/nowhere")
        pause = threading.Event()
        for part in (self.made.worker, self.made.follower):
            part._wait = lambda _: pause.wait(0.02)
        self.made.book._write = self._write
        self.made.start()

    def _write(self, facts: dict[str, Any]) -> dict[str, Any]:
        self.lines.append(dict(facts))
        return facts | {"time": "2026-01-01T00:00:00+00:00"}

    def keys(self) -> list[str]:
        return [line["key"] for line in self.lines]

    def count(self, event: str) -> int:
        return int(self.made.follower.counts[f'watch_total{{event="{event}"}}'])


@pytest.fixture
def parts(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    made = Parts(api, monkeypatch)
    yield made
    made.made.follower.stopping.set()
    made.made.stopping.set()
    api.put(workflow(999, held=False, **DONE))  # a word, on which it ends
    until("its end", lambda: not made.made.threads[0].is_alive())


FAULTS = ("410", "expired", "500", "cut", "mangled", "reset", "end", "twice", "bookmark")


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_happens_to_a_watch_nothing_is_passed_over(api: Api, parts: Parts, fault: str) -> None:
    until("a watch", lambda: "watch" in api.asked)
    api.server.cut()  # from here on it is a watch with a fault
    api.watches.extend([fault] * 3)
    for number in range(1, 6):
        api.put(workflow(number))
        api.put(workflow(number, **DONE))
    until("five lines", lambda: len(parts.keys()) >= 5)
    until("all let go", lambda: not api.held())
    assert sorted(parts.keys()) == sorted(set(parts.keys())), "one process writes each once"
    assert len(set(parts.keys())) == 5
    assert {line["outcome"] for line in parts.lines} == {"deleted"}


def test_versions_that_are_forgotten_are_listed_anew(api: Api, parts: Parts) -> None:
    api.put(workflow(1))
    until("a watch", lambda: "watch" in api.asked)
    until("met", lambda: parts.made.book._open)
    with api.changed:
        api.server.cut()
        api.put(workflow(1, **DONE))
        api.put(workflow(2))
        api.delete(workflow(2)["metadata"]["name"], force=True)  # made and gone while nobody looked: not ours to see
        api.forget()
    until("its line", parts.keys)
    assert parts.count("expired") >= 1
    assert len(parts.keys()) == 1


def test_bookmarks_move_it_on(api: Api, parts: Parts) -> None:
    until("a watch", lambda: "watch" in api.asked)
    with api.changed:
        api.version += 500  # others' changes
        api.watches.append("bookmark")
        api.server.cut()
    until("the bookmark", lambda: int(parts.made.follower._version or 0) >= 600)
    api.forget()
    api.server.cut()
    lists = api.asked.count("list")
    api.put(workflow(1, **DONE))
    until("its line", parts.keys)
    assert api.asked.count("list") == lists, "it was where the bookmark was"


def test_many_pages(api: Api, parts: Parts) -> None:
    api.server.cut()
    for number in range(1, 451):
        api.put(workflow(number, **DONE))
    until("all of them", lambda: len(set(parts.keys())) == 450, 60)
    until("all let go", lambda: not api.held(), 60)


def test_what_is_to_be_deleted_is_gone_after_its_line(api: Api, parts: Parts) -> None:
    api.put(workflow(1))
    api.delete(workflow(1)["metadata"]["name"])
    until("gone", lambda: not api.objects)
    assert [line["outcome"] for line in parts.lines] == ["never-started"]
    assert parts.made.metrics()['gap{kind="vanished"}'] == 0


def test_force_is_seen(api: Api, parts: Parts) -> None:
    api.put(workflow(1))
    until("met", lambda: parts.made.book._open)
    api.delete(workflow(1)["metadata"]["name"], force=True)
    until("its line", parts.keys)
    assert parts.lines[0]["cause"] == "controller"
    assert parts.made.metrics()['gap{kind="vanished"}'] == 1


@pytest.mark.parametrize("codes", [[500, 503], [-1], [422], [422, 500, 422], [403, 403]])
def test_a_patch_that_fails_is_made_again(api: Api, parts: Parts, codes: list[int]) -> None:
    api.answers.extend(codes)
    api.put(workflow(1, **DONE))
    until("let go", lambda: not api.held())
    assert len(parts.keys()) == 1


def test_one_that_changed_just_now_holds_up_nobody(api: Api, parts: Parts) -> None:
    waits: list[float] = []
    parts.made.worker._wait = waits.append
    api.answers.append(422)
    api.put(workflow(1, **DONE))
    until("let go", lambda: not api.held())
    assert sum(waits) < 0.5


@pytest.mark.parametrize("others", [["a/b", HOLD], [HOLD, "a/b"], ["a/b", HOLD, "c/d"]])
def test_others_finalizers_stay(api: Api, parts: Parts, others: list[str]) -> None:
    made = workflow(1, **DONE)
    made["metadata"]["finalizers"] = others
    api.put(made)
    until("let go", lambda: not api.held())
    assert api.objects[made["metadata"]["name"]]["metadata"]["finalizers"] == [one for one in others if one != HOLD]


def test_one_that_has_changed_is_not_let_go_before_that_is_seen(api: Api) -> None:
    """It may need another line; and a finalizer may have moved."""
    made = api.put(workflow(1, **DONE))
    changed = api.put(workflow(1, **DONE))
    client = MODULES.api.Client(api.url)
    assert not MODULES.release.let_go(client, made)
    assert api.held() == [made["metadata"]["name"]]
    assert MODULES.release.let_go(client, changed)
    assert api.held() == []


def test_what_goes_on_while_the_sink_is_away_has_the_line_of_its_end(
    api: Api, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = threading.Event()
    monkeypatch.setattr(parts.made.worker._sink, "take", lambda _: away.is_set())
    api.put(workflow(1))
    api.delete(workflow(1)["metadata"]["name"])
    until("its first line", parts.keys)
    api.put(workflow(1, **DONE))
    until("its second line", lambda: len(parts.keys()) > 1)
    assert api.held(), "the sink has neither"
    away.set()
    until("gone", lambda: not api.objects)
    assert [line["outcome"] for line in parts.lines] == ["never-started", "deleted"]


def test_another_of_the_same_name_is_left_alone(api: Api) -> None:
    made = api.put(workflow(1, **DONE))
    other = workflow(1)
    other["metadata"]["uid"] = workflow(2)["metadata"]["uid"]
    api.delete(made["metadata"]["name"], force=True)
    api.put(other)
    assert not MODULES.release.let_go(MODULES.api.Client(api.url), made)
    assert api.held() == [other["metadata"]["name"]]


def test_one_that_was_made_without_gets_it(api: Api, parts: Parts) -> None:
    name = api.put(workflow(1, held=False))["metadata"]["name"]
    until("its finalizer", lambda: api.held() == [name])
    api.put(workflow(1, **DONE))
    until("let go", lambda: not api.held())
    assert len(parts.keys()) == 1


def test_where_it_may_not_put_it_there_it_says_so_and_goes_on(api: Api, parts: Parts) -> None:
    api.answers.append(403)
    api.put(workflow(1, held=False))
    until("a word", lambda: [line for line in parts.lines if line["outcome"] == "unprotected"])
    api.put(workflow(2, **DONE))
    until("the other's line", lambda: [line for line in parts.lines if line["outcome"] == "deleted"])
