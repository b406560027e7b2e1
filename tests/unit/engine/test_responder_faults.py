"""Faults at every request of every action, before and after it takes effect, once and for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from demo.apiserver import Fault, hang, mangled, reset, short, trouble, truncated
from support.engine import ACTIONS, REQUESTED, UID, Engine, Ran, engine, shop

TIMEOUT = 0.1  # of a client that meets a hanging server; others have as long as ever
PASSING: dict[str, Callable[..., Fault]] = {
    "429": lambda after: trouble(429, 1, after=after),
    "500": lambda after: trouble(500, after=after),
    "503": lambda after: trouble(503, after=after),
    "reset": lambda after: reset(after=after),
    "hang": lambda after: hang(3 * TIMEOUT, after=after),
    "truncated": lambda after: truncated(after=after),
    "short": lambda after: short(after=after),
    "not JSON": lambda after: mangled(after=after),
    "no object": lambda after: mangled(b"[]", after=after),
    "empty": lambda after: mangled(b"", after=after),
}
FAULTS = PASSING | {"409": lambda after: trouble(409, after=after), "403": lambda after: trouble(403, after=after)}
LASTING = ("409", "403", "429", "500", "reset", "hang", "truncated", "empty")
STEPS = (*ACTIONS, "record")
CHANGES = {"delete", "isolate", "release", "label"}
ENDS = {
    "delete": {"deleted", "gone"},
    "isolate": {"isolated"},
    "release": {"released"},
    "label": {"labelled"},
    "notify": {"notified"},
    "record": {"timed-out"},
}


@pytest.fixture(scope="module")
def it(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One double for all: there are many runs, and each sets the scene anew."""
    with engine(tmp_path_factory.mktemp("engine")) as made:
        yield made


def start(it: Engine, step: str) -> dict[str, str]:
    """Sets the scene of a step; returns the environment that it is run with."""
    it.start(shop(labels={"kre/quarantine": "true"}) if step == "release" else shop())
    it.server.fault = None
    if step == "record":
        failures = '[{"templateName":"approval","phase":"Failed"}]'
        return {"KRE_STEP": "record", "KRE_MODE": "approve", "KRE_STATUS": "Failed", "KRE_FAILURES": failures}
    return {"KRE_ACTION": step, **REQUESTED}


def sequence(it: Engine, step: str) -> list[tuple[str, str]]:
    """(method, path) of each request that a step sends when nothing goes wrong."""
    environ = start(it, step)
    ran = it.run(**environ)
    assert (ran.code, ran.record["outcome"] in ENDS[step]) == (0, True)
    return [(one.method, one.path) for one in it.server.state.requests]


def holds(it: Engine, step: str, ran: Ran) -> None:
    """What must be so whatever went wrong."""
    outcome = ran.record["outcome"] if ran.records else ran.files["outcome"]
    assert ran.code == (outcome == "failed")
    assert it.touched <= ({("pods", "shop", "web-1")} if step in CHANGES else set()), "no other object"
    assert len([one for one in it.server.changes if one.resource != "events"]) <= 1, "no second action"
    for asked in it.changing:
        assert (asked.namespace, asked.resource, asked.name) == ("shop", "pods", "web-1")
        named = asked.body["preconditions"] if asked.method == "DELETE" else asked.body["metadata"]
        assert named["uid"] == UID
    assert len(it.events) <= 1
    assert ran.records or it.events, "a record, in one of the two places"
    assert len(ran.records) <= 1
    assert step == "record" or ran.records
    assert all(record["outcome"] == outcome for record in ran.records)
    if outcome in ENDS[step] - {"gone"}:
        assert bool(it.touched) is (step in CHANGES), "what is said to be done is done"
    if outcome == "gone":
        assert it.pod is None


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", STEPS)
def test_once(it: Engine, step: str, fault: str, after: bool) -> None:
    for number, (method, _) in enumerate(sequence(it, step)):
        if after and method == "GET":
            continue  # reading has no effect
        environ = start(it, step)
        it.server.state.faults += [None] * number + [FAULTS[fault](after)]
        ran = it.run(timeout=TIMEOUT if fault == "hang" else 5.0, **environ)
        holds(it, step, ran)
        if fault in PASSING or (fault == "409" and method in ("PATCH", "POST")):
            assert ran.files["outcome"] in ENDS[step], f"request {number} is asked again"
            assert len(it.events) == 1
            written = ran.record["event"] if ran.records else "known"
            assert fault == "hang" or written.startswith("known" if after and method == "POST" else "written")
        elif method != "POST" and not after:
            assert ran.files["outcome"] == "failed"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fault", LASTING)
@pytest.mark.parametrize("step", STEPS)
def test_for_ever(it: Engine, step: str, fault: str, after: bool) -> None:
    for bad in sequence(it, step):
        if (after and bad[0] == "GET") or (fault == "hang" and step not in ("delete", "isolate")):
            continue  # no effect; and one that is long enough
        environ, made = start(it, step), FAULTS[fault](after)
        it.server.fault = lambda asked, _, bad=bad, made=made: made if (asked.method, asked.path) == bad else None
        ran = it.run(patience=0.5, timeout=TIMEOUT if fault == "hang" else 5.0, **environ)
        holds(it, step, ran)
        if bad[0] == "POST":  # the Event: the step itself is done
            assert ran.files["outcome"] in ENDS[step]
            assert ran.record["event"].startswith("failed: ")
        elif after and (bad[0], fault) == ("DELETE", "409"):
            assert ran.files["outcome"] == "gone"
        else:
            assert ran.files["outcome"] == "failed"
            assert [event["reason"] for event in it.events] == ["KreFailed"]


@pytest.mark.parametrize("fault", ["503", "reset", "hang", "not JSON"])
@pytest.mark.parametrize("step", STEPS)
def test_nothing_but_trouble(it: Engine, step: str, fault: str) -> None:
    environ = start(it, step)
    it.server.fault = lambda *_: PASSING[fault](after=False)
    ran = it.run(patience=0.5, timeout=TIMEOUT if fault == "hang" else 5.0, **environ)
    assert (ran.code, ran.record["outcome"]) == ((0, "timed-out") if step == "record" else (1, "failed"))
    assert (it.touched, it.events) == (set(), [])
    assert ran.record["event"].startswith("failed: ")
