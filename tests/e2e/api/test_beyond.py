"""The responders with code of their own, against a real API server: what they write beside pods."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from e2e.api.door import Door
from e2e.api.responder import Responder
from e2e.api.target import APPS, CORE, NOBODY, Target
from e2e.http import MERGE, Http
from e2e.kubectl import PROJECT, Cluster, Object, wait

pytestmark = [pytest.mark.e2e, pytest.mark.api]
CORDON = PROJECT / "base/responses/options/cordon-node"
SETTINGS = {"cordon-node.min-healthy": "1", "cordon-node.min-healthy-percent": "0"}


@pytest.fixture
def target(http: Http, dev: None) -> Iterator[Target]:
    """One for each test: where there are controllers, they go on with what another has left."""
    made = Target(http)
    yield made
    made.close()


def test_evidence_is_one_object_and_the_record_vouches_for_it(http: Http, responder: Responder, target: Target) -> None:
    pod = target.pod("evidence")
    ran = responder.run("capture-evidence", target, pod)
    assert (ran.code, ran.record["outcome"], ran.changed) == (0, "captured", set()), ran.record
    where, name = ran.record["evidence"]["in"].removeprefix("Secret ").split("/")
    kept = http.ask("GET", f"{CORE}/namespaces/{where}/secrets/{name}").body
    pieces = {key: base64.b64decode(value) for key, value in kept["data"].items()}
    index = pieces.pop("index.json")
    assert {key: hashlib.sha256(value).hexdigest() for key, value in pieces.items()} == ran.record["evidence"]["sha256"]
    assert hashlib.sha256(index).hexdigest() == ran.record["evidence"]["index"]
    assert json.loads(pieces["pod.json"])["metadata"]["uid"] == pod["metadata"]["uid"]
    assert (kept["immutable"], json.loads(index)["missing"]) == (True, {})


def test_evidence_is_read_by_nobody_who_makes_it(opened: Door, responder: Responder, target: Target) -> None:
    ran = responder.run("capture-evidence", target, target.pod("unread"))
    where, name = ran.record["evidence"]["in"].removeprefix("Secret ").split("/")
    path = f"{CORE}/namespaces/{where}/secrets"
    for method, place in (
        ("GET", path),
        ("GET", f"{path}/{name}"),
        ("PATCH", f"{path}/{name}"),
        ("DELETE", f"{path}/{name}"),
    ):
        assert opened.passed(method, place, "{}" if method == "PATCH" else "", MERGE)[0] == 403


def workload(target: Target, name: str, replicas: int, **metadata: Any) -> Object:
    """A pod of a Deployment that is paused: where there is a controller, it makes no ReplicaSet of its own."""
    where = f"{APPS}/namespaces/{target.name}"
    spec = {"replicas": replicas, "paused": True, "selector": {"matchLabels": {"app": name}}}
    spec["template"] = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "x", "image": NOBODY}]}}
    made = target.make(where, "deployments", "apps/v1", "Deployment", name, metadata=metadata, spec=spec)
    (pod,) = target.replicas(name, 1)
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": made["metadata"]["uid"]}
    owners = [owner | {"controller": True, "blockOwnerDeletion": True}]
    # By the label it is the Deployment's: a controller lets go of what its selector does not take.
    change = {"metadata": {"labels": {"app": name}, "ownerReferences": owners}}
    reply = target.http.ask("PATCH", f"{where}/replicasets/{name}", change, MERGE)
    assert reply.status == 200, reply
    return pod


def test_a_workload_is_taken_to_no_replicas(http: Http, responder: Responder, target: Target) -> None:
    pod = workload(target, "scaled", 4, annotations={"note": "mine"})
    ran = responder.run("scale-down", target, pod)
    assert ran.said == (0, "scaled-down", "Deployment scaled has no replicas now; it had 4")
    found = http.ask("GET", f"{APPS}/namespaces/{target.name}/deployments/scaled").body
    assert (found["spec"]["replicas"], found["metadata"]["annotations"]["kre/scaled-from"]) == (0, "4")
    assert found["metadata"]["annotations"]["note"] == "mine"
    again = responder.run("scale-down", target, pod)
    assert again.record["outcome"] in ("scaled-down", "gone"), "a controller may have taken the pod away by then"
    now = http.ask("GET", f"{APPS}/namespaces/{target.name}/deployments/scaled").body
    assert (now["spec"], now["metadata"]["annotations"]) == (found["spec"], found["metadata"]["annotations"])


def test_who_scales_it_meanwhile_is_seen(http: Http, responder: Responder, target: Target) -> None:
    pod = workload(target, "raced", 4)
    path = f"{APPS}/namespaces/{target.name}/deployments/raced"

    def meanwhile() -> None:
        assert http.ask("PATCH", path, {"spec": {"replicas": 7}}, MERGE).status == 200

    ran = responder.run("scale-down", target, pod, meanwhile=meanwhile)
    assert ran.record["reason"] == "Deployment raced has no replicas now; it had 7"
    assert http.ask("GET", path).body["metadata"]["annotations"]["kre/scaled-from"] == "7"


def test_what_argo_cd_keeps(http: Http, responder: Responder, target: Target) -> None:
    pod = workload(target, "kept", 1, annotations={"argocd.argoproj.io/tracking-id": "x:apps/Deployment:y/kept"})
    ran = responder.run("scale-down", target, pod)
    assert (ran.record["outcome"], ran.changed) == ("refused", set())


@pytest.fixture
def nodes(cluster: Cluster, http: Http) -> Iterator[list[str]]:
    """Two nodes that are no machines, ready as far as their status goes; and the right to close them."""
    for name in ("clusterrole", "clusterrolebinding"):
        cluster.run("apply", f"--filename={CORDON}/kre-cordon-node-nodes-{name}.yaml")
    body = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "cordon-node", "namespace": "kre-responses"},
    }
    cluster.apply(json.dumps(body))
    names = [f"kre-node-{secrets.token_hex(3)}" for _ in range(2)]
    for name in names:
        made = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
        assert http.ask("POST", f"{CORE}/nodes", made).status == 201
        status = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
        assert http.ask("PATCH", f"{CORE}/nodes/{name}/status", status, MERGE).status == 200
        assert http.ask("PATCH", f"{CORE}/nodes/{name}", {"spec": {"taints": None}}, MERGE).status == 200
    yield names
    for name in names:
        http.ask("DELETE", f"{CORE}/nodes/{name}")
    for name in ("clusterrolebinding", "clusterrole"):
        cluster.run("delete", name, "kre-cordon-node-nodes", "--ignore-not-found")


def test_a_node_is_closed_and_nothing_else_of_it(
    http: Http, responder: Responder, target: Target, nodes: list[str]
) -> None:
    rules = yaml.safe_load((CORDON / "kre-cordon-node-clusterrole.yaml").read_text())
    rules["metadata"] = {"name": "kre-cordon-node"}
    http.ask("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", rules)
    subject = {"kind": "ServiceAccount", "name": "cordon-node", "namespace": "kre-responses"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "kre-cordon-node"}
    where = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{target.name}"
    target.make(
        where, "rolebindings", "rbac.authorization.k8s.io/v1", "RoleBinding", "c", roleRef=role, subjects=[subject]
    )
    spec = {"nodeName": nodes[0], "serviceAccountName": "tester", "containers": [{"name": "main", "image": NOBODY}]}
    pod = target.make(f"{CORE}/namespaces/{target.name}", "pods", "v1", "Pod", "noded", spec=spec)
    before = http.ask("GET", f"{CORE}/nodes/{nodes[0]}").body
    ran = wait(
        "the right to close nodes",
        lambda: (found := responder.run("cordon-node", target, pod, settings=SETTINGS)).code == 0 and found,
    )
    assert ran.record["outcome"] == "cordoned", ran.record
    after = http.ask("GET", f"{CORE}/nodes/{nodes[0]}").body
    assert after["spec"]["unschedulable"] is True
    assert after["metadata"].get("labels") == before["metadata"].get("labels")
    assert "unschedulable" not in http.ask("GET", f"{CORE}/nodes/{nodes[1]}").body["spec"]
