"""What is open, what is written, and what does not close."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import outcome
from api import Object
from names import NAMESPACE

HOLD = "kre/record"  # the finalizer: a Workflow that has it can't go before its line is written
LATE, LONGEST, HELD, LATELY = 120, 3600 + 600, 60, 3600  # seconds


@dataclass
class Open:
    """A Workflow that has not ended, as it was last seen."""

    workflow: Object
    since: float  # when it was made, epoch seconds
    seen: outcome.Seen = field(default_factory=outcome.Seen)
    late: bool = False  # a line says so


@dataclass
class Done:
    """A Workflow whose line is written, until it is let go, or gone."""

    workflow: Object
    line: Mapping[str, Any]
    since: float  # when it was written
    seen: outcome.Seen = field(default_factory=outcome.Seen)
    free: bool = False  # let go, or another line has its place


class Book:
    """Keeps the books. `write` prints a line and returns it; then `hand` sees to it that it goes on; `keep` puts the
    finalizer on. Both may be called by another thread than asks for `metrics`."""

    def __init__(
        self,
        write: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        hand: Callable[[Done], None],
        keep: Callable[[Object], None],
        clock: Callable[[], float],
    ) -> None:
        self._write, self._hand, self._keep, self._clock = write, hand, keep, clock
        self._open, self._done = dict[str, Open](), dict[str, Done]()
        self._vanished = list[float]()
        self.counts, self._lock = Counter[str](), threading.RLock()

    def replace(self, items: list[Object]) -> None:
        """All that there is, as it was listed. What was open and is not there has gone past us."""
        with self._lock:
            there = {str(item["metadata"]["uid"]) for item in items}
            for uid in [uid for uid in self._open if uid not in there]:
                self.take("DELETED", self._open[uid].workflow)
            self._done = {uid: done for uid, done in self._done.items() if uid in there}
            for item in items:
                self.take("ADDED", item)

    def take(self, kind: str, workflow: Object) -> None:
        """A Workflow that was ADDED, MODIFIED or DELETED."""
        with self._lock:
            uid, metadata = str(workflow["metadata"]["uid"]), workflow["metadata"]
            held, gone = HOLD in (metadata.get("finalizers") or []), kind == "DELETED"
            if uid in self._done:
                self._again(uid, workflow, held=held, gone=gone)
                return
            entry = self._open.get(uid)
            ends = str(_status(workflow).get("phase") or "") in outcome.ENDED
            if entry is None and not held and (ends or gone or "deletionTimestamp" in metadata):
                return  # an earlier run has written it, and let it go
            if entry is None:
                entry = self._open[uid] = Open(workflow, _made(workflow, self._clock()))
                self._count("workflows", workflow)
            entry.workflow = workflow
            outcome.notice(workflow, entry.seen)
            if ends or gone or "deletionTimestamp" in metadata:
                self._close(uid, entry, forced=gone)
            elif not held:
                self._keep(workflow)

    def _again(self, uid: str, workflow: Object, *, held: bool, gone: bool) -> None:
        """One that was to be deleted can go on for as long as it is held: then its line was not the last."""
        done, ended = self._done[uid], self._done[uid].line["phase"] in outcome.ENDED
        facts = None if ended else outcome.end(workflow, done.seen, forced=gone)
        if facts and facts["outcome"] != done.line["outcome"]:
            self._done[uid] = self._written(workflow, done.seen, facts, free=gone)
            done.free = True
        else:
            done.workflow = workflow  # only now: it may be let go as it is from here on
        if gone or not held:
            self._done.pop(uid).free = True

    def _written(self, workflow: Object, seen: outcome.Seen, facts: Mapping[str, Any], *, free: bool) -> Done:
        """The line is written, and on its way."""
        line = self._write({**facts, "part": "recorder", "key": str(workflow["metadata"]["uid"])})
        self._count("records", workflow, outcome=str(line["outcome"]))
        done = Done(workflow, line, self._clock(), seen, free)
        self._hand(done)
        return done

    def _close(self, uid: str, entry: Open, *, forced: bool) -> None:
        facts = outcome.end(entry.workflow, entry.seen, forced=forced)
        done = self._written(entry.workflow, entry.seen, facts, free=forced)
        del self._open[uid]
        if not forced:  # else there is nobody to let go
            self._done[uid] = done
        elif done.line["phase"] not in outcome.ENDED:
            self._vanished.append(done.since)

    def tick(self) -> None:
        """Says once of each that is late that it is."""
        with self._lock:
            for uid, entry in self._open.items():
                if not entry.late and self._is_late(entry):
                    entry.late = True
                    cause = entry.seen.cause or ("" if _status(entry.workflow).get("phase") else "controller")
                    said = entry.seen.said or "nothing has taken it up" * (cause == "controller")
                    facts = outcome.facts(entry.workflow) | {"part": "recorder", "key": f"{uid}.late"}
                    late = {"outcome": "late", "reason": said, "cause": cause or "other", "steps": [], "event": ""}
                    self._hand(Done(entry.workflow, self._write(facts | late), self._clock(), free=True))

    def _is_late(self, entry: Open) -> bool:
        idle = not entry.seen.started and not outcome.waits(entry.workflow)
        return idle and self._clock() - entry.since > LATE

    def metrics(self) -> dict[str, float]:
        """Gauges and counters, by name with labels."""
        with self._lock:
            now, opened = self._clock(), list(self._open.values())
            self._vanished = [then for then in self._vanished if now - then < LATELY]
            states = Counter(
                "running" if one.seen.started else "approval" if outcome.waits(one.workflow) else "waiting"
                for one in opened
            )
            found: dict[str, float] = {
                f'open{{state="{key}"}}': states[key] for key in ("waiting", "approval", "running")
            }
            found["oldest_open_seconds"] = max((now - one.since for one in opened), default=0.0)
            found["late"] = sum(self._is_late(one) for one in opened)
            found['gap{kind="overdue"}'] = sum(now - one.since > LONGEST for one in opened)
            found['gap{kind="held"}'] = sum(now - one.since > HELD for one in self._done.values())
            found['gap{kind="vanished"}'] = len(self._vanished)
            return found | dict(self.counts)

    def _count(self, name: str, workflow: Object, **labels: str) -> None:
        response = outcome.facts(workflow)["response"]
        known = response if NAMESPACE.fullmatch(response) else "other"
        text = "".join(f',{key}="{value}"' for key, value in labels.items())
        self.counts[f'{name}_total{{response="{known}"{text}}}'] += 1


def _status(workflow: Object) -> Mapping[str, Any]:
    found = workflow.get("status")
    return found if isinstance(found, dict) else {}


def _made(workflow: Object, now: float) -> float:
    try:
        return datetime.fromisoformat(str(workflow["metadata"]["creationTimestamp"])).timestamp()
    except (KeyError, ValueError, OverflowError):
        return now
