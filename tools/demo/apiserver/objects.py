"""Pods, as the API server returns them; and what every object has. tests/e2e plays the same fields on a real server."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

Object = dict[str, Any]
LONG_AGO = "2020-01-01T00:00:00Z"
_GROUPS = {"Node": "v1", "Job": "batch/v1"}


def metadata(
    namespace: str,
    name: str,
    uid: str = "",
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    created: str = "",
) -> Object:
    """The metadata of an object; what is empty is left out, and uid, resourceVersion, creationTimestamp are given by
    the State that it goes into."""
    made: Object = {"name": name}
    given = {"namespace": namespace, "uid": uid, "creationTimestamp": created}
    made |= {key: value for key, value in given.items() if value}
    made |= {key: dict(value) for key, value in (("labels", labels), ("annotations", annotations)) if value is not None}
    return made


def owner_reference(owner: str | Sequence[str]) -> Object:
    """The controller of an object: a kind, or (kind, name, uid)."""
    kind, name, uid = (owner, "owner", "0") if isinstance(owner, str) else owner
    version = _GROUPS.get(kind, "apps/v1")
    return {"apiVersion": version, "kind": kind, "name": name, "uid": uid, "controller": True}


def pod(
    namespace: str,
    name: str,
    uid: str = "",
    owner: str | Sequence[str] = "",
    annotations: Mapping[str, str] | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    containers: Mapping[str, str] | None = None,
    ready: bool = True,
    created: str = "",
    phase: str = "Running",
    node: str = "node-1",
) -> Object:
    """A v1 Pod.

    `owner` is a kind, or (kind, name, uid). `containers` are names with full container ids ("" is one that has not
    started); one named main where none are given. `created` is a time such as 2026-07-23T08:00:00Z.
    """
    if containers is None:
        containers = {"main": hashlib.sha256(f"{namespace}/{name}/{uid}".encode()).hexdigest()}
    made = metadata(namespace, name, uid, labels=labels, annotations=annotations, created=created)
    if owner:
        made["ownerReferences"] = [owner_reference(owner)]
    spec: Object = {"containers": [{"name": key, "image": "python:3.13-slim"} for key in containers]}
    if node:
        spec["nodeName"] = node
    state = {
        "phase": phase,
        "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        "containerStatuses": [_container(key, value, ready=ready) for key, value in containers.items()],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": spec, "status": state}


def _container(name: str, identifier: str, *, ready: bool) -> Object:
    made: Object = {"name": name, "ready": ready and bool(identifier), "started": bool(identifier), "restartCount": 0}
    return made | ({"containerID": f"containerd://{identifier}"} if identifier else {})
