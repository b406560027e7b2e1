"""A double of a cluster that kre doctor finds well: what is rendered, with the status that real controllers gave it."""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kre.cluster.reading import read
from kre.cluster.snapshot import WHOAMI, Snapshot
from kre.cluster.wanted import Wanted
from kre.doors.kubectl import Reply

Object = dict[str, Any]
SERVER = "https://cluster.example.org:6443"
CANARY = "canary-1f0d9c3b8e5d2a7014f27b5c8d2e6a7f"  # each token has it: it must never be printed
WEBHOOK_TOKEN = f"{CANARY}-webhook"
# What real clusters serve (kubectl api-resources), as far as kre doctor asks.
KINDS: dict[str, dict[str, tuple[str, bool]]] = {
    "v1": {
        "Namespace": ("namespaces", False),
        "Pod": ("pods", True),
        "ConfigMap": ("configmaps", True),
        "Secret": ("secrets", True),
        "Service": ("services", True),
        "ServiceAccount": ("serviceaccounts", True),
    },
    "apps/v1": {"Deployment": ("deployments", True)},
    "networking.k8s.io/v1": {"NetworkPolicy": ("networkpolicies", True)},
    "rbac.authorization.k8s.io/v1": {
        "ClusterRole": ("clusterroles", False),
        "ClusterRoleBinding": ("clusterrolebindings", False),
        "Role": ("roles", True),
        "RoleBinding": ("rolebindings", True),
    },
    "admissionregistration.k8s.io/v1": {
        "ValidatingAdmissionPolicy": ("validatingadmissionpolicies", False),
        "ValidatingAdmissionPolicyBinding": ("validatingadmissionpolicybindings", False),
    },
    "argoproj.io/v1alpha1": {
        "Application": ("applications", True),
        "AppProject": ("appprojects", True),
        "EventBus": ("eventbus", True),
        "EventSource": ("eventsources", True),
        "Sensor": ("sensors", True),
        "Workflow": ("workflows", True),
        "WorkflowTemplate": ("workflowtemplates", True),
        "WorkflowTaskResult": ("workflowtaskresults", True),
    },
}
CONDITIONS = {
    "EventBus": ("Configured", "Deployed"),
    "EventSource": ("Deployed", "SourcesProvided"),
    "Sensor": ("DependenciesProvided", "Deployed", "TriggersProvided"),
}
LABELS = {"EventBus": "eventbus-name", "EventSource": "eventsource-name", "Sensor": "sensor-name"}
DENIED = (
    "{0} is forbidden: ValidatingAdmissionPolicy '{1}' with binding '{1}' denied request: the engine is not made for it"
)


class Double:
    """Objects, and the answers of an API server that has them."""

    def __init__(self, objects: list[Object], attempts: Mapping[str, tuple[int, str]] | None = None) -> None:
        self.objects = objects
        self.forbidden: set[str] = set()
        self.version = "v1.34.4"
        self.attempts = {
            "leases": (403, DENIED.format("leases", "kre-engine-never")),
            "workflows": (403, DENIED.format("workflows", "kre-engine-workflows")),
            **(attempts or {}),
        }

    def find(self, kind: str, name: str, namespace: str = "") -> Object:
        return next(
            item
            for item in self.objects
            if (item["kind"], item["metadata"]["name"], item["metadata"].get("namespace", ""))
            == (kind, name, namespace)
        )

    def drop(self, kind: str, name: str, namespace: str = "") -> None:
        self.objects.remove(self.find(kind, name, namespace))

    # ---- as an Api

    def get(self, path: str) -> Reply:
        return self.call("GET", path)

    def call(self, method: str, path: str, body: object = None, headers: object = ()) -> Reply:
        code, found = self.answer(method, path)
        return Reply(code, copy.deepcopy(found), json.dumps(found))

    def answer(self, method: str, path: str) -> tuple[int, Object]:
        parts = urlsplit(path)
        if any(re.search(pattern, path) for pattern in self.forbidden):
            return 403, {"kind": "Status", "message": f"{path} is forbidden: you may not"}
        if path == "/version":
            return 200, {"gitVersion": self.version}
        if path == WHOAMI:
            return 201, {"kind": "SelfSubjectReview", "status": {"userInfo": {"username": "admin"}}}
        if method == "POST":
            code, message = self.attempts[parts.path.rpartition("/")[2]]
            return code, {"kind": "Status", "message": message}
        return self._object(parts.path, parse_qs(parts.query))

    def _object(self, path: str, query: dict[str, list[str]]) -> tuple[int, Object]:
        missing = 404, {"kind": "Status", "message": "not found"}
        for version, kinds in KINDS.items():
            top = f"/apis/{version}" if "/" in version else f"/api/{version}"
            if path == top:
                resources = [
                    {"name": name, "namespaced": inside, "kind": kind} for kind, (name, inside) in kinds.items()
                ]
                return 200, {"kind": "APIResourceList", "groupVersion": version, "resources": resources}
            for kind, (plural, _) in kinds.items():
                found = re.fullmatch(rf"{re.escape(top)}(?:/namespaces/([^/]+))?/{plural}(?:/([^/]+))?", path)
                if not found:
                    continue
                mine = [one for one in self.objects if one["kind"] == kind and one["apiVersion"] == version]
                if found[1]:
                    mine = [one for one in mine if one["metadata"].get("namespace") == found[1]]
                if found[2]:
                    named = [one for one in mine if one["metadata"]["name"] == found[2]]
                    return (200, named[0]) if named else missing
                for selector in query.get("labelSelector", ()):
                    key, _, value = selector.partition("=")
                    mine = [one for one in mine if one["metadata"].get("labels", {}).get(key) == value]
                return 200, {"kind": f"{kind}List", "items": mine}
        return missing

    def snapshot(self, wanted: Wanted) -> Snapshot:
        return read(wanted, self, SERVER)  # type: ignore[arg-type]


def well(wanted: Wanted) -> Double:
    """Everything that an environment renders, and what controllers and people add to it."""
    objects = [_live(dict(item.body), item.namespace) for item in (*wanted.bootstrap, *wanted.leaves)]
    argocd = wanted.root.namespace if wanted.root else "argocd"
    names = ("kre-pipeline", "kre-responses", "falco", "argo-events", "argo-workflows", argocd, *wanted.targets)
    known = {item["metadata"]["name"] for item in objects if item["kind"] == "Namespace"}
    objects += [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names if name not in known
    ]
    for item in (wanted.root, *(one for one in wanted.applications if one.kind == "Application")):
        if item is not None:
            objects = [one for one in objects if one["kind"] != "Application" or one["metadata"]["name"] != item.name]
            objects.append(_live(dict(item.body), argocd) | {"status": synced("Synced", "Healthy")})
    objects += _controllers() + _secrets(list(wanted.sensors))
    objects += [pod for item in list(objects) for pod in _pods(item)]
    objects += [_pod("falco", name, {"app.kubernetes.io/name": name}) for name in ("falco", "falcosidekick")]
    return Double(objects)


def synced(sync: str, health: str, message: str = "") -> Object:
    return {"sync": {"status": sync}, "health": {"status": health}, "operationState": {"message": message}}


def _live(body: Object, namespace: str) -> Object:
    made: Object = copy.deepcopy(body)
    if namespace:
        made["metadata"]["namespace"] = namespace
    made["metadata"] |= {"uid": "5d4b8708-093a-4ddf-bdcd-93c678897beb", "managedFields": [{"manager": "argocd"}]}
    if made["kind"] in CONDITIONS:
        conditions = [{"type": name, "status": "True"} for name in CONDITIONS[made["kind"]]]
        made["status"] = {"conditions": conditions}
    if made["kind"] == "Deployment":
        made["spec"].setdefault("replicas", 1)
        made["status"] = {"readyReplicas": made["spec"]["replicas"]}
    return made


def _pods(item: Object) -> list[Object]:
    if (item["kind"], item["metadata"]["name"]) == ("Deployment", "dispatcher"):
        return [_pod("kre-pipeline", "dispatcher-0", {"app.kubernetes.io/name": "dispatcher"})]
    if item["kind"] not in LABELS:
        return []
    count = item["spec"].get("jetstream", {}).get("replicas") or item["spec"].get("replicas") or 1
    name = item["metadata"]["name"]
    labels = {LABELS[item["kind"]]: name}
    return [_pod("kre-pipeline", f"{name}-{item['kind'].lower()}-{index}", labels) for index in range(count)]


def _pod(namespace: str, name: str, labels: Object) -> Object:
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    conditions = [{"type": "Ready", "status": "True"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": {"conditions": conditions}}


def _controllers() -> list[Object]:
    config = "eventBus: {jetstream: {versions: [{version: 2.9.1}, {version: 2.10.10}]}}"
    metadata = {"name": "argo-events-controller-manager", "namespace": "argo-events"}
    return [
        _controller("argo-events", "argo-events-controller-manager", "quay.io/argoproj/argo-events:v1.9.11@sha256:00"),
        _controller(
            "argo-workflows", "argo-workflows-workflow-controller", "quay.io/argoproj/workflow-controller:v4.0.6"
        ),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"controller-config.yaml": config}},
    ]


def _controller(namespace: str, name: str, image: str) -> Object:
    spec = {"serviceAccountName": name, "containers": [{"image": image}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": {"spec": spec}},
        "status": {"readyReplicas": 1},
    }


def _secrets(responses: list[str]) -> list[Object]:
    return [
        secret("kre-pipeline", "falco-webhook-token", token=WEBHOOK_TOKEN),
        secret("falco", "falcosidekick-webhook", WEBHOOK_CUSTOMHEADERS=f"Authorization:Bearer {WEBHOOK_TOKEN}"),
        *(
            secret("kre-pipeline", f"{name}-dispatch-token", authorization=f"Bearer {CANARY}-{name}")
            for name in responses
        ),
    ]


def secret(namespace: str, name: str, **values: str) -> Object:
    """As `kubectl apply` leaves it: with all of it in the clear in an annotation."""
    applied = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"stringData": values})}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "annotations": applied},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }
