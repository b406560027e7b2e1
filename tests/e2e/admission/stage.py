"""What the requests are about: objects that no controller touches, and rights for whoever asks."""

from __future__ import annotations

import json
from typing import Any

from e2e.admission.api import EVERYTHING
from e2e.kubectl import PROJECT, Cluster

POLICIES = PROJECT / "base/responses/manifests/admission"
TARGET = "admission-target"
PROTECTED = "admission-protected"  # by annotation
CLOSED = ("kube-admission", "argo-admission", "falco-admission", "kre-pipeline", "kre-responses")  # by name
EVIDENCE = "kre-evidence"  # closed by name too; but its quota lets nobody put a pod there
OPEN = ("x-falco-admission", "x-kre-pipeline", "kre-pipeline-x", "kre-responses-x", "akube-admission")
NOBODY = "admission.invalid"  # a scheduler and a registry that there are not
KEPT = {"app": "shop", "tier": "web"}
HOLD = "kre/record"  # a Workflow is held by it until its record is written
MARK = "kre.test/admission"  # on everything that the tests have made
OPERATED = "otto@example.org"  # asked for the Workflow that waits


def _pod(name: str, namespace: str = TARGET, *, node: str = "", **metadata: Any) -> dict[str, Any]:
    container = {
        "name": "main",
        "image": f"{NOBODY}/none",
        "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"cpu": "1m", "memory": "1Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec = {
        "schedulerName": NOBODY,
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 8737, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    } | ({"nodeName": node} if node else {"serviceAccountName": "admission"})  # a static pod may have none
    # The finalizer keeps them where a controller finds that they have no node or owner.
    whole = {"name": name, "namespace": namespace, "labels": KEPT, "finalizers": [MARK]} | metadata
    return {"apiVersion": "v1", "kind": "Pod", "metadata": whole, "spec": spec}


def _owner(kind: str, api: str) -> list[dict[str, str]]:
    return [{"apiVersion": api, "kind": kind, "name": "none", "uid": "7a3c1c04-0c8e-4a4e-9a33-0a8c7a0d9f11"}]


def pods() -> list[dict[str, Any]]:
    """One of each kind that a policy knows."""
    protected = {"kre/protected": "true"}
    isolated = {"labels": {"kre/quarantine": "true"}, "annotations": {"kre/isolated-labels": json.dumps(KEPT)}}
    return [
        _pod("plain"),
        _pod("noted", annotations={"note": "mine"}),
        _pod("one", labels={"only": "one"}),
        _pod("labelled", labels=KEPT | {"kre/quarantine": "true"}),
        _pod("isolated", **isolated),
        _pod(
            "half",
            labels={"kre/quarantine": "true", "tier": "web"},
            annotations={"kre/isolated-labels": '{"app":"shop"}'},
        ),
        _pod("back", labels=isolated["labels"] | {"app": "other"}, annotations=isolated["annotations"]),
        _pod("protected", annotations=protected),
        _pod("late", labels=isolated["labels"], annotations=isolated["annotations"] | protected),
        _pod("mirror", annotations={"kubernetes.io/config.mirror": "x"}, node=NOBODY),
        _pod("daemon", ownerReferences=_owner("DaemonSet", "apps/v1")),
        _pod("node", ownerReferences=_owner("Node", "v1")),
        _pod("replica", ownerReferences=_owner("ReplicaSet", "apps/v1")),
        *(_pod("plain", namespace, **isolated) for namespace in (PROTECTED, *CLOSED, *OPEN)),
    ]


def _node(name: str, kind: str, phase: str) -> dict[str, Any]:
    return {"id": name, "name": name, "displayName": name, "type": kind, "phase": phase, "templateName": name}


def _workflow(name: str, held: bool = True, **annotations: str) -> dict[str, Any]:
    nodes = [_node("gate", "Suspend", "Running"), _node("gate-2", "Suspend", "Running")]
    nodes += [_node("past", "Suspend", "Succeeded"), _node("act", "Pod", "Running")]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "name": name,
            "namespace": "kre-responses",
            "annotations": annotations,
            **({"finalizers": [HOLD, MARK]} if held else {}),
            # Completed: a controller that runs here leaves it alone.
            "labels": {"kre/response": "release-pod", "workflows.argoproj.io/completed": "true"},
        },
        "spec": {"workflowTemplateRef": {"name": "release-pod"}},
        "status": {"phase": "Running", "progress": "0/1", "nodes": {node["id"]: node for node in nodes}},
    }


def _simple(api: str, kind: str, name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": namespace or None}, **more}


def _workload(name: str, namespace: str = TARGET, kind: str = "Deployment", **metadata: Any) -> dict[str, Any]:
    """One that runs nothing: its controller rests, or has no scheduler."""
    spec: dict[str, Any] = {"replicas": 0 if name == "none" else 3, "selector": {"matchLabels": {"app": name}}}
    spec |= {"paused": True} if kind == "Deployment" else {"serviceName": "x", "replicas": 3}
    run = {"schedulerName": NOBODY, "containers": [{"name": "main", "image": f"{NOBODY}/none"}]}
    spec["template"] = {"metadata": {"labels": {"app": name}}, "spec": run}
    made = _simple("apps/v1", kind, name, namespace, spec=spec)
    made["metadata"] |= {"annotations": {"note": "mine"}} | metadata
    return made


def _beyond() -> list[dict[str, Any]]:
    """What is written beside pods."""
    control = [{**_owner("Shop", "example.org/v1")[0], "controller": True}]
    made = [_workload("plain", namespace) for namespace in (TARGET, PROTECTED, *CLOSED)]
    made += [
        _workload("plain", kind="StatefulSet"),
        _workload("none"),
        _workload("guarded", annotations={"kre/protected": "true"}),
        _workload("tracked", annotations={"argocd.argoproj.io/tracking-id": "x"}),
        _workload("labelled", labels={"argocd.argoproj.io/instance": "x"}),
        _workload("instance", labels={"app.kubernetes.io/instance": "x"}),
        _workload("owned", ownerReferences=control, finalizers=[MARK]),
    ]
    nodes: dict[str, dict[str, Any]] = {
        "plain": {},
        "closed": {},
        "guarded": {"annotations": {"kre/protected": "true"}},
        "control": {"labels": {"node-role.kubernetes.io/control-plane": ""}},
        "master": {"labels": {"node-role.kubernetes.io/master": ""}},
    }
    for name, metadata in nodes.items():
        node = _simple("v1", "Node", f"admission-{name}", spec={"unschedulable": True} if name == "closed" else {})
        node["metadata"] |= metadata
        made.append(node)
    secret = _simple("v1", "Secret", "admission", EVIDENCE)
    secret["metadata"]["labels"] = {MARK: "made"}
    return [*made, secret]


def objects() -> list[dict[str, Any]]:
    """All that the tests add, in the order in which it can be made."""
    rights = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    rbac = "rbac.authorization.k8s.io/v1"
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": EVERYTHING}
    group = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": EVERYTHING}
    namespaces = (TARGET, PROTECTED, *CLOSED, *OPEN)
    made = [_simple("v1", "Namespace", name) for name in (*namespaces, EVIDENCE)]
    made[1]["metadata"]["annotations"] = {"kre/protected": "true"}
    made += [_simple("v1", "ServiceAccount", "admission", name) for name in namespaces]
    made += [
        _simple(rbac, "ClusterRole", EVERYTHING, rules=rights),
        _simple(rbac, "ClusterRoleBinding", EVERYTHING, roleRef=role, subjects=[group]),
        _simple("coordination.k8s.io/v1", "Lease", "target-admission", "kre-pipeline"),
        _simple("coordination.k8s.io/v1", "Lease", "admission", "kre-pipeline"),
        _simple("coordination.k8s.io/v1", "Lease", "target-admission", TARGET),
        _simple("argoproj.io/v1alpha1", "Workflow", "admission", TARGET, spec={}),
        _simple("argoproj.io/v1alpha1", "WorkflowTaskResult", "admission", "kre-responses"),
        _simple("argoproj.io/v1alpha1", "WorkflowArtifactGCTask", "admission", "kre-responses", spec={}),
        _simple("argoproj.io/v1alpha1", "WorkflowTaskSet", "admission", "kre-responses", spec={}),
        _workflow("admission-waiting", **{"kre/requested-by": OPERATED, "note": "mine"}),
        _workflow("admission-loose", held=False),
        _workflow("admission-approved", **{"kre/approved-by": "anna@example.org"}),
    ]
    return made + _beyond() + pods()


class Stage:
    """Puts it there and takes it away; what was there before stays as it was."""

    def __init__(self, cluster: Cluster, more: list[dict[str, Any]]) -> None:
        self.cluster = cluster
        self._ours = cluster.try_get("validatingadmissionpolicy", "kre-engine-never", "default") is None
        wanted = [*objects(), *more]
        for made in wanted:
            made["metadata"].setdefault("annotations", {})[MARK] = "made"
        # Where the namespaces are missing, so is what is in them: kubectl says so, and lists the rest.
        text = cluster.run(
            "get", "--ignore-not-found", "--output=json", "--filename=-", stdin=_listed(wanted), check=False
        )
        known = json.loads(text)["items"] if text.strip() else []
        foreign = {_key(found) for found in known if MARK not in found["metadata"].get("annotations", {})}
        self.made = [made for made in wanted if _key(made) not in foreign]

    def up(self) -> None:
        self.apply(self.made)
        self.policies()

    def policies(self) -> None:
        """The policies as they are shipped."""
        self.cluster.run("apply", "--kustomize", str(POLICIES))

    def apply(self, made: list[dict[str, Any]]) -> None:
        self.cluster.apply(_listed(made))

    def delete(self, made: list[dict[str, Any]]) -> None:
        options = ("--ignore-not-found", "--wait=false", "--grace-period=0", "--force")
        self.cluster.run("delete", *options, "--filename=-", stdin=_listed(made))

    def uids(self) -> dict[tuple[str, str], str]:
        """The pods' uids, by namespace and name."""
        found = json.loads(self.cluster.run("get", "pods", "--all-namespaces", "--output=json"))["items"]
        return {(pod["metadata"]["namespace"], pod["metadata"]["name"]): pod["metadata"]["uid"] for pod in found}

    def down(self) -> None:
        """Everything away but the namespaces: without controllers they would never be gone, nor be used again."""
        if self._ours:
            self.cluster.run("delete", "--ignore-not-found", "--kustomize", str(POLICIES))
        gone = [made for made in reversed(self.made) if made["kind"] != "Namespace"]
        self.delete(gone)
        # Ours, and those of controllers that wait for what was never there; the rest is gone already.
        free = ("--type=merge", '--patch={"metadata":{"finalizers":null}}', "--filename=-")
        self.cluster.run("patch", *free, stdin=_listed(gone), check=False)


def _key(made: dict[str, Any]) -> tuple[str, str, str]:
    return made["kind"], made["metadata"].get("namespace") or "", made["metadata"]["name"]


def _listed(made: list[dict[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": made})
