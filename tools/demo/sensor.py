"""What a Sensor does with an event: its data filters, and the request that its `http` trigger makes.

Not all of Argo Events: filters of type string on paths of plain keys, every one of which must pass; payload entries
with dataKey, value and contextKey time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kre.model.resource import dig, each

_STEP = re.compile(r"(?:\\.|[^.\\])+")
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Event:
    """What the EventBus hands to a Sensor: the alert as the body, and when it was received (2026-07-23T08:00:00Z)."""

    body: Mapping[str, Any]
    time: str


@dataclass(frozen=True, slots=True)
class Call:
    """The request of an `http` trigger. `allowed` are the status codes that end the trying, at most `steps` times."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    allowed: tuple[int, ...]
    steps: int


def stopped_by(sensor: Mapping[str, Any], event: Event) -> str | None:
    """The path of the first data filter that an event does not pass, None where it passes all of them."""
    for one in each(sensor, "spec", "dependencies", 0, "filters", "data"):
        found = _field(one["path"], {"body": event.body})
        if one["type"] != "string":
            raise ValueError(f"{one['path']}: a filter of type {one['type']} is not known here")
        # Whole values, though the engine's patterns carry their anchors: `$` matches before a last newline in Python.
        if found is _MISSING or not any(re.fullmatch(pattern, _text(found)) for pattern in one["value"]):
            return str(one["path"])
    return None


def calls(sensor: Mapping[str, Any], event: Event, secrets: Mapping[tuple[str, str], str]) -> list[Call]:
    """What the triggers send for an event; `secrets` are values by (name of the Secret, key).

    Raises KeyError where a field without a default is missing: then Argo Events sends nothing either.
    """
    return [_call(trigger, event, secrets) for trigger in each(sensor, "spec", "triggers")]


def _call(trigger: Mapping[str, Any], event: Event, secrets: Mapping[tuple[str, str], str]) -> Call:
    http = trigger["template"]["http"]
    headers = dict(http.get("headers") or {})
    for one in http.get("secureHeaders") or ():
        secret = dig(one, "valueFrom", "secretKeyRef")
        headers[one["name"]] = secrets[secret["name"], secret["key"]]
    payload = {entry["dest"]: _value(entry["src"], event) for entry in http["payload"]}
    allowed = dig(trigger, "policy", "status", "allow") or [200]
    steps = dig(trigger, "retryStrategy", "steps") or 1
    return Call(http["method"], http["url"], headers, json.dumps(payload).encode(), tuple(allowed), steps)


def _value(source: Mapping[str, Any], event: Event) -> str:
    if source.get("contextKey"):
        return {"time": event.time}[source["contextKey"]]
    if source.get("dataKey"):
        found = _field(source["dataKey"], {"body": event.body})
        if found is not _MISSING:
            return _text(found)
    return str(source["value"])


def _field(path: str, event: Mapping[str, Any]) -> object:
    """The value at a gjson path of plain keys, dots in keys escaped: body.output_fields.k8s\\.ns\\.name."""
    value: object = event
    for step in _STEP.findall(path):
        key = step.replace("\\", "")
        if not isinstance(value, Mapping) or key not in value:
            return _MISSING
        value = value[key]
    return value


def _text(value: object) -> str:
    """As gjson writes it: null is empty, what is no string is JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
