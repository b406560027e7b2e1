"""The test alert: about which pod, for which response, and why it can do no harm in any mode.

It has to pass the real filters of a real Sensor, and the engine has no mode of its own for it: who could ask for one
could ask to be spared. So it is about a pod that is not there: its name and its uid are new random numbers, which no
pod has or will have.

- In observe and enforce a Workflow is made, and the responder asks for the pod before it does anything else
  (base/responses/manifests/code/act.py, guard.find): there is none, so the outcome is `gone`, nothing is touched, and
  no webhook is posted to. Every write of a responder names the pod and its uid besides, and the API server does none of
  them. The dispatcher's fast lane asks for the pod first as well.
- In approve a Workflow would wait an hour for a person. So there the alert names no uid but a container: the dispatcher
  itself must look the pod up (decide.py, _uid), finds none, and says `gone` before it counts anything or makes a
  Workflow. That is as far as it can be followed.

A response in mode observe goes first, then notify, which changes nothing whatever it is told; one in mode approve goes
last. Where a Workflow is made, it counts as one action of that response in that target within the window of the cap.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kre.cluster.result import Unreadable
from kre.cluster.snapshot import Snapshot
from kre.cluster.wanted import PIPELINE, SETTINGS
from kre.edit.pattern import names_of
from kre.model.resource import Resource, dig, each

DRILL = "kre drill"  # the engine's own rule for trying the way: first where a Sensor lists it
NOWHERE = "kre-doctor"  # a namespace that is no target
_ORDER = ("observe", "enforce", "approve")


@dataclass(frozen=True, slots=True)
class Plan:
    """An alert to send: for a response, in its mode, in a target ("" where there is none: the filters drop it)."""

    response: str
    mode: str
    target: str
    alert: Mapping[str, Any] = field(repr=False)

    @property
    def id(self) -> str:
        return str(self.alert["uuid"])

    @property
    def body(self) -> bytes:
        return json.dumps(self.alert).encode()


def plan(snapshot: Snapshot) -> Plan:
    """The test alert for what is on the cluster. Raises Unreadable where there is no response to send it to."""
    sensors = snapshot.wanted.sensors
    if not sensors:
        raise Unreadable("no response is enabled: no Sensor would take an alert")
    modes = _modes(snapshot, list(sensors))
    response = min(sensors, key=lambda name: (_rank(modes[name]), name != "notify", name))
    targets = [name for name in snapshot.wanted.targets if snapshot.get("Namespace", name) is not None]
    target = targets[0] if targets else ""
    made = alert(sensors[response], target or NOWHERE, known_uid=modes[response] != "approve")
    return Plan(response, modes[response], target, made)


def alert(sensor: Resource, namespace: str, *, known_uid: bool) -> dict[str, Any]:
    """An alert in Falcosidekick's form about a pod that is not there, which this Sensor's filters let through."""
    pod = f"kre-doctor-{secrets.token_hex(8)}"
    fields = {"k8s.ns.name": namespace, "k8s.pod.name": pod, "container.full_id": secrets.token_hex(32)}
    if known_uid:
        fields["k8s.pod.uid"] = str(uuid.uuid4())
    return {
        "uuid": str(uuid.uuid4()),
        "output": "kre doctor: a test alert, about a pod that is not there",
        "priority": _allowed(sensor, "priority"),
        "rule": _allowed(sensor, "rule"),
        "source": _allowed(sensor, "source"),
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "output_fields": fields,
        "tags": [],
        "hostname": NOWHERE,
    }


def _allowed(sensor: Resource, name: str) -> str:
    """A value that the filter on a field of the alert lets through."""
    for entry in each(sensor.body, "spec", "dependencies", 0, "filters", "data"):
        if entry.get("path") == f"body.{name}":
            names = names_of(str(dig(entry, "value", 0))) or []
            if not names:
                raise Unreadable(f"{sensor}: the filter on body.{name} is no list of names to choose from")
            return DRILL if DRILL in names else names[0]
    return "Notice" if name == "priority" else "kre doctor"


def _modes(snapshot: Snapshot, responses: Sequence[str]) -> dict[str, str]:
    """The mode of each response, by the settings that the dispatcher reads."""
    values = dig(snapshot.get("ConfigMap", SETTINGS, PIPELINE), "data") or {}
    shared = str(values.get("mode", "")).strip()
    return {name: str(values.get(f"{name}.mode", shared)).strip() for name in responses}


def _rank(mode: str) -> int:
    return _ORDER.index(mode) if mode in _ORDER else len(_ORDER)
