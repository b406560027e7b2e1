"""The audit record: one JSON line, and for what a responder did a Kubernetes Event on the pod."""

import json
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from api import ApiError, Client, Object, path
from names import Refused


def settle(work: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    """(outcome, reason) of `work`, whatever it raises: refused, gone, or failed, after which it may be tried again."""
    try:
        return work()
    except (Refused, ApiError) as end:
        return end.outcome, str(end)
    except re.error:
        return "refused", "setting targets is no pattern"
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        return "failed", type(error).__name__


def line(facts: Mapping[str, object]) -> str:
    """{"time", ...facts} as one line of JSON, sorted; anything but ASCII is escaped, long values are cut."""
    values = {key: value[:253] if isinstance(value, str) else value for key, value in facts.items()}
    return json.dumps(values | {"time": datetime.now(UTC).isoformat(timespec="milliseconds")}, sort_keys=True)


def write(text: str) -> None:
    """Prints a line; whole, whoever else prints at the same time."""
    sys.stdout.buffer.write(f"{text}\n".encode())
    sys.stdout.buffer.flush()


def event(client: Client, facts: Object) -> tuple[str, str]:
    """Makes the Event of a record: "written", or "known" from a run before, and which Event. Raises ApiError."""
    place = {"namespace": facts["namespace"]}
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    notes = {f"kre/{key}": facts[key] for key in ("alert", "rule", "mode", "workflow")}
    made: Object = {"apiVersion": "v1", "kind": "Event", "type": "Warning", "count": 1}
    made["metadata"] = {**place, "name": f"{facts['workflow']}.{facts['action']}", "annotations": notes}
    made["involvedObject"] = {"apiVersion": "v1", "kind": "Pod", **place, "name": facts["pod"], "uid": facts["uid"]}
    made["reason"] = "Kre" + facts["outcome"].title().replace("-", "")
    made["message"] = f"{facts['response']}: {facts['reason']}"[:1000]
    made |= {"firstTimestamp": now, "lastTimestamp": now, "source": {"component": "kre"}}
    made |= {"reportingComponent": f"kre/{facts['response']}", "reportingInstance": facts["workflow"]}
    known = client.call("POST", path("events", facts["namespace"]), made, take=(409,))[0] == 409
    return "known" if known else "written", made["metadata"]["name"]
