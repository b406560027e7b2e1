"""Closes the record: what was sent, received, triggered, and what became of it. What does not add up is named."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

Line: TypeAlias = Mapping[str, Any]

COUNTS = (
    "sent", "received", "repeated", "triggered", "dispatched", "deduplicated", "refused", "acted", "observed",
    "declined", "failed", "never-started", "unrecorded", "open", "lost",
)  # fmt: skip
DECLINED = ("refused", "gone", "rejected", "timed-out")
BY_HAND = "release-pod"  # a person starts it, not an alert
TAKEN = 200


@dataclass(frozen=True, slots=True)
class Gap:
    """An alert, or a Workflow, whose record does not close: `not-received`, `not-triggered`, `in-vain`, `no-end`,
    `unannounced`."""

    kind: str
    alert: str
    response: str
    workflow: str
    why: str


@dataclass(frozen=True, slots=True)
class Account:
    """Counts by name (COUNTS), gaps, and how many lines looked like a record and could not be read."""

    counts: Mapping[str, int]
    gaps: tuple[Gap, ...]
    unreadable: int = 0


@dataclass(slots=True)
class _Case:
    """All that dispatchers have said of an alert for a response."""

    outcomes: list[str] = field(default_factory=list)
    workflow: str = ""
    reason: str = ""
    last: float = 0.0


def parse(texts: Iterable[str]) -> tuple[list[Line], int]:
    """The records among lines of text, and how many could not be read. What does not begin as one is passed over."""
    found, unreadable = [], 0
    for text in texts:
        if not text.startswith("{"):
            continue
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            unreadable += 1
            continue
        if line.get("part") in ("intake", "dispatcher", "recorder"):
            found.append(line)
    return found, unreadable


def parse_sent(texts: Iterable[str]) -> dict[str, int]:
    """uuid -> the status of its post (200 where the line does not say), of lines that are a uuid or an object with
    `uuid` (as Falcosidekick writes it) and perhaps `status`. Posted again and taken, it is taken. Raises ValueError."""
    found: dict[str, int] = {}
    for text in filter(None, map(str.strip, texts)):
        one = json.loads(text) if text.startswith("{") else {"uuid": text}
        uuid, status = str(one["uuid"]), int(one.get("status", TAKEN))
        found[uuid] = TAKEN if TAKEN in (status, found.get(uuid)) else status
    return found


def close(
    lines: Sequence[Line], sent: Mapping[str, int] | None, now: float, grace: float, unreadable: int = 0
) -> Account:
    """The account. A Workflow that was made within the last `grace` seconds may be under way; `sent` is None where
    nobody says what was sent."""
    counts: Counter[str] = Counter()
    cases, ends = _cases(lines), _ends(lines)
    kept_back = ("intake", "repeated")
    repeated = frozenset(line.get("alert") for line in lines if (line.get("part"), line.get("outcome")) == kept_back)
    gaps = list(_unseen(cases, sent, repeated, counts)) if sent is not None else []
    told = set()
    for (response, alert), case in cases.items():
        counts["triggered"] += 1
        end = ends.get(case.workflow)
        announced = "dispatched" in case.outcomes
        # "Made", it could not say any more: the next try found it there.
        if not announced and "deduplicated" in case.outcomes and end is not None and end.get("alert") == alert:
            announced = True
        if not announced:
            gaps += _settled(response, alert, case, counts)
            continue
        counts["dispatched"] += 1
        told.add(case.workflow)
        if end is not None:
            counts[_kind(str(end["outcome"]))] += 1
        elif now - case.last < grace:
            counts["open"] += 1
        else:
            gaps.append(
                Gap("no-end", alert, response, case.workflow, "its Workflow was made, and no line says how it ended")
            )
    for name, end in ends.items():
        if name not in told and end.get("response") != BY_HAND:
            why = "a Workflow has ended, and no dispatcher has said that it made it: is a log missing?"
            gaps.append(Gap("unannounced", str(end.get("alert", "")), str(end.get("response", "")), name, why))
    counts["lost"] = len(gaps)
    named = {name: counts[name] for name in COUNTS if sent is not None or name not in ("sent", "received", "repeated")}
    return Account(named, tuple(sorted(gaps, key=lambda gap: (gap.kind, gap.alert, gap.response))), unreadable)


def _cases(lines: Sequence[Line]) -> dict[tuple[str, str], _Case]:
    """By response and alert; what names no alert is a case of its own."""
    found: dict[tuple[str, str], _Case] = {}
    for number, line in enumerate(lines):
        if line.get("part") == "dispatcher" and "response" in line:
            alert = str(line.get("alert") or f"(none, line {number + 1})")
            case = found.setdefault((str(line["response"]), alert), _Case())
            if line["outcome"] == "dispatched" or "dispatched" not in case.outcomes:  # that one was made
                case.workflow = str(line.get("workflow") or case.workflow)
            case.outcomes.append(str(line["outcome"]))
            at = _seconds(line)
            if at >= case.last:
                case.last, case.reason = at, str(line.get("reason", ""))
    return found


def _ends(lines: Sequence[Line]) -> dict[str, Line]:
    """Workflow -> its end. Lines of one key are copies; but one that was to be deleted may have gone on until its line
    was taken, so the outcome that was written last counts. That something is late is no end."""
    kept: dict[str, Line] = {}
    told = [line for line in lines if line.get("part") == "recorder" and "key" in line and line["outcome"] != "late"]
    for line in sorted(told, key=_seconds):
        first = kept.setdefault(str(line["key"]), line)
        if first["outcome"] != line["outcome"]:
            kept[str(line["key"])] = line
    return {str(line["workflow"]): line for line in kept.values()}


def _unseen(
    cases: Mapping[tuple[str, str], _Case], sent: Mapping[str, int], repeated: frozenset[object], counts: Counter[str]
) -> Iterable[Gap]:
    """What was sent and never came to a dispatcher, unless the intake says that it was a repeat of one that was."""
    triggered = {alert for _, alert in cases}
    for uuid, status in sent.items():
        counts["sent"] += 1
        counts["received"] += status == TAKEN or uuid in triggered
        if uuid not in triggered and uuid in repeated:
            counts["repeated"] += 1
        elif uuid not in triggered and status == TAKEN:
            yield Gap("not-triggered", uuid, "", "", "it was taken, and no dispatcher has a line of it")
        elif uuid not in triggered:
            yield Gap("not-received", uuid, "", "", f"its post was answered {status or 'not at all'}")


def _settled(response: str, alert: str, case: _Case, counts: Counter[str]) -> list[Gap]:
    """Of one for which no Workflow was made."""
    for outcome, name in (("deduplicated", "deduplicated"), ("refused", "refused"), ("gone", "refused")):
        if outcome in case.outcomes:
            counts[name] += 1
            return []
    return [Gap("in-vain", alert, response, case.workflow, f"tried {len(case.outcomes)} times: {case.reason}")]


def _kind(outcome: str) -> str:
    """Under which count an end belongs."""
    if outcome in ("failed", "never-started", "unrecorded"):
        return outcome
    if outcome in DECLINED:
        return "declined"
    return "observed" if outcome.startswith("would-") else "acted"


def _seconds(line: Line) -> float:
    try:
        return datetime.fromisoformat(str(line["time"])).timestamp()
    except (KeyError, ValueError):
        return 0.0
