"""What there is to know of a pod: its manifest, owners, events, and the logs of its containers, piece by piece."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlencode

import redact
from api import ApiError, Object, path
from found import INDEX, Found
from logs import Logs
from names import NAMESPACE
from request import Request

# An owner's kind -> (plural, group). A pod belongs to a ReplicaSet, and that to a Deployment, and so on.
OWNERS = {kind: (f"{kind.lower()}s", "apps/v1") for kind in ("ReplicaSet", "Deployment", "StatefulSet", "DaemonSet")}
OWNERS |= {kind: (f"{kind.lower()}s", "batch/v1") for kind in ("Job", "CronJob")}
LEVELS, CONTAINERS, EVENTS, LINES = 4, 20, 200, 2000
BEFORE = 60  # seconds before the alert from which on a log is kept: noise that is made later does not push that out


def gather(logs: Logs, request: Request, pod: Object, limit: int) -> Found:
    """The pieces of this pod, with their index at most `limit` bytes together."""
    found, most, secrets = Found(limit - INDEX), limit // 10, redact.secrets(pod)
    found.add("pod.json", _json(pod, secrets), most)
    with found.trying("events.json"):
        asked = {"fieldSelector": f"involvedObject.uid={request['uid']}", "limit": EVENTS}
        _, answer = logs.call("GET", f"{path('events', request['namespace'])}?{urlencode(asked)}")
        more = bool(answer["metadata"].get("continue"))
        found.add("events.json", _json(answer["items"], secrets), most, more=more)
    _owners(found, logs, request["namespace"], pod, secrets, most)
    reads = list(_reads(found, request, pod))
    for number, (name, where) in enumerate(reads):
        with found.trying(name):
            if logs.spent():
                raise ApiError("there was no time left")
            share = found.left // (len(reads) - number)  # so that one that says much does not silence the others
            content = logs.text(f"{where}&limitBytes={share + 1}", share)
            if content is not None:
                found.add(name, redact.log(content[:share], secrets), share, more=len(content) > share)
    return found


def _owners(found: Found, logs: Logs, namespace: str, pod: Object, secrets: list[str], most: int) -> None:
    below: Object | None = pod
    for number in range(1, LEVELS + 1):
        with found.trying(f"owner-{number}.json"):
            owners = (below or {}).get("metadata", {}).get("ownerReferences") or []
            owner, below = next((each for each in owners if each.get("controller")), None), None
            if owner is None or owner["kind"] not in OWNERS or not NAMESPACE.match(owner["name"]):
                return
            plural, group = OWNERS[owner["kind"]]
            body = logs.get(path(plural, namespace, owner["name"], group))
            if body is None or body["metadata"]["uid"] != owner["uid"]:
                raise ApiError("it is not there any more")
            found.add(f"owner-{number}.json", _json(body, secrets), most)
            below = body


def _reads(found: Found, request: Request, pod: Object) -> Iterator[tuple[str, str]]:
    """(piece, path) of each log, the most telling ones first, should time run out."""
    restarted, names = set[str](), list[str]()
    with found.trying("containers"):
        for key, listed in pod["status"].items():
            if key.lower().endswith("containerstatuses"):
                restarted |= {each["name"] for each in listed or [] if each["restartCount"]}
        for kind in ("containers", "ephemeralContainers", "initContainers"):
            names += [name for each in pod["spec"].get(kind) or [] if NAMESPACE.fullmatch(name := each["name"])]
    if len(names) > CONTAINERS:
        found.missing["containers"] = f"the logs of {len(names) - CONTAINERS} of {len(names)}"
    since = datetime.fromtimestamp(max(0, min(int(request["received"]), time.time()) - BEFORE), UTC)
    ways = {"around": {"sinceTime": since.strftime("%Y-%m-%dT%H:%M:%SZ")}, "log": {"tailLines": str(LINES)}}
    ways["previous"] = ways["log"] | {"previous": "true"}
    base = f"{path('pods', request['namespace'], request['pod'])}/log"
    for way, asked in ways.items():
        for name in names[:CONTAINERS]:
            if way != "previous" or name in restarted:
                yield f"{way}.{name}", f"{base}?{urlencode({'container': name, 'timestamps': 'true', **asked})}"


def _json(value: object, secrets: list[str]) -> bytes:
    return json.dumps(redact.clean(value, secrets), indent=1, sort_keys=True).encode()
