"""The books: whatever comes in whatever order, each end has a line, and nothing is let go before."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from support.recorder import MODULES
from support.workflow_api import HOLD, ended, node, nodes, said, stamp, workflow

NOW = 1_800_000_000.0


class Desk:
    """A book, what it has written and handed on, and a clock."""

    def __init__(self) -> None:
        self.now = NOW
        self.lines: list[dict[str, Any]] = []
        self.handed: list[Any] = []
        self.kept: list[str] = []
        self.book = MODULES.book.Book(
            self._write, self.handed.append, lambda one: self.kept.append(one["metadata"]["uid"]), lambda: self.now
        )

    def _write(self, facts: dict[str, Any]) -> dict[str, Any]:
        self.lines.append(dict(facts))
        return facts

    def said(self) -> list[tuple[str, str]]:
        return [(line["key"][:8].lstrip("0") + line["key"][36:], line["outcome"]) for line in self.lines]

    def gap(self, kind: str) -> float:
        return float(self.book.metrics()[f'gap{{kind="{kind}"}}'])


@pytest.fixture
def desk() -> Desk:
    return Desk()


def made(number: int = 1, age: float = 0, **more: Any) -> dict[str, Any]:
    one = workflow(number, **more)
    one["metadata"]["creationTimestamp"] = stamp(NOW - age)
    return one


DONE = ended("Succeeded", node(record=said()))


def test_an_end_is_written_once_and_handed_on(desk: Desk) -> None:
    desk.book.take("ADDED", made())
    assert desk.lines == []
    for _ in range(3):
        desk.book.take("MODIFIED", made(**DONE))
    assert desk.said() == [("1", "deleted")]
    assert [done.free for done in desk.handed] == [False]


def test_what_an_earlier_run_has_let_go_is_not_written_again(desk: Desk) -> None:
    desk.book.replace([made(held=False, **DONE)])
    desk.book.take("MODIFIED", made(held=False, **DONE))
    desk.book.take("DELETED", made(held=False, **DONE))
    assert desk.lines == []
    assert desk.handed == []


def test_what_an_earlier_run_may_have_written_is_written_again_under_the_same_key(desk: Desk) -> None:
    desk.book.replace([made(**DONE)])
    other = Desk()
    other.book.replace([made(**DONE)])
    assert desk.lines == other.lines
    assert len(desk.lines) == 1


def test_one_that_has_no_finalizer_gets_it(desk: Desk) -> None:
    desk.book.take("ADDED", made(held=False))
    assert len(desk.kept) == 1
    desk.book.take("MODIFIED", made())
    assert len(desk.kept) == 1


def test_one_without_it_that_ends_at_once_has_a_line(desk: Desk) -> None:
    desk.book.take("ADDED", made(held=False))
    desk.book.take("MODIFIED", made(held=False, **DONE))
    assert desk.said() == [("1", "deleted")]


def test_to_be_deleted_is_an_end(desk: Desk) -> None:
    one = made()
    one["metadata"]["deletionTimestamp"] = stamp()
    desk.book.take("ADDED", one)
    assert desk.said() == [("1", "never-started")]
    assert desk.gap("vanished") == 0


def test_what_goes_on_while_it_is_to_be_deleted_has_another_line(desk: Desk) -> None:
    """It is held, so the controller goes on with it: to say that it never started would be wrong from then on."""
    one = made()
    one["metadata"]["deletionTimestamp"] = stamp()
    desk.book.take("ADDED", one)
    status = {"phase": "Running", "nodes": nodes(node(phase="Running"))}
    for _ in range(2):
        desk.book.take("MODIFIED", one | {"status": status})
    desk.book.take("MODIFIED", one | {"status": DONE})
    assert desk.said() == [("1", "never-started"), ("1", "unrecorded"), ("1", "deleted")]
    assert [done.free for done in desk.handed] == [True, True, False], "the last line lets it go"
    assert desk.handed[-1].workflow["status"] == DONE
    one["metadata"].pop("finalizers")
    desk.book.take("DELETED", one | {"status": DONE})
    assert len(desk.lines) == 3
    assert desk.gap("held") == 0


def test_no_version_is_let_go_before_its_line_is_written(desk: Desk) -> None:
    """Another thread lets go of what `workflow` is, at any time."""
    one = made()
    one["metadata"]["deletionTimestamp"] = stamp()
    desk.book.take("ADDED", one)
    at_hand = []

    def written(facts: dict[str, Any]) -> dict[str, Any]:
        at_hand.extend(done.workflow for done in desk.handed if not done.free)
        return desk._write(facts)

    desk.book._write = written
    desk.book.take("MODIFIED", one | {"status": DONE})
    assert desk.said()[1:] == [("1", "deleted")]
    assert at_hand == [one], "that of the first line"


@pytest.mark.parametrize("told", [True, False])
def test_what_went_past_us_has_a_line_and_is_a_gap(desk: Desk, *, told: bool) -> None:
    desk.book.take("ADDED", made())
    if told:
        desk.book.take("DELETED", made())
    else:
        desk.book.replace([])  # a watch that was away meanwhile
    assert desk.said() == [("1", "never-started")]
    assert desk.lines[0]["cause"] == "controller"
    assert [done.free for done in desk.handed] == [True], "nobody is there to be let go"
    assert desk.gap("vanished") == 1
    desk.now += 3600
    assert desk.gap("vanished") == 0


def test_late_is_said_once_and_is_no_end(desk: Desk) -> None:
    desk.book.take("ADDED", made(age=121))
    desk.book.take("ADDED", made(2, age=119))
    waiting = {"phase": "Running", "nodes": nodes({"id": "g", "type": "Suspend", "phase": "Running"})}
    desk.book.take("ADDED", made(3, age=1000, **waiting))  # for a person
    desk.book.take("ADDED", made(4, age=1000, phase="Running", nodes=nodes(node(phase="Running"))))
    for _ in range(3):
        desk.book.tick()
    assert desk.said() == [("1.late", "late")]
    assert desk.lines[0]["cause"] == "controller"
    assert desk.book.metrics()["late"] == 1
    desk.book.take("MODIFIED", made(**DONE))
    assert desk.said()[1:] == [("1", "deleted")]


def test_gaps_and_states(desk: Desk) -> None:
    desk.book.take("ADDED", made(1, age=4201, phase="Running", nodes=nodes(node(phase="Running"))))
    desk.book.take("ADDED", made(2, age=4199))
    desk.book.take("ADDED", made(3, **DONE))
    assert (desk.gap("overdue"), desk.gap("held")) == (1, 0)
    desk.now += 61
    assert (desk.gap("overdue"), desk.gap("held")) == (2, 1)
    found = desk.book.metrics()
    assert [found[f'open{{state="{state}"}}'] for state in ("waiting", "approval", "running")] == [1, 0, 1]
    assert found["oldest_open_seconds"] == pytest.approx(4262)
    assert found['records_total{response="delete-pod",outcome="deleted"}'] == 1
    desk.book.take("MODIFIED", made(3, held=False, **DONE))
    assert desk.gap("held") == 0


def test_no_label_is_what_somebody_wrote(desk: Desk) -> None:
    desk.book.take("ADDED", made(response='x"} 1\n'))
    assert desk.book.metrics()['workflows_total{response="other"}'] == 1


def test_a_line_that_could_not_be_written_is_written_the_next_time(desk: Desk) -> None:
    def broken(_: object) -> None:
        raise OSError

    desk.book.take("ADDED", made())
    desk.book._write = broken
    with pytest.raises(OSError, match=r"^$"):
        desk.book.take("MODIFIED", made(**DONE))
    assert desk.handed == []
    desk.book._write = desk._write
    desk.book.take("MODIFIED", made(**DONE))
    assert desk.said() == [("1", "deleted")]
    assert len(desk.handed) == 1


class World:
    """Three Workflows, an API server that keeps what has a finalizer, and recorders that come and go."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.objects = {number: made(number) for number in (1, 2, 3)}
        self.over: dict[int, str] = {}  # what has come to an end -> the outcome that it must have, "" for any
        self.ended: set[int] = set()  # by itself
        self.early: set[int] = set()  # was to be deleted before
        self.restart()

    def run(self, number: int) -> None:
        """Also one that is to be deleted: nothing holds the controller back."""
        if number not in self.ended:
            self.over |= {number: "unrecorded"} if number in self.over else {}
            self._change(number, status={"phase": "Running", "nodes": nodes(node(phase="Running"))})

    def end(self, number: int) -> None:
        if number not in self.ended:
            self.ended.add(number)
            self.over[number] = "deleted"
            self._change(number, status=DONE)

    def mark(self, number: int) -> None:
        self.early |= {number} - self.over.keys()
        self.over.setdefault(number, "")
        self.objects[number]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        self._change(number)

    def again(self, number: int) -> None:
        self._change(number)

    def force(self, number: int) -> None:
        self.over.setdefault(number, "")
        self.desk.book.take("DELETED", self.objects.pop(number))

    def release(self, number: int) -> None:
        one = self.objects[number]
        mine = [done for done in self.desk.handed if done.workflow["metadata"]["uid"] == one["metadata"]["uid"]]
        if [done for done in mine if not done.free]:
            assert mine[-1].line in self.desk.lines, "let go before it was written"
            one["metadata"].pop("finalizers", None)
            if "deletionTimestamp" in one["metadata"]:
                self.desk.book.take("DELETED", self.objects.pop(number))
            else:
                self._change(number)

    def list(self, _: int = 0) -> None:
        self.desk.book.replace(list(self.objects.values()))

    def tick(self, _: int = 0) -> None:
        self.desk.now += 50
        self.desk.book.tick()

    def restart(self, _: int = 0) -> None:
        """Another process: it knows nothing but what is there."""
        self.desk.handed.clear()
        desk = self.desk
        desk.book = MODULES.book.Book(desk._write, desk.handed.append, lambda _: None, lambda: desk.now)
        self.list()

    def _change(self, number: int, **more: Any) -> None:
        self.objects[number] |= more
        self.desk.book.take("MODIFIED", self.objects[number])


KNOWN = ["never-started", "unrecorded", "deleted"]
STEPS = ("run", "end", "mark", "again", "force", "release", "list", "tick", "restart")


@settings(max_examples=300, deadline=None)
@given(some.lists(some.tuples(some.sampled_from(STEPS), some.integers(1, 3)), max_size=25))
def test_any_order_leaves_a_line_for_each_end(steps: list[tuple[str, int]]) -> None:
    world = World()
    for step, number in [*steps, ("restart", 0)]:
        if number in world.objects or step in ("list", "tick", "restart"):
            getattr(world, step)(number)
    for number in (1, 2, 3):
        uid = workflow(number)["metadata"]["uid"]
        found = [line["outcome"] for line in world.desk.lines if line["key"] == uid]
        assert bool(found) is (number in world.over)
        assert world.over.get(number, "") in ("", *found[-1:]), "the last one is what became of it"
        assert found == sorted(found, key=KNOWN.index), "a later line never knows less"
        assert not world.over.get(number) or number in world.early or len(set(found)) == 1


def test_the_finalizer_is_one_for_engine_and_recorder() -> None:
    assert MODULES.book.HOLD == HOLD
