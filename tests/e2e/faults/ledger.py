"""A steady stream of alerts for each fault, and the account of what became of every one of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from subprocess import SubprocessError

from e2e.engine import DEMO, RESPONSES, Engine
from e2e.faults.breaking import Fault
from e2e.faults.records import Records
from e2e.kubectl import Object, alert, wait
from e2e.load import Answer, Barrage, Shot, shot
from e2e.recording import Recording
from kre.record.account import Account, Gap, close

RATE, COUNT, BEFORE = 20, 120, 20  # alerts a second; of a stream; answered when the fault begins
EACH = 5  # of so many alerts one is to act: it makes a Workflow, which waits for a person and so needs no pod
ACTING = 4  # alerts of a stream whose Workflows run, where that is asked for
OTHER = "00000000-0000-4000-8000-000000000002"
TWICE = 2  # the intake posts each alert once more, a minute later
LATE = 100  # seconds: a Sensor tries for 60, and what it had taken is delivered to the next one after 30


@dataclass
class Stream:
    """One fault's alerts: when the fault began (epoch seconds), how long until all was back, the answers by uuid."""

    fault: Fault
    began: float = 0
    back: float = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    may_act: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    error: str = ""

    @property
    def taken(self) -> set[str]:
        """The alerts that were acknowledged."""
        return {key for key, answer in self.answers.items() if answer.status == "200"}


@dataclass(frozen=True)
class Figures:
    """The account. Times in seconds: of the part until it was back, from the first post that was not taken to the
    last, and of the slowest alert from its answer to its record. `again` were delivered more often than the intake
    posts them, `doubled` acted on more than once; of `may_act`, taken, `acted` have a Workflow; of `runs`, taken, `ran`
    have ended well."""

    fault: str
    sent: int
    taken: int
    refused: int
    recorded: int
    lost: int
    again: int
    doubled: int
    may_act: int
    acted: int
    runs: int
    ran: int
    back: float
    refusing: float
    slowest: float
    error: str


def stream(engine: Engine, fault: Fault) -> Stream:
    """Sends them, lets the fault happen among them, and waits until all is back. What goes wrong is in `error`."""
    made = Stream(fault)
    shots: list[Shot] = []
    name = "".join(letter if letter.isalnum() else "-" for letter in fault.name.lower())
    for index in range(COUNT):
        sent = alert("notify", DEMO, f"{name}-{index}", OTHER)
        if index % EACH:
            sent["output_fields"]["k8s.pod.uid"] = "x"  # refused with a record: all of the way but the API server
        else:
            made.may_act.add(sent["uuid"])
        shots.append(shot(sent))
        if fault.acting and index % (COUNT // ACTING) == COUNT // ACTING - 1:
            acting = alert("label-pod", DEMO, f"{name}-{index}", str(uuid.uuid4()))  # none waits for another
            made.runs.add(acting["uuid"])
            shots.append(shot(acting))
    barrage = Barrage(shots, rate=RATE, workers=16, detached=True)
    try:
        wait("the first alerts", lambda: barrage.count() >= BEFORE, 20, 0.3)
        made.began = time.time()
        back = fault.strike(engine.cluster)
        wait(f"{fault.name}, and back", lambda: _asked(back), 90, 0.2)
        made.back = time.time() - made.began
        made.answers = barrage.answers()
    except (AssertionError, SubprocessError) as error:
        made.error = str(error) or type(error).__name__
    return made


def _asked(back: Callable[[], bool]) -> bool:
    """The answer; no, while there is no API server to ask."""
    try:
        return bool(back())
    except (AssertionError, OSError, SubprocessError):
        return False


@dataclass(frozen=True)
class Ledger:
    """What each fault did, by its name, and the account of the record of all of them."""

    figures: dict[str, Figures]
    account: Account

    @property
    def lost(self) -> list[Gap]:
        """What was taken, and whose record does not close."""
        return [gap for gap in self.account.gaps if gap.kind != "not-received"]


def settle(engine: Engine, streams: list[Stream], records: Records, record: Recording) -> Ledger:
    """Waits for what is late, and counts. Takes the Workflows away that wait for a person: not before those that act
    have ended, for hundreds that wait must keep none of them."""
    promised = {key for each in streams for key in each.taken}
    _patiently(lambda: promised <= records.by_alert().keys(), LATE)
    found = records.by_alert()
    workflows = engine.cluster.list("workflows", RESPONSES)
    runs = {key for each in streams for key in each.runs & each.taken}
    _patiently(lambda: runs <= _ended(engine), LATE)
    engine.hurry()  # or what comes a second time would find its Workflow gone, and make another
    engine.cluster.run("-n", RESPONSES, "delete", "workflows", "--selector=kre/response=notify", "--wait=false")
    about = [_alert(item) for item in workflows]
    ended = _ended(engine)
    figures = {each.fault.name: _figures(each, found, about, ended) for each in streams}
    return Ledger(figures, _closed(streams, records, record))


def _closed(streams: list[Stream], records: Records, record: Recording) -> Account:
    """What `kre record close` says of all that was sent, once each Workflow has its end."""
    answers = {key: answer.status for each in streams for key, answer in each.answers.items()}
    sent = {key: int(status) if status.isdigit() else 0 for key, status in answers.items()}
    told = records.by_alert()
    said = [line for key in sent for line in told.get(key, [])]
    made = {line["workflow"] for line in said if line["outcome"] == "dispatched"}
    _patiently(lambda: made <= record.ends().keys(), LATE)
    ends = [line for line in record.lines() if line["alert"] in sent]
    return close([*said, *ends], sent, time.time(), grace=0)


def _patiently(done: Callable[[], bool], seconds: float) -> None:
    """Waits, and goes on in any case: what is missing is counted."""
    with suppress(AssertionError):
        wait("what is late", lambda: _asked(done), seconds, 0.5)


def _ended(engine: Engine) -> set[str]:
    """The alerts whose Workflows have ended well."""
    items = engine.cluster.list("workflows", RESPONSES, "kre/response=label-pod")
    return {_alert(item) for item in items if item.get("status", {}).get("phase") == "Succeeded"}


def _alert(workflow: Object) -> str:
    values = {item["name"]: item["value"] for item in workflow["spec"]["arguments"]["parameters"]}
    return str(values["alert"])


def _figures(each: Stream, found: dict[str, list[Object]], about: list[str], ended: set[str]) -> Figures:
    taken, records = each.taken, {key: found.get(key, []) for key in each.taken}
    refused = [answer.sent for answer in each.answers.values() if answer.status != "200"]
    waited = [
        _seconds(said[0]) - each.answers[key].sent - each.answers[key].seconds for key, said in records.items() if said
    ]
    acting = (each.may_act | each.runs) & taken
    return Figures(
        fault=each.fault.name,
        sent=len(each.answers),
        taken=len(taken),
        refused=len(refused),
        recorded=sum(bool(said) for said in records.values()),
        lost=sum(not said for said in records.values()),
        again=sum(len(said) > TWICE for said in records.values()),
        doubled=sum(about.count(key) > 1 for key in acting),
        may_act=len(acting),
        acted=sum(key in about for key in acting),
        runs=len(each.runs & taken),
        ran=len(each.runs & taken & ended),
        back=round(each.back, 1),
        refusing=round(max(refused) - min(refused), 1) if refused else 0,
        slowest=round(max(waited, default=0), 1),
        error=each.error,
    )


def _seconds(record: Object) -> float:
    return datetime.fromisoformat(record["time"]).timestamp()
