"""Sends the test alert, and follows it from hop to hop. `kre.cluster.alert` says why it is harmless.

The pieces of evidence are those that an operator has: the EventSource's answer, the dispatcher's record, the Workflow,
its pod, the responder's record. What the probe leaves is a Workflow, which its TTL takes away within a day, an Event in
the target, and a place in the count of the cap: they are the audit trail, so it clears nothing up.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from kre.cluster import hops
from kre.cluster.alert import Plan
from kre.cluster.result import Result, Status, Unreadable
from kre.cluster.snapshot import ARGO, FORBIDDEN, OK
from kre.cluster.wanted import DISPATCHER, PIPELINE, RESPONSES
from kre.doors.kubectl import Api, Reply
from kre.doors.webhook import Webhook, post
from kre.model.resource import Body, dig, each

PAUSE = 0.1  # seconds between two looks
ENDED = ("Succeeded", "Failed", "Error")
_LABEL = f"app.kubernetes.io/name={DISPATCHER}"


@dataclass(frozen=True, slots=True)
class Sending:
    """What is needed to send: the way to the webhook, the token, and how long to wait for each hop."""

    to: Webhook
    token: str
    timeout: float

    def __repr__(self) -> str:
        return "Sending(...)"


def follow(api: Api, plan: Plan, sending: Sending) -> Iterator[Result]:
    """The hops, each as it is passed or is given up; those after one that failed are unknown."""
    start = time.monotonic()
    trail = _Trail(api, plan, start, sending.timeout)
    status, why = post(sending.to, plan.body, sending.token, sending.timeout)
    yield trail.result("eventsource", *hops.posted(status, why))
    if status != OK:
        yield from hops.unreached("eventsource", "the alert was not taken")
        return
    if not plan.target:
        yield from hops.unreached("eventsource", "there is no target: the Sensors' filters drop every alert")
        return
    try:
        record = trail.wait(trail.record)
    except Unreadable as error:
        yield from hops.unreached("eventsource", f"it can't be followed: {error}")
        return
    yield trail.result("dispatcher", *hops.recorded(plan, record, sending.timeout))
    workflow = str((record or {}).get("workflow", ""))
    if (record or {}).get("outcome") != "dispatched":
        yield from hops.unreached("dispatcher", hops.why_no_workflow(plan, record))
        return
    yield from _workflow(trail, workflow, str((record or {}).get("mode")))


def _workflow(trail: _Trail, name: str, mode: str) -> Iterator[Result]:
    try:
        found = trail.wait(lambda: trail.workflow(name))
        trail.started(name)
    except Unreadable as error:
        yield from hops.unreached("dispatcher", f"it can't be followed: {error}")
        return
    yield trail.result("workflow", *hops.made(name, bool(found), trail.timeout))
    if not found:
        yield from hops.unreached("workflow", "there is no Workflow to follow")
        return
    if mode == "approve":  # the setting was changed meanwhile
        yield from hops.unreached("workflow", f"{name} waits for a person: docs/operate.md says how to reject it")
        return
    running = trail.wait(lambda: trail.started(name))
    yield trail.result("pod", *hops.started(name, bool(running), trail.timeout))
    if not running:
        yield from hops.unreached("pod", "no pod of the Workflow runs")
        return
    ended = trail.wait(lambda: trail.ended(name))
    yield trail.result("responder", *hops.ended(name, ended, trail.timeout))


class _Trail:
    """Where the alert has got to, by what the API server says."""

    def __init__(self, api: Api, plan: Plan, start: float, timeout: float) -> None:
        self._api, self._plan, self._start, self.timeout = api, plan, start, timeout

    def result(self, hop: str, status: Status, where: str, found: str, remedy: str = "") -> Result:
        passed = None if status == "unknown" else round((time.monotonic() - self._start) * 1000)
        return Result("probe", hop, status, where, found, remedy, passed)

    def wait(self, look: Callable[[], Mapping[str, Any] | None]) -> Mapping[str, Any] | None:
        """What `look` finds, asked again until it finds something or time is up."""
        until = time.monotonic() + self.timeout
        while (found := look()) is None and time.monotonic() < until:
            time.sleep(PAUSE)
        return found

    def record(self) -> Mapping[str, Any] | None:
        """The dispatcher's record of the alert, that of its last attempt."""
        pods = self._items(f"/api/v1/namespaces/{PIPELINE}/pods?labelSelector={quote(_LABEL)}")
        since = int(time.monotonic() - self._start) + 5
        found: list[Mapping[str, Any]] = []
        for pod in pods:
            where = f"/api/v1/namespaces/{PIPELINE}/pods/{pod['metadata']['name']}/log?sinceSeconds={since}"
            lines = self._read(where).text.splitlines()
            found += [record for line in lines if self._plan.id in line and (record := _object(line))]
        mine = [record for record in found if record.get("alert") == self._plan.id]
        settled = [record for record in mine if record.get("outcome") != "failed"]
        late = time.monotonic() - self._start > self.timeout  # it was asked again all the time, and failed each time
        return settled[0] if settled else (mine[-1] if mine and late else None)

    def workflow(self, name: str) -> Mapping[str, Any] | None:
        reply = self._read(f"/apis/{ARGO}/namespaces/{RESPONSES}/workflows/{quote(name, safe='')}")
        return reply.body if reply.status == OK else None

    def started(self, name: str) -> Mapping[str, Any] | None:
        label = quote(f"workflows.argoproj.io/workflow={name}")
        pods = self._items(f"/api/v1/namespaces/{RESPONSES}/pods?labelSelector={label}")
        return next((pod for pod in pods if dig(pod, "status", "phase") not in (None, "Pending")), None)

    def ended(self, name: str) -> Mapping[str, Any] | None:
        """{"phase", "message", and the responder's record}, once it has ended."""
        found = self.workflow(name) or {}
        phase = dig(found, "status", "phase")
        if phase not in ENDED:
            return None
        nodes = (dig(found, "status", "nodes") or {}).values()
        texts = [one.get("value") for node in nodes for one in each(node, "outputs", "parameters") if _is_record(one)]
        records = [record for text in texts if (record := _object(str(text)))]
        return {
            **(records[-1] if records else {}),
            "phase": phase,
            "message": str(dig(found, "status", "message") or ""),
        }

    def _items(self, path: str) -> list[Body]:
        return each(self._read(path).body, "items")

    def _read(self, path: str) -> Reply:
        """Raises Unreadable for what will not be answered later either."""
        reply = self._api.get(path)
        if reply.status == FORBIDDEN:
            raise Unreadable(reply.message)
        return reply


def _is_record(parameter: Body) -> bool:
    return parameter.get("name") == "record"


def _object(line: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
