"""One action for a pod and a cool-down, so many for a namespace and a window; also late, and after a crash."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.apiserver import ApiServer, Fault, reset
from demo.apiserver.request import Request
from support.dispatcher import EDGE, SETTINGS, Local, Process, alert, api, changed, counted, uid, workflows

C = 300  # the cool-down: a bucket is as long


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api() as made:
        yield made


@pytest.fixture(params=["same replica", "another replica"])
def local(server: ApiServer, request: pytest.FixtureRequest) -> Local:
    """Remembers, or asks the Lease each time."""
    made = Local(server)
    if request.param == "another replica":
        kept = made.take

        def take(*arguments: Any, **changes: Any) -> dict[str, Any]:
            made.restart()
            return kept(*arguments, **changes)

        made.take = take  # type: ignore[method-assign]
    return made


def outcomes(local: Local, *times: float | tuple[float, float]) -> str:
    """Of one pod's alerts: received then, or (received, delivered) later; D for dispatched, d for deduplicated."""
    found = ""
    for each in times:
        received, local.now = each if isinstance(each, tuple) else (each, each)
        found += {"dispatched": "D", "deduplicated": "d", "refused": "r"}[local.outcome(at=received)]
    return found


@pytest.mark.parametrize(
    ("times", "wanted"),
    [
        ((EDGE, EDGE, EDGE + 1, EDGE + C - 1), "Dddd"),
        ((EDGE + C - 1, EDGE + C), "Dd"),  # the edge of a bucket is none of the cool-down
        ((EDGE + C - 1, EDGE + 2 * C - 2), "Dd"),
        ((EDGE + C - 1, EDGE + 2 * C - 1), "DD"),
        ((EDGE + C - 1, EDGE + 2 * C), "DD"),
        ((EDGE, EDGE + C), "DD"),
        ((EDGE + 1, EDGE + C, EDGE + C + 1), "DdD"),
        ((EDGE + 1, EDGE + 9 * C), "DD"),
        (tuple(EDGE + each for each in range(0, 4 * C, 50)), "D" + "dddddD" * 3 + "ddddd"),
        # A later alert comes first: Sensors and replicas keep no order.
        (((EDGE + C, EDGE + C), (EDGE + C - 1, EDGE + C)), "Dd"),
        (((EDGE + C, EDGE + C), (EDGE + C - 1, EDGE + C + 200), (EDGE + 5, EDGE + C + 250)), "Ddd"),
        (((EDGE + C, EDGE + C), (EDGE + C - 1, EDGE + 2 * C)), "DD"),  # so late that it is a thing of its own
        # Redelivered, much later: it was done.
        (((EDGE, EDGE), (EDGE, EDGE + 500), (EDGE, EDGE + 3500)), "Ddd"),
    ],
)
def test_one_action_in_a_cool_down(
    local: Local, server: ApiServer, times: tuple[float | tuple[float, float], ...], wanted: str
) -> None:
    assert outcomes(local, *times) == wanted
    assert len(workflows(server)) == len(set(workflows_names(server))) == wanted.count("D")


def workflows_names(server: ApiServer) -> list[str]:
    return [one["metadata"]["name"] for one in server.state.all("workflows")]


@pytest.mark.parametrize(
    "other",
    [
        {"response": "isolate-pod"},
        {"namespace": "till"},
        {"pod": "web-2"},
        {"uid": uid(7)},
    ],
)
def test_what_is_another_pod_or_response_acts_too(local: Local, server: ApiServer, other: dict[str, str]) -> None:
    assert [local.outcome(), local.outcome(**other), local.outcome(**other)] == ["dispatched"] * 2 + ["deduplicated"]
    assert len(workflows(server)) == 2


def test_another_rule_or_alert_of_the_same_pod_does_not(local: Local, server: ApiServer) -> None:
    first = local.outcome(alert="0e5d1a5c-4c5b-4d7e-9d6c-000000000000")
    assert [first, local.outcome(), local.outcome(rule="Shell")] == ["dispatched", "deduplicated", "deduplicated"]
    assert len(workflows(server)) == 1


def test_the_cap_refuses_until_the_window_has_passed(local: Local, server: ApiServer) -> None:
    local.settings["cap"] = "3"
    names = iter(range(100))
    start = local.now

    def more(now: float) -> str:
        local.now = now
        number = next(names)
        return local.outcome(pod=f"web-{number}", uid=uid(number))

    assert [more(start + each) for each in (0, 10, 20)] == ["dispatched"] * 3
    assert [more(start + each) for each in (21, 300, 599)] == ["refused"] * 3
    assert (
        local.take(pod="x", uid=uid(99))["reason"] == "cap: 3 actions of this response in this namespace within 600 s"
    )
    assert [more(start + each) for each in (600, 605, 610, 619, 620)] == [
        "dispatched",
        "refused",
        "dispatched",
        "refused",
        "dispatched",
    ]
    assert len(workflows(server)) == 6
    assert local.outcome("isolate-pod") == "dispatched"  # the others' caps are theirs
    assert local.outcome(namespace="till") == "dispatched"


def test_what_has_passed_is_forgotten(local: Local, server: ApiServer) -> None:
    """Or the Lease would grow until the API server takes it no more."""
    for number in range(3):
        assert local.outcome(pod=f"web-{number}", uid=uid(number)) == "dispatched"
    local.now += 600
    assert local.outcome(pod="web-3", uid=uid(3)) == "dispatched"
    assert len(counted(server)) == 4, "just as old as the window"
    local.now += 1
    assert local.outcome(pod="web-4", uid=uid(4)) == "dispatched"
    assert len(counted(server)) == 2


def test_a_cap_of_none_refuses_all(local: Local, server: ApiServer) -> None:
    local.settings["cap"] = "0"
    assert local.outcome() == "refused"
    assert server.changes == []


def test_the_cap_is_told_to_prometheus(tmp_path: Path) -> None:
    with api() as server, Process(tmp_path, server.url, {**SETTINGS, "cap": "1"}) as process:
        told = []
        for number in (1, 2, 3):
            process.send(alert(uid=uid(number)))
            told.append(process.ask("GET", "/metrics")[1].decode().splitlines())
        process.send([])  # refused as well, and not for the cap
        told.append(process.ask("GET", "/metrics")[1].decode().splitlines())
    series = 'kre_dispatcher_capped_total{response="delete-pod"}'
    assert [[line for line in lines if line.startswith(series)] for lines in told] == [
        [f"{series} {count}"] for count in (0, 1, 2, 2)
    ]


def test_what_is_counted_already_is_done_whatever_the_cap(local: Local, server: ApiServer) -> None:
    local.settings["cap"] = "1"
    server.fault = lambda asked, _: reset() if asked.resource == "workflows" else None
    assert local.outcome() == "failed"
    server.fault = None
    assert [local.outcome(pod="web-2"), local.outcome()] == ["refused", "dispatched"]


@pytest.mark.parametrize("names", [("kill", "kill-pod"), ("kill-pod", "kill")])
def test_responses_with_names_alike_are_counted_apart(local: Local, names: tuple[str, str]) -> None:
    local.settings |= {"cap": "1"} | {f"{name}.lane": "workflow" for name in names}
    first, second = names
    assert [local.outcome(each) for each in (first, second, first)] == ["dispatched", "dispatched", "deduplicated"]


def test_a_response_forgets_nothing_of_another_with_a_longer_memory(local: Local, server: ApiServer) -> None:
    local.settings |= {"isolate-pod.cooldown": "3000", "isolate-pod.window": "3000", "isolate-pod.cap": "1"}
    assert local.outcome("isolate-pod") == "dispatched"
    local.now += 1000
    assert local.outcome("delete-pod", pod="web-2", uid=uid(2)) == "dispatched"
    assert local.outcome("isolate-pod", pod="web-3", uid=uid(3)) == "refused"  # its cap still counts the first
    local.now = EDGE + 3100
    assert local.outcome("isolate-pod", at=EDGE + 3001) == "dispatched"
    assert len(workflows(server)) == 3


@pytest.mark.parametrize("cooldown", ["0", "1"])
def test_hardly_any_cool_down(local: Local, server: ApiServer, cooldown: str) -> None:
    local.settings["cooldown"] = cooldown
    assert outcomes(local, EDGE, EDGE, EDGE + 1, EDGE + 2, EDGE + 2) == "DdDDd"


@pytest.mark.parametrize(
    "kept", ['{"other": 1, "delete-pod-00000000000000000000": 99999999999}', '{"delete-pod-x": true}']
)
def test_times_from_a_clock_that_is_ahead_count(local: Local, server: ApiServer, kept: str) -> None:
    local.settings["cap"] = "1"
    (leases,) = [one for key, one in server.state.objects.items() if key.plural == "leases"]
    leases["kre-pipeline", "target-shop"]["metadata"]["annotations"] = {"kre/actions": kept, "mine": "stays"}
    assert local.outcome() == ("refused" if "9999" in kept else "dispatched")
    assert leases["kre-pipeline", "target-shop"]["metadata"]["annotations"]["mine"] == "stays"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("verb", ["update", "patch", "create"])
def test_a_crash_at_any_write_is_made_good_by_the_next_delivery(tmp_path: Path, verb: str, *, after: bool) -> None:
    with api() as server, Process(tmp_path, server.url) as process:

        def crash(asked: Request, _: int) -> Fault | None:
            if asked.verb != verb or process.process.poll() is not None:
                return None
            process.process.kill()
            process.process.wait()
            return reset(after=after)

        server.fault, body = crash, alert()
        with pytest.raises((OSError, http.client.HTTPException)):
            process.send(body, "isolate-pod")
        assert process.records() == []  # it had not said that it did anything
        other = Local(server, now=time.time())
        found = [other.dispatcher.take("isolate-pod", body)["outcome"] for _ in range(2)]
        other.client._connection().close()
        done = verb == "create" and after
        assert found == ["deduplicated" if done else "dispatched", "deduplicated"]
        assert len(workflows(server)) == len(counted(server)) == 1
        assert len(changed(server, "leases")) == 1
        assert len(changed(server, "pods")) <= 1


@dataclass(frozen=True)
class Event:
    """An alert: so long after the one before, of which response and pod, how late, and whether to another replica."""

    after: int
    response: str
    pod: int
    late: int
    restart: bool


EVENTS = st.lists(
    st.builds(
        Event,
        st.integers(0, 25),
        st.sampled_from(["delete-pod", "isolate-pod"]),
        st.integers(1, 3),
        st.one_of(st.just(0), st.integers(0, 29)),
        st.booleans(),
    ),
    min_size=10,
    max_size=40,
)
COOLDOWN, WINDOW, CAP = 30, 70, 2


@settings(max_examples=40, deadline=None)
@given(EVENTS)
def test_any_sequence_of_alerts_keeps_the_promises(events: list[Event]) -> None:
    done: list[tuple[Event, float]] = []
    with api() as server:
        own = {"cooldown": str(COOLDOWN), "window": str(WINDOW), "cap": str(CAP), "mode": "observe"}
        local = Local(server, settings={**SETTINGS, **own})
        for event in events:
            local.now += event.after
            if event.restart:
                local.restart()
            outcome = local.outcome(event.response, local.now - event.late, pod=f"web-{event.pod}", uid=uid(event.pod))
            mine = [(each, then) for each, then in done if each.response == event.response]
            same = [(each, then) for each, then in mine if each.pod == event.pod]
            again = [
                then
                for each, then in same
                if local.now - then < COOLDOWN and abs(local.now - event.late - (then - each.late)) < COOLDOWN
            ]
            full = sum(local.now - then < WINDOW for _, then in mine) >= CAP
            if outcome == "dispatched":
                assert again == []
                assert not full
                done.append((event, local.now))
            elif outcome == "refused":
                assert full
            else:
                assert outcome == "deduplicated"
                assert any(local.now - then < 3 * COOLDOWN for _, then in same)  # else an alert would be lost
        assert len(workflows(server)) == len(done)
