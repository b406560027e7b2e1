"""The controllers of Argo Events and Argo Workflows."""

from __future__ import annotations

from collections.abc import Iterator

from kre.cluster.result import Trouble, Unreadable, Verdict
from kre.cluster.snapshot import Snapshot
from kre.cluster.wanted import FALCO
from kre.model.resource import Body, dig, each

# Ends of the names of their Deployments, in their charts and in their projects' own manifests
_NAMES = {"argo-events": "controller-manager", "argo-workflows": "workflow-controller"}


def controllers(snapshot: Snapshot) -> Verdict:
    """Both are up, and hold nothing but what Roles give them."""
    told, troubles = [], []
    for chart, (namespace, _) in snapshot.wanted.controllers().items():
        found = deployment(snapshot, chart)
        if found is None:
            what = f"namespace {namespace} has no Deployment *{_NAMES[chart]}"
            remedy = f"Application {snapshot.wanted.name}-{chart} brings it"
            troubles.append(Trouble("failed", f"{chart} controller", what, remedy))
            continue
        name = f"Deployment {namespace}/{found['metadata']['name']}"
        image = str(dig(found, "spec", "template", "spec", "containers", 0, "image"))
        told.append(f"{namespace}/{found['metadata']['name']} {image.rpartition('/')[2].partition('@')[0]}")
        if trouble := not_ready(found, name):
            troubles.append(trouble)
        troubles.extend(_wide(snapshot, found, name))
    return Verdict(f"{', '.join(told)}: up, with Roles alone", tuple(troubles))


def not_ready(found: Body, name: str) -> Trouble | None:
    """What is wrong with a Deployment that has not as many ready pods as it wants, or wants none."""
    namespace, wants = found["metadata"]["namespace"], dig(found, "spec", "replicas")
    ready = dig(found, "status", "readyReplicas") or 0
    if wants and ready >= wants:
        return None
    short = found["metadata"]["name"]
    if not wants:
        remedy = f"kubectl -n {namespace} scale deployment {short} --replicas=1, or sync what it comes from"
        return Trouble("failed", name, "it is scaled to 0", remedy)
    remedy = f"kubectl -n {namespace} describe deployment,pods -l {selector(found)}"
    status = "warning" if ready else "failed"
    return Trouble(status, name, f"{ready} of {wants} pods are ready", remedy)  # type: ignore[arg-type]


def selector(found: Body) -> str:
    """The labels of a Deployment's pods, as kubectl takes them."""
    labels = dig(found, "spec", "selector", "matchLabels") or {}
    return ",".join(f"{key}={value}" for key, value in labels.items())


def deployment(snapshot: Snapshot, chart: str) -> Body | None:
    """The controller of a chart. Raises Unreadable."""
    namespace = snapshot.wanted.controllers()[chart][0]
    listed = snapshot.list("Deployment", namespace)
    found = [item for item in listed if item["metadata"]["name"].endswith(_NAMES[chart])]
    return found[0] if found else None


def _wide(snapshot: Snapshot, found: Body, name: str) -> Iterator[Trouble]:
    account = dig(found, "spec", "template", "spec", "serviceAccountName") or "default"
    namespace = found["metadata"]["namespace"]
    try:
        bindings = snapshot.list("ClusterRoleBinding")
    except Unreadable as error:
        yield Trouble("unknown", name, f"whether it has ClusterRoles: {error}")
        return
    for binding in bindings:
        for subject in each(binding, "subjects"):
            named = (subject.get("kind"), subject.get("name"), subject.get("namespace"))
            if named == ("ServiceAccount", account, namespace):
                what = f"ClusterRoleBinding {binding['metadata']['name']} gives it rights in every namespace"
                yield Trouble("warning", name, what, "the values of its chart here make Roles alone: compare them")


def detection(snapshot: Snapshot) -> Verdict:
    """Something sees, and something sends: without either no alert comes."""
    pods, troubles, told = snapshot.list("Pod", FALCO), [], []
    for name in ("falco", "falcosidekick"):
        mine = [pod for pod in pods if dig(pod, "metadata", "labels", "app.kubernetes.io/name") == name]
        ready = [pod for pod in mine if is_ready(pod)]
        told.append(f"{len(ready)} pods of {name}")
        if len(ready) < max(1, len(mine)):
            found = f"{len(ready)} of {len(mine)} pods are ready" if mine else "there is no pod of it"
            remedy = f"kubectl -n {FALCO} get pods; Application {snapshot.wanted.name}-{name} brings it"
            troubles.append(Trouble("warning", f"{name} in {FALCO}", found, remedy))
    return Verdict(f"{', '.join(told)} are ready", tuple(troubles))


def is_ready(pod: Body) -> bool:
    """Whether a pod is, and is not about to go."""
    conditions = each(pod, "status", "conditions")
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
