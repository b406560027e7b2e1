"""The record of what was received: one JSON line for each alert, whatever came of it."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

SAID = (("alert", ("uuid",)), ("rule", ("rule",)), ("priority", ("priority",)))
ABOUT = (("namespace", "k8s.ns.name"), ("pod", "k8s.pod.name"), ("uid", "k8s.pod.uid"))


def facts(alert: Mapping[str, object]) -> dict[str, object]:
    """What of an alert goes into the record: identifiers, never its free text."""
    fields = alert.get("output_fields")
    fields = fields if isinstance(fields, dict) else {}
    known = {key: alert.get(path[0]) for key, path in SAID} | {key: fields.get(name) for key, name in ABOUT}
    return {key: value for key, value in known.items() if isinstance(value, str)}


def write(values: Mapping[str, object]) -> None:
    """Prints {"part", "time", ...values} as one line, sorted; anything but ASCII is escaped, long values are cut."""
    cut = {key: value[:253] if isinstance(value, str) else value for key, value in values.items()}
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = json.dumps(cut | {"part": "intake", "time": now}, sort_keys=True)
    sys.stdout.buffer.write(f"{line}\n".encode())
    sys.stdout.buffer.flush()
