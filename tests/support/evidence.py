"""A pod of which there is something to keep, and what was kept of it."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from demo.apiserver import namespace, pod
from support.engine import UID, Engine, Ran, shop

HOME, NAMED = "kre-evidence", "hunter2-from-the-environment"
OWNER = ("ReplicaSet", "web-5d8", "rs-1")
LOGS = {
    ("shop", "web-1", "main", False): b"first line\nsecond line\n",
    ("shop", "web-1", "main", True): b"the run before\n",
    ("shop", "web-1", "side", False): b"beside\n",
}
ENV = [
    {"name": "DB_PASSWORD", "value": NAMED},
    {"name": "PLAIN", "value": "not-to-be-kept"},
    {"name": "REFERRED", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
]


def told(name: str = "one", uid: str = UID, message: str = "Back-off restarting") -> dict[str, Any]:
    """An Event about the pod of this uid."""
    about = {"kind": "Pod", "namespace": "shop", "name": "web-1", "uid": uid}
    made = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "shop"}}
    return made | {"involvedObject": about, "reason": "BackOff", "message": message}


def scene(*more: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    """shop/web-1 with two containers, of which one has restarted; its Events, and another's."""
    containers = {"main": "a" * 64, "side": "b" * 64}
    made = pod("shop", "web-1", UID, OWNER, containers=containers, **changes)
    made["spec"]["containers"][0] |= {"env": ENV, "args": ["--token", "opaque-argument", "--verbose"]}
    made["metadata"]["managedFields"] = [{"manager": "kubelet"}]
    made["status"]["containerStatuses"][0]["restartCount"] = 2
    made["status"]["hostIP"] = "10.0.0.7"
    others = [one for one in shop() if one["metadata"]["name"] != "web-1" or one["metadata"]["namespace"] != "shop"]
    return [*others, namespace(HOME), made, told(), told("other", "another-uid", "of another pod"), *more]


def begin(it: Engine, objects: list[dict[str, Any]] | None = None, logs: dict[Any, bytes] | None = None) -> None:
    it.start(scene() if objects is None else objects)
    it.server.state.logs.update(LOGS if logs is None else logs)


def secrets(it: Engine) -> list[dict[str, Any]]:
    return list(it.server.state.all("secrets"))


def events(it: Engine) -> list[dict[str, Any]]:
    """The Events that are records; the scene has some of its own."""
    return [one for one in it.events if one.get("source") == {"component": "kre"}]


def pieces(it: Engine) -> dict[str, bytes]:
    """What the one Secret holds."""
    (found,) = secrets(it)
    return {key: base64.b64decode(value, validate=True) for key, value in found["data"].items()}


def whole(it: Engine, ran: Ran) -> dict[str, bytes]:
    """The pieces, having seen that the record, the index and the name vouch for every byte of them."""
    (found,), kept, said = secrets(it), pieces(it), ran.record["evidence"]
    index = json.loads(kept["index.json"])
    hashes = {key: hashlib.sha256(content).hexdigest() for key, content in kept.items()}
    digest = hashes.pop("index.json")
    assert said == {"in": f"Secret {HOME}/{found['metadata']['name']}", "index": digest, "sha256": hashes}
    assert (index["sha256"], digest in ran.record["reason"]) == (hashes, True)
    assert found["metadata"]["name"] == f"{ran.record['workflow']}-{digest[:16]}"
    assert (found["type"], found["immutable"]) == ("kre-evidence", True)
    assert sum(map(len, kept.values())) < 1 << 20
    assert len(ran.text) < 32 * 1024
    return kept
