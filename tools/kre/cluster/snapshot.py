"""What was read of a cluster, all at once: checks ask this and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote

from kre.cluster.result import Unreadable
from kre.cluster.wanted import Wanted
from kre.doors.kubectl import NO_ANSWER, Reply
from kre.model.resource import Body, Resource, each

# (plural, whether in a namespace) of each kind of each apiVersion that is served
Served: TypeAlias = Mapping[str, Mapping[str, tuple[str, bool]]]
WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ARGO = "argoproj.io/v1alpha1"
OK, CREATED, FORBIDDEN, NOT_FOUND = 200, 201, 403, 404
_VERSIONS = {
    "Application": ARGO,
    "Deployment": "apps/v1",
    "EventBus": ARGO,
    "EventSource": ARGO,
    "Sensor": ARGO,
    "ValidatingAdmissionPolicy": "admissionregistration.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
    "Workflow": ARGO,
    "WorkflowTemplate": ARGO,
}  # of every other kind that is asked for: v1


@dataclass(frozen=True)
class Snapshot:
    """The replies by path. In those about Secrets each value is a digest, and there is nothing else of theirs.

    `attempts` are the replies to requests that an admission policy must refuse, by its name.
    """

    wanted: Wanted
    server: str
    replies: Mapping[str, Reply] = field(repr=False, default_factory=dict)
    attempts: Mapping[str, Reply] = field(repr=False, default_factory=dict)

    @property
    def served(self) -> Served:
        return served(self.replies)

    def ask(self, path: str) -> Mapping[str, Any] | None:
        """The object at a path, None where there is none. Raises Unreadable."""
        reply = self.replies.get(path, Reply(NO_ANSWER, text="it was not asked for"))
        if reply.status == NOT_FOUND:
            return None
        if reply.status not in (OK, CREATED):
            raise Unreadable(reply.message or f"status {reply.status}")
        return reply.body

    def get(self, kind: str, name: str, namespace: str = "") -> Mapping[str, Any] | None:
        """An object, None where there is none, or no such kind. Raises Unreadable."""
        path = path_of(self.served, _VERSIONS.get(kind, "v1"), kind, namespace, name)
        return self.ask(path) if path else None

    def list(self, kind: str, namespace: str = "") -> list[Body]:
        """The objects of a kind. Raises Unreadable."""
        path = path_of(self.served, _VERSIONS.get(kind, "v1"), kind, namespace)
        return each(self.ask(path), "items") if path else []

    def live(self, item: Resource) -> Mapping[str, Any] | None:
        """What is on the cluster of a rendered object. Raises Unreadable."""
        path = path_of(self.served, item.api_version, item.kind, item.namespace, item.name)
        return self.ask(path) if path else None


def served(replies: Mapping[str, Reply]) -> Served:
    """What the replies of discovery say."""
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    for reply in replies.values():
        if reply.body.get("kind") == "APIResourceList":
            kinds = found.setdefault(str(reply.body.get("groupVersion")), {})
            for entry in each(reply.body, "resources"):
                if "/" not in entry["name"]:
                    kinds[entry["kind"]] = (entry["name"], entry["namespaced"])
    return found


def discovery(api_version: str) -> str:
    """The path at which an apiVersion says what it serves."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def path_of(known: Served, api_version: str, kind: str, namespace: str, name: str = "") -> str:
    """The path of an object, or of a list; "" where its kind is not served."""
    plural, namespaced = known.get(api_version, {}).get(kind, ("", False))
    if not plural:
        return ""
    within = ["namespaces", namespace] if namespaced and namespace else []
    parts = [quote(part, safe="") for part in (*within, plural, name) if part]
    return "/".join((discovery(api_version), *parts))
