"""What the API server has stored, what it was asked, and what changed."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from demo.apiserver.faults import Fault
from demo.apiserver.objects import LONG_AGO, Object
from demo.apiserver.request import Change, Request
from demo.apiserver.resources import KNOWN, NAMESPACES, PODS, Resource, of_kind

Key = tuple[str, str]  # (namespace, name)
# The short form of a fault: (code, headers, body); 0 breaks the connection.
Scripted = Fault | tuple[int, dict[str, str], bytes] | None


@dataclass
class State:
    """Objects by resource and (namespace, name). Whoever looks while requests are under way holds `lock`.

    `faults` are done to the next requests, one each, None to none. `graceful`: a deleted pod stays, with a
    deletionTimestamp, as one whose containers take their time. `logs` are by namespace, pod, container, and whether it
    is that of the run before.
    """

    graceful: bool = False
    objects: dict[Resource, dict[Key, Object]] = field(default_factory=lambda: {one: {} for one in KNOWN})
    logs: dict[tuple[str, str, str, bool], bytes] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    faults: list[Scripted] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    version: int = 1000

    @property
    def pods(self) -> dict[Key, Object]:
        """The pods, by (namespace, name)."""
        return self.objects[PODS]

    @property
    def refused(self) -> list[Request]:
        """The requests that rights forbade."""
        with self.lock:
            return [one for one in self.requests if one.refused]

    def all(self, plural: str) -> Sequence[Object]:
        """Copies of the objects of a resource, by its plural name, in order."""
        with self.lock:
            found = next(kept for one, kept in self.objects.items() if one.plural == plural)
            return [copy.deepcopy(found[key]) for key in sorted(found)]

    def add(self, objects: Iterable[Object]) -> None:
        """Puts objects there, as they are, and with them the namespaces that they live in."""
        with self.lock:
            for one in objects:
                resource = of_kind(one["apiVersion"], one["kind"])
                meta = one["metadata"]
                meta.setdefault("creationTimestamp", LONG_AGO)
                self.stamp(one)
                self.objects[resource][meta.get("namespace", ""), meta["name"]] = one
                if resource.namespaced:
                    self.ensure_namespace(meta["namespace"])

    def ensure_namespace(self, name: str) -> None:
        """Makes the namespace, where it is not there yet."""
        if ("", name) not in self.objects[NAMESPACES]:
            meta = {"name": name, "labels": {"kubernetes.io/metadata.name": name}}
            self.add([{"apiVersion": "v1", "kind": "Namespace", "metadata": meta, "status": {"phase": "Active"}}])

    def stamp(self, one: Object) -> Object:
        """Gives an object its next resourceVersion, and a uid where it has none."""
        self.version += 1
        one["metadata"].setdefault("uid", f"{self.version:08x}-0000-4000-8000-000000000000")
        one["metadata"]["resourceVersion"] = str(self.version)
        return one

    def note(self, verb: str, resource: Resource, one: Any) -> None:  # noqa: ANN401 - JSON
        """Keeps a change."""
        meta = one["metadata"]
        self.changes.append(Change(verb, resource.plural, meta.get("namespace", ""), meta["name"]))


def now() -> str:
    """The time, as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
