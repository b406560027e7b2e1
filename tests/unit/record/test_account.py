"""The account closes: every alert is in one count or in the gap, by name, and never in two."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kre.record.account import COUNTS, Account, close, parse, parse_sent

NOW = 1_800_000_000.0
ALERTS = [f"{number:08x}-5b3a-4e8f-9c6d-0a1b2c3d4e01" for number in range(40)]


def at(age: float) -> str:
    return datetime.fromtimestamp(NOW - age, UTC).isoformat()


def dispatcher(
    outcome: str, alert: str = ALERTS[0], workflow: str = "", age: float = 5000, **more: Any
) -> dict[str, Any]:
    line = {"part": "dispatcher", "outcome": outcome, "response": "delete-pod", "alert": alert, "time": at(age)}
    return line | ({"workflow": workflow} if workflow else {}) | {"reason": f"because: {outcome}"} | more


def end(outcome: str, workflow: str, alert: str = ALERTS[0], **more: Any) -> dict[str, Any]:
    line = {"part": "recorder", "key": f"uid of {workflow}", "outcome": outcome, "workflow": workflow, "alert": alert}
    return line | {"response": "delete-pod", "time": at(0)} | more


def counted(account: Account) -> dict[str, int]:
    return {name: number for name, number in account.counts.items() if number}


def gaps(account: Account) -> list[tuple[str, str]]:
    return [(gap.kind, gap.alert) for gap in account.gaps]


@pytest.mark.parametrize("order", [1, -1])
def test_one_that_went_on_has_the_end_that_was_written_last(order: int) -> None:
    """In whatever order the lines are gathered."""
    ends = [end("never-started", "w", time=at(30)), end("deleted", "w", time=at(10)), end("deleted", "w", time=at(5))]
    account = close([dispatcher("dispatched", workflow="w"), *ends[::order]], None, NOW, 60)
    assert counted(account) == {"triggered": 1, "dispatched": 1, "acted": 1}


@pytest.mark.parametrize(
    ("outcome", "count"),
    [
        ("deleted", "acted"),
        ("partly-isolated", "acted"),
        ("scaled", "acted"),  # of a response that is not known here
        ("would-delete", "observed"),
        ("refused", "declined"),
        ("gone", "declined"),
        ("rejected", "declined"),
        ("timed-out", "declined"),
        ("failed", "failed"),
        ("never-started", "never-started"),
        ("unrecorded", "unrecorded"),
    ],
)
def test_each_end_has_its_count(outcome: str, count: str) -> None:
    account = close([dispatcher("dispatched", workflow="w"), end(outcome, "w")], None, NOW, 60)
    assert counted(account) == {"triggered": 1, "dispatched": 1, count: 1}
    assert account.gaps == ()


def test_a_copy_is_the_same_end_and_late_is_none() -> None:
    late = end("late", "w", key="uid of w.late")
    lines = [dispatcher("dispatched", workflow="w"), late, end("deleted", "w"), end("deleted", "w")]
    assert counted(close(lines, None, NOW, 60)) == {"triggered": 1, "dispatched": 1, "acted": 1}


def test_what_has_no_end_is_under_way_and_then_lost() -> None:
    lines = [dispatcher("dispatched", workflow="w", age=100)]
    assert counted(close(lines, None, NOW, 101)) == {"triggered": 1, "dispatched": 1, "open": 1}
    assert gaps(close(lines, None, NOW, 99)) == [("no-end", ALERTS[0])]
    assert gaps(close([*lines, end("late", "w", key="k.late")], None, NOW, 99)) == [("no-end", ALERTS[0])]


def test_tried_in_vain_is_lost_and_tried_again_is_not() -> None:
    lines = [dispatcher("failed", age=90), dispatcher("failed", age=80)]
    account = close(lines, None, NOW, 60)
    assert gaps(account) == [("in-vain", ALERTS[0])]
    assert "2 times: because: failed" in account.gaps[0].why
    lines += [dispatcher("dispatched", workflow="w", age=70), end("deleted", "w")]
    assert gaps(close(lines, None, NOW, 60)) == []


def test_made_and_not_said_is_still_the_one_that_made_it() -> None:
    """The dispatcher was killed in between; the next try found the Workflow there."""
    lines = [dispatcher("deduplicated", workflow="w"), end("deleted", "w")]
    assert counted(close(lines, None, NOW, 60)) == {"triggered": 1, "dispatched": 1, "acted": 1}
    other = [*lines, dispatcher("deduplicated", ALERTS[1], workflow="w")]
    assert counted(close(other, None, NOW, 60))["deduplicated"] == 1


def test_an_end_that_nobody_announced_is_a_gap_unless_a_person_began_it() -> None:
    by_hand = end("released", "r", response="release-pod")
    account = close([end("deleted", "w"), by_hand], None, NOW, 60)
    assert gaps(account) == [("unannounced", ALERTS[0])]


def test_one_alert_of_two_responses_is_two() -> None:
    lines = [dispatcher("refused"), dispatcher("gone", response="label-pod")]
    assert counted(close(lines, None, NOW, 60)) == {"triggered": 2, "refused": 2}


def test_refused_without_an_alert_is_counted_each_time() -> None:
    line = dispatcher("refused")
    del line["alert"]
    assert counted(close([line, dict(line)], None, NOW, 60)) == {"triggered": 2, "refused": 2}


def test_what_was_sent() -> None:
    sent = parse_sent(
        [
            ALERTS[0],
            "",
            json.dumps({"uuid": ALERTS[1], "status": 200}),
            json.dumps({"uuid": ALERTS[2], "status": 500}),
            json.dumps({"uuid": ALERTS[3], "status": 0}),
            json.dumps({"uuid": ALERTS[3], "status": 200, "rule": "x"}),  # posted again
            json.dumps({"uuid": ALERTS[4], "status": 500}),  # the answer was lost, and it came through
        ]
    )
    lines = [dispatcher("refused", ALERTS[number]) for number in (0, 3, 4)]
    account = close(lines, sent, NOW, 60)
    assert counted(account) == {"sent": 5, "received": 4, "triggered": 3, "refused": 3, "lost": 2}
    assert gaps(account) == [("not-received", ALERTS[2]), ("not-triggered", ALERTS[1])]


def test_delivered_again_in_the_next_cool_down_it_is_the_workflow_that_was_made_that_counts() -> None:
    """The second line says what the Workflow would have been called then."""
    again = dispatcher("deduplicated", workflow="delete-pod-2", age=4900)
    for lines in (
        [dispatcher("dispatched", workflow="delete-pod-1"), again],
        [again, dispatcher("dispatched", workflow="delete-pod-1")],
    ):
        account = close([*lines, end("deleted", "delete-pod-1")], None, NOW, 60)
        assert counted(account) == {"triggered": 1, "dispatched": 1, "acted": 1}


def test_a_repeat_that_the_intake_kept_back_is_none_lost() -> None:
    lines = [
        {"part": "intake", "outcome": "taken", "alert": ALERTS[0], "time": at(1)},
        {"part": "intake", "outcome": "repeated", "alert": ALERTS[1], "time": at(1)},
        {"part": "intake", "outcome": "stopped", "time": at(0)},
        dispatcher("refused"),
    ]
    account = close(lines, dict.fromkeys(ALERTS[:2], 200), NOW, 60)
    assert counted(account) == {"sent": 2, "received": 2, "repeated": 1, "triggered": 1, "refused": 1}
    assert account.gaps == ()


@pytest.mark.parametrize("text", ["{", "{}", '{"uuid": "x", "status": "y"}'])
def test_what_is_no_ledger(text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        parse_sent([text])


def test_lines_of_logs() -> None:
    good = [json.dumps(dispatcher("refused")), json.dumps(end("deleted", "w"))]
    other = ["", "Traceback (most recent call last):", '{"level": "info"}', json.dumps({"part": "responder"})]
    lines, unreadable = parse([*good, *other, good[0][:40]])
    assert [line["part"] for line in lines] == ["dispatcher", "recorder"]
    assert unreadable == 1


_outcomes = some.sampled_from(["dispatched", "deduplicated", "refused", "gone", "failed"])
_ends = some.sampled_from(["deleted", "would-delete", "refused", "failed", "never-started", "unrecorded", "late"])


@given(
    some.lists(some.tuples(some.integers(0, 9), _outcomes, some.integers(0, 9000)), max_size=30),
    some.lists(some.tuples(some.integers(0, 12), _ends), max_size=20),
    some.dictionaries(some.sampled_from(ALERTS[:20]), some.sampled_from([200, 500, 0]), max_size=20),
    some.randoms(),
)
def test_whatever_is_there_the_counts_add_up(said: Any, ended: Any, sent: dict[str, int], chance: Any) -> None:
    lines = [dispatcher(outcome, ALERTS[number], f"w{number}", age) for number, outcome, age in said]
    lines += [end(outcome, f"w{number}", ALERTS[number], key=f"{number}.{outcome}") for number, outcome in ended]
    account = close(lines, sent, NOW, 4200)
    number, kinds = account.counts, [gap.kind for gap in account.gaps]
    assert set(number) == set(COUNTS)
    ends = sum(number[name] for name in COUNTS[7:14])
    assert number["dispatched"] == ends + kinds.count("no-end")
    settled = number["dispatched"] + number["deduplicated"] + number["refused"]
    assert number["triggered"] == settled + kinds.count("in-vain")
    assert number["sent"] == number["received"] + kinds.count("not-received")
    assert number["lost"] == len(account.gaps)
    chance.shuffle(lines)
    again = close(lines, sent, NOW, 4200)
    assert {name: again.counts[name] for name in ("sent", "received", "triggered", "lost")} == {
        name: number[name] for name in ("sent", "received", "triggered", "lost")
    }
