"""What somebody may post who wants the engine to do what it should not, and what has to become of each of it."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from e2e.engine import DEMO
from e2e.kubectl import JSON, Object, alert
from e2e.load import Shot, shot

LIMIT = 65536  # bytes that the EventSource takes
STRINGS = (
    "",
    "{{workflow.name}}",
    "{{inputs.parameters.pod}}",
    "{{=toJson(workflow)}}",
    "{{`{{workflow.uid}}`}}",
    "$(KUBERNETES_SERVICE_HOST)",
    "${jndi:ldap://127.0.0.1/a}",
    "$(reboot); `reboot` | reboot && reboot #",
    "' || true || '",
    "--all-namespaces",
    "../../../namespaces/kube-system/pods/x",
    "%2e%2e%2fkube-system?gracePeriodSeconds=0",
    'x"}}, "metadata": {"namespace": "kube-system"}, "y": {"z": "',
    "a: &a [*a, *a]\n- !!python/object/apply:os.system [reboot]",
    "victim\nkube-system",
    "victim\u0000",
    "\u202evictim\u200b",
    "\uff56ictim",  # a full-width v
    ".*",
    "kre-demo|kube-system",
)
FIELDS = ("k8s.ns.name", "k8s.pod.name", "k8s.pod.uid", "container.full_id", "rule", "uuid", "priority", "source")
PROTECTED = ("kube-system", "kre-pipeline", "kre-responses", "argo-events", "argo-workflows", "falco", "default")
NOTHING, REFUSED, EITHER = "nothing", "refused", "refused or nothing"  # what the dispatcher says


@dataclass(frozen=True)
class Case:
    """A post, the statuses that it may be answered with, and what the dispatcher says of it, if it hears of it."""

    name: str
    shot: Shot
    status: str = "200"
    said: str = NOTHING

    @property
    def alert(self) -> str:
        """The uuid of the alert, "" where there is none to be read."""
        found = re.search(rb'"uuid": "([0-9a-f-]{36})"', self.shot.body)
        return found[1].decode() if found else ""


def cases(pod: str, uid: str, elsewhere: dict[str, tuple[str, str]]) -> dict[str, list[Case]]:
    """By group. All are about a real pod of the demo, or, `elsewhere`, about real ones (name, uid) by namespace."""
    return {
        "forged": list(_forged(pod, uid)),
        "protected": list(_protected(elsewhere)),
        "strings": list(_strings(pod, uid)),
        "types": list(_types(pod, uid)),
        "keys": list(_keys(pod, uid)),
        "bodies": list(_bodies(pod, uid)),
        "requests": list(_requests(pod, uid)),
    }


def _forged(pod: str, uid: str) -> Iterator[Case]:
    for token in ("", "Bearer", "Bearer ", "Bearer x", "Basic own", "bearer x", "Bearer " + "x" * 8000):
        yield Case(f"token {token[:12]!r}", shot(alert("delete-pod", DEMO, pod, uid), token=token), "401")


def _protected(elsewhere: dict[str, tuple[str, str]]) -> Iterator[Case]:
    responses = ("delete-pod", "isolate-pod", "label-pod", "notify", "contain-pod")
    for response in (*responses, "capture-evidence", "scale-down"):
        for namespace in PROTECTED:
            pod, uid = elsewhere.get(namespace, ("no-such-pod", "00000000-0000-4000-8000-000000000000"))
            yield Case(f"{response} in {namespace}", shot(alert(response, namespace, pod, uid)))


def changed(pod: str, uid: str, key: str, value: Any) -> Object:
    """An alert that would delete the pod, but for one field."""
    made = alert("delete-pod", DEMO, pod, uid)
    (made["output_fields"] if "." in key else made)[key] = value
    if key == "container.full_id":  # it counts only where there is no uid
        made["output_fields"]["k8s.pod.uid"] = None
    return made


def _about(key: str) -> str:
    """The Sensor lets pass what is listed, or has a form; uid and container are the dispatcher's to refuse."""
    return {"k8s.pod.uid": REFUSED, "container.full_id": REFUSED, "k8s.pod.name": EITHER}.get(key, NOTHING)


def _field(pod: str, uid: str, key: str, name: str, value: Any) -> Case:
    body = json.dumps(changed(pod, uid, key, value)).encode()
    return Case(f"{key} is {name}", Shot(f"{key} {name}", body), said=_about(key))


def _strings(pod: str, uid: str) -> Iterator[Case]:
    for key in FIELDS:
        for text in STRINGS:
            yield _field(pod, uid, key, repr(text), text)
        # Too long to be read, it is refused without a word of which alert it was.
        yield replace(_field(pod, uid, key, "long", "a" * 40000), said=NOTHING)
    yield _field(pod, uid, "rule", "'Test rule'", "Test rule")
    yield _field(pod, uid, "source", "'internal'", "internal")
    yield _field(pod, uid, "priority", "'Debug'", "Debug")


def _types(pod: str, uid: str) -> Iterator[Case]:
    """Without false for a pod's name: a Sensor hands it on as text, and that is as good a name as any."""
    for key in FIELDS:
        right = changed(pod, uid, "tags", [])
        own = (right["output_fields"] if "." in key else right)[key]
        for value in (None, False, -1, 1.5e300, [], {}, [own], [own, own], {"": own}, {key: own}):
            if (key, value) != ("k8s.pod.name", False):
                yield _field(pod, uid, key, json.dumps(value), value)


def _keys(pod: str, uid: str) -> Iterator[Case]:
    """Names given twice, in the other case, or nested where they should be flat."""
    text = json.dumps(alert("delete-pod", DEMO, pod, uid))
    ns, rule, own = f'"k8s.ns.name": "{DEMO}"', '"rule": "Terminal shell in container"', f'"k8s.pod.uid": "{uid}"'
    assert all(part in text for part in (ns, rule, own))
    nested = alert("delete-pod", DEMO, pod, uid)
    nested["output_fields"] = {"k8s": {"ns": {"name": DEMO}, "pod": {"name": pod, "uid": uid}}}
    for name, body, said in (
        ("protected first", text.replace(ns, f'"k8s.ns.name": "kube-system", {ns}'), NOTHING),
        ("protected last", _bad_uid(text.replace(ns, f'{ns}, "k8s.ns.name": "kube-system"'), own), REFUSED),
        ("rule twice", text.replace(rule, f'"rule": "Test rule", {rule}'), NOTHING),
        ("uid twice", text.replace(own, f'"k8s.pod.uid": "x", {own}'), REFUSED),
        (
            "fields twice",
            _bad_uid(text.replace('"output_fields"', '"output_fields": {}, "output_fields"'), own),
            EITHER,
        ),
        ("other case", text.replace('"output_fields"', '"Output_Fields"'), NOTHING),
        ("nested", json.dumps(nested), NOTHING),
        ("a list of alerts", f"[{text}]", NOTHING),
        ("an alert in an alert", json.dumps({"body": json.loads(text)}), NOTHING),
        ("an event", json.dumps({"specversion": "1.0", "type": "x", "source": "x", "id": "1", "data": text}), NOTHING),
    ):
        own_uuid = body.replace(json.loads(text)["uuid"], str(uuid.uuid4()))
        yield Case(name, Shot(f"keys {name}", own_uuid.encode()), said=said)


def _bad_uid(text: str, own: str) -> str:
    return text.replace(own, '"k8s.pod.uid": "x"')


def _bodies(pod: str, uid: str) -> Iterator[Case]:
    good = json.dumps(alert("delete-pod", DEMO, pod, uid)).encode()
    for name, body in {
        "empty": b"",
        "cut off": good[:-1],
        "and more": good + b"x",
        "two": good + good,
        "not UTF-16": good.decode().encode("utf-16"),
        "byte order mark": b"\xef\xbb\xbf" + good,
        "NUL": b'{"a": "\x00"}',
        "one byte too long": b'{"a": "' + b"x" * (LIMIT - 8) + b'"}',
        "deep": b"[" * 20000 + b"]" * 20000,
    }.items():
        yield Case(name, Shot(f"body {name}", body), "400|413")  # the latter by the intake
    long = json.dumps(changed(pod, uid, "output", "x" * (1 << 20))).encode()
    yield Case("1 MB of text", Shot("body long", long), "400|413|unreachable")  # cut off before it is read
    for name, body in {"null": b"null", "a number": b"1", "a text": b'"x"', "nothing in it": b"{}"}.items():
        yield Case(name, Shot(f"body {name}", body))


def _requests(pod: str, uid: str) -> Iterator[Case]:
    body = json.dumps(alert("delete-pod", DEMO, pod, uid)).encode()
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "POSTS"):
        yield Case(method, Shot(f"method {method}", body, method=method), "400|405")
    for path in ("/", "/Falco", "/falco/", "/falco/x", "/metrics", "/%00"):
        yield Case(path, Shot(f"path {path}", body, path=path), "404")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    pairs = b"rule=Terminal+shell+in+container&source=syscall&priority=Notice&output_fields=" + body
    yield Case("a form", Shot("form", pairs, headers=form))
    yield Case("JSON that says it is a form", Shot("form of JSON", body, headers=form))
    for kind in ("multipart/form-data; boundary=x", "application/xml", "text/plain"):
        refused = json.dumps(changed(pod, uid, "k8s.pod.uid", "x")).encode()
        yield Case(kind, Shot(f"kind {kind}", refused, headers={"Content-Type": kind}), said=REFUSED)
    packed = {"Content-Type": JSON, "Content-Encoding": "gzip"}
    yield Case("says it is packed", Shot("packed", b"\x1f\x8b" + body, headers=packed), "400")
