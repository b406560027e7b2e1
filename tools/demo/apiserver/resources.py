"""The resources that it serves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource: its group ("" is core), version, plural name and kind.

    `create_on_update`: a PUT of a missing one makes it. `unconditional`: an update may leave the resourceVersion out.
    Both as in each one's strategy.go in Kubernetes, pkg/registry; custom resources in apiextensions-apiserver.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    create_on_update: bool = False
    unconditional: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def custom(self) -> bool:
        return self.group == "argoproj.io"

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


PODS = Resource("", "v1", "pods", "Pod")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
EVENTS = Resource("", "v1", "events", "Event", create_on_update=True)
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease", create_on_update=True, unconditional=False)
WORKFLOWS = Resource("argoproj.io", "v1alpha1", "workflows", "Workflow", unconditional=False)

KNOWN = (
    PODS,
    NAMESPACES,
    EVENTS,
    LEASES,
    WORKFLOWS,
    Resource("", "v1", "services", "Service"),
    Resource("", "v1", "serviceaccounts", "ServiceAccount"),
    Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
    Resource("apps", "v1", "replicasets", "ReplicaSet"),
    Resource("apps", "v1", "deployments", "Deployment"),
    Resource("apps", "v1", "statefulsets", "StatefulSet"),
    Resource("apps", "v1", "daemonsets", "DaemonSet"),
    Resource("batch", "v1", "jobs", "Job"),
    Resource("batch", "v1", "cronjobs", "CronJob"),
    Resource("", "v1", "secrets", "Secret"),
    Resource("", "v1", "nodes", "Node", namespaced=False),
)


def find(group: str, version: str, plural: str) -> Resource | None:
    """The resource of a path, None where there is none."""
    return next((one for one in KNOWN if (one.group, one.version, one.plural) == (group, version, plural)), None)


def of_kind(api_version: str, kind: str) -> Resource:
    """The resource of an object. Raises KeyError."""
    for one in KNOWN:
        if (one.api_version, one.kind) == (api_version, kind):
            return one
    raise KeyError(f"{api_version} {kind}")
