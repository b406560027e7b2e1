"""A namespace that the engine may act in, with pods that look alive and that nobody runs."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Mapping
from typing import Any

import yaml

from e2e.engine import PERSON, WALLS
from e2e.http import MERGE, Http
from e2e.kubectl import PROJECT, Object

LEAF = PROJECT / "overlays/dev/leaves/targets/kre-demo"
NOBODY = "kre-e2e.invalid"  # a scheduler and a registry that there are not
CORE, APPS = "/api/v1", "/apis/apps/v1"
WATCHED = (
    f"{CORE}/namespaces/%s/pods", f"{CORE}/namespaces/%s/services", f"{CORE}/namespaces/%s/configmaps",
    f"{CORE}/namespaces/%s/serviceaccounts", f"{APPS}/namespaces/%s/deployments", f"{APPS}/namespaces/%s/replicasets",
    f"{APPS}/namespaces/%s/daemonsets", "/apis/networking.k8s.io/v1/namespaces/%s/networkpolicies",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/%s/rolebindings",
)  # fmt: skip
# What a controller puts into every namespace, when it comes to it.
GIVEN = (("serviceaccounts", "default"), ("configmaps", "kube-root-ca.crt"))


class Target:
    """One namespace; never a name again, for without controllers one that is deleted stays.

    It gets what dev's leaf gives a target: the responses' RoleBindings (`bound`), the quarantine's NetworkPolicy.
    """

    def __init__(self, http: Http, bound: bool = True, **annotations: str) -> None:
        self.http, self.name = http, f"kre-target-{secrets.token_hex(3)}"
        self.make(CORE, "namespaces", "v1", "Namespace", self.name, metadata={"annotations": annotations})
        self.make(self._core, "serviceaccounts", "v1", "ServiceAccount", "tester")
        for path in sorted(LEAF.glob("*.yaml")) if bound else ():
            body = yaml.safe_load(path.read_text())
            plural = {"RoleBinding": "rolebindings", "NetworkPolicy": "networkpolicies"}.get(body["kind"])
            if plural:
                body["metadata"]["namespace"] = self.name
                self._post(f"/apis/{body['apiVersion']}/namespaces/{self.name}/{plural}", body)

    @property
    def _core(self) -> str:
        return f"{CORE}/namespaces/{self.name}"

    def make(
        self,
        where: str,
        plural: str,
        version: str,
        kind: str,
        name: str,
        *,
        metadata: Object | None = None,
        **more: Any,
    ) -> Object:
        """Makes an object."""
        body = {"apiVersion": version, "kind": kind, "metadata": {"name": name, **(metadata or {})}, **more}
        return self._post(f"{where}/{plural}", body)

    def pod(self, name: str, labels: Mapping[str, str] | None = None, **metadata: Any) -> Object:
        """A pod that is running and ready, as far as its status goes."""
        container = {"name": "main", "image": f"{NOBODY}/none", "securityContext": WALLS}
        resources = {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"cpu": "1m", "memory": "1Mi"}}
        spec = {"schedulerName": NOBODY, "serviceAccountName": "tester", "automountServiceAccountToken": False}
        spec |= {"securityContext": PERSON, "containers": [container | {"resources": resources}]}
        head = {"labels": {"app": name} if labels is None else dict(labels), **metadata}
        self.make(self._core, "pods", "v1", "Pod", name, metadata=head, spec=spec)
        ready = [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady", "Initialized")]
        state = {"name": "main", "ready": True, "restartCount": 0, "image": "none", "imageID": "none"}
        state |= {"containerID": f"containerd://{secrets.token_hex(32)}", "state": {"running": {}}}
        status = {"phase": "Running", "conditions": ready, "containerStatuses": [state]}
        path = f"{self._core}/pods/{name}/status"
        reply = self.http.ask("PATCH", path, {"status": status}, MERGE)
        assert reply.status == 200, reply
        return reply.body

    def replicas(self, name: str, count: int) -> list[Object]:
        """Pods of a ReplicaSet that wants as many as there are, so that its controller has nothing to do."""
        labels = {"app": name}
        pods = [self.pod(f"{name}-{number}", labels) for number in range(count)]
        template = {"metadata": {"labels": labels}, "spec": copy.deepcopy(pods[0]["spec"])}
        spec = {"replicas": count, "selector": {"matchLabels": labels}, "template": template}
        owner = self.make(f"{APPS}/namespaces/{self.name}", "replicasets", "apps/v1", "ReplicaSet", name, spec=spec)
        return [self.own(pod, owner) for pod in pods]

    def daemon(self, name: str) -> Object:
        """A pod of a DaemonSet that has no place on any node."""
        pod = self.pod(name)
        template = {"metadata": {"labels": {"app": name}}, "spec": copy.deepcopy(pod["spec"])}
        template["spec"]["nodeSelector"] = {NOBODY: "none"}
        spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
        where = f"{APPS}/namespaces/{self.name}"
        return self.own(pod, self.make(where, "daemonsets", "apps/v1", "DaemonSet", name, spec=spec))

    def own(self, pod: Object, owner: Object) -> Object:
        """Says whose the pod is; a controller may have said the same before."""
        reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": True}
        reference |= {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], "blockOwnerDeletion": True}
        return self.change(pod["metadata"]["name"], {"ownerReferences": [reference]})

    def change(self, name: str, metadata: Object) -> Object:
        """As its owner, or a person, would."""
        reply = self.http.ask("PATCH", f"{self._core}/pods/{name}", {"metadata": metadata}, MERGE)
        assert reply.status == 200, reply
        return reply.body

    def remove(self, name: str) -> None:
        reply = self.http.ask("DELETE", f"{self._core}/pods/{name}", {"gracePeriodSeconds": 0})
        assert reply.status == 200, reply

    def find(self, name: str) -> Object | None:
        reply = self.http.ask("GET", f"{self._core}/pods/{name}")
        return reply.body if reply.status == 200 else None

    def events(self, workflow: str) -> list[Object]:
        """What a Workflow has left in the namespace."""
        items: list[Object] = self.http.ask("GET", f"{self._core}/events").body["items"]
        return [item for item in items if item["metadata"]["name"].startswith(f"{workflow}.")]

    def snapshot(self) -> dict[tuple[str, str], Object]:
        """Everything in the namespace but Events, without what servers and controllers write on it."""
        found = {}
        for path in WATCHED:
            for item in self.http.ask("GET", path % self.name).body["items"]:
                head = {
                    key: value
                    for key, value in item["metadata"].items()
                    if key not in ("managedFields", "resourceVersion")
                }
                found[path.rpartition("/")[2], head["name"]] = {**item, "metadata": head, "status": None}
        return {key: item for key, item in found.items() if key not in GIVEN}

    def close(self) -> None:
        self.http.ask("DELETE", f"{CORE}/namespaces/{self.name}")

    def _post(self, path: str, body: Object) -> Object:
        reply = self.http.ask("POST", path, body)
        assert reply.status == 201, reply
        return reply.body
