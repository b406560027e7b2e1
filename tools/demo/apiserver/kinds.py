"""Namespaces, workloads, leases, services and policies, as far as anyone here looks at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from demo.apiserver.objects import Object, metadata, owner_reference

Labels = Mapping[str, str]


def namespace(name: str, labels: Labels | None = None, annotations: Labels | None = None) -> Object:
    """A v1 Namespace, with the label that every one has."""
    own = {"kubernetes.io/metadata.name": name, **(labels or {})}
    made = metadata("", name, labels=own, annotations=annotations)
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": made, "status": {"phase": "Active"}}


def _workload(
    kind: str,
    namespace: str,
    name: str,
    replicas: int = 1,
    uid: str = "",
    *,
    selector: Labels | None = None,
    owner: str | Sequence[str] = "",
    ready: int | None = None,
) -> Object:
    chosen = dict(selector or {"app": name})
    made = metadata(namespace, name, uid, labels=chosen)
    if owner:
        made["ownerReferences"] = [owner_reference(owner)]
    count = replicas if ready is None else ready
    template = {"metadata": {"labels": chosen}, "spec": {"containers": [{"name": "main", "image": "python:3.13-slim"}]}}
    spec: Object = {"selector": {"matchLabels": chosen}, "template": template}
    if kind == "DaemonSet":
        state: Object = {"desiredNumberScheduled": replicas, "numberReady": count}
    else:
        spec["replicas"] = replicas
        state = {"replicas": replicas, "readyReplicas": count, "availableReplicas": count}
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": made, "spec": spec, "status": state}


# Each of (namespace, name, replicas, uid, selector, owner, ready): an apps/v1 workload that wants `replicas` pods and
# has `ready` (all, where not said), selects by `selector` ({"app": name}), and belongs to `owner`, (kind, name, uid).
replicaset = partial(_workload, "ReplicaSet")
deployment = partial(_workload, "Deployment")
statefulset = partial(_workload, "StatefulSet")
daemonset = partial(_workload, "DaemonSet")


def lease(namespace: str, name: str, annotations: Labels | None = None) -> Object:
    """A coordination.k8s.io/v1 Lease that nobody holds."""
    made = metadata(namespace, name, annotations=annotations)
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": made, "spec": {}}


def node(name: str, uid: str = "", labels: Labels | None = None, *, ready: bool = True, **spec: Any) -> Object:  # noqa: ANN401 - JSON
    """A v1 Node; `spec` is such as unschedulable or taints."""
    state = {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}
    made = metadata("", name, uid, labels=labels)
    return {"apiVersion": "v1", "kind": "Node", "metadata": made, "spec": spec, "status": state}


def service(namespace: str, name: str, selector: Labels | None) -> Object:
    """A v1 Service; None as a selector is one whose endpoints somebody else keeps."""
    spec: Object = {"ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]}
    if selector is not None:
        spec["selector"] = dict(selector)
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata(namespace, name), "spec": spec}


def networkpolicy(
    namespace: str,
    name: str,
    selector: Labels | None = None,
    *,
    expressions: Sequence[Mapping[str, Any]] = (),
    types: Sequence[str] = ("Ingress",),
    **rules: Sequence[Mapping[str, Any]],
) -> Object:
    """A networking.k8s.io/v1 NetworkPolicy. Without `selector` (matchLabels) and `expressions` (matchExpressions) it
    selects every pod; `rules` are its ingress and egress."""
    chosen: Object = {}
    if selector:
        chosen["matchLabels"] = dict(selector)
    if expressions:
        chosen["matchExpressions"] = [dict(one) for one in expressions]
    spec: Object = {"podSelector": chosen, "policyTypes": list(types)}
    spec |= {direction: [dict(rule) for rule in given] for direction, given in rules.items()}
    made = metadata(namespace, name)
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": made, "spec": spec}
