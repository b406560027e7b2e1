"""Each row of needs.yaml on a real API server: with exactly its rights the program works, with any one less it fails.

The program is the engine's own, under the very identity that it has in its pod (the admission policies look at the
name), in a namespace where that identity holds a Role of this test alone.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator

import pytest

from e2e.api.door import Door
from e2e.api.needs import Reduced, reduced
from e2e.api.responder import Responder
from e2e.api.target import APPS, NOBODY, Target
from e2e.engine import PIPELINE, RESPONSES
from e2e.http import Http
from e2e.kubectl import Object
from support.dispatcher import MODULES, alert
from support.dispatcher import SETTINGS as DISPATCHER
from support.needs import ACTING, DISPATCHING, RECORDING, Right, Row

pytestmark = [pytest.mark.e2e, pytest.mark.api]

# action -> a response that does it, and how it ends
DOES = {
    "delete": ("delete-pod", "deleted"), "isolate": ("isolate-pod", "isolated"), "label": ("label-pod", "labelled"),
    "notify": ("notify", "notified"), "release": ("release-pod", "released"),
}  # fmt: skip
OWN = ((PIPELINE, "dispatcher-leases"), (RESPONSES, "dispatcher-workflows"))
QUARANTINE = {"kre/quarantine": "true"}


@pytest.fixture(scope="module")
def target(http: Http, dev: None) -> Iterator[Target]:
    """Nobody is bound there; but the policy that cuts isolated pods off is."""
    made = Target(http, bound=False)
    spec = {"podSelector": {"matchLabels": QUARANTINE}, "policyTypes": ["Ingress", "Egress"]}
    where = f"/apis/networking.k8s.io/v1/namespaces/{made.name}"
    made.make(where, "networkpolicies", "networking.k8s.io/v1", "NetworkPolicy", "kre-quarantine", spec=spec)
    yield made
    made.close()


@pytest.mark.parametrize("row", ACTING, ids=str)
def test_a_response(http: Http, responder: Responder, target: Target, row: Row) -> None:
    action = dict(row.conditions)["KRE_ACTION"]
    response, end = DOES[action]
    with reduced(http, RESPONSES, response, target.name) as identity:
        holds(identity, row, lambda: responds(responder, target, response, action, end))


def test_what_only_records(http: Http, responder: Responder, target: Target) -> None:
    """Of a Workflow that failed; delete-pod's own identity."""
    with reduced(http, RESPONSES, "delete-pod", target.name) as identity:
        holds(identity, RECORDING, lambda: records(responder, target))


@pytest.mark.parametrize("row", DISPATCHING, ids=str)
def test_the_dispatcher(http: Http, opened: Door, target: Target, row: Row) -> None:
    label = dict(row.conditions)["lane"] == "label"
    with reduced(http, PIPELINE, "dispatcher", target.name, OWN) as identity:
        holds(identity, row, lambda: dispatches(opened, target, label=label))


def holds(identity: Reduced, row: Row, works) -> None:
    """The proof: all at once, then without each; and at the end all again, so that it was not something else."""
    identity.hold(row.rights)
    assert works(), f"{row} does not work with exactly what it declares"
    needless: list[Right] = []
    for right in sorted(row.rights):
        identity.hold(row.rights - {right})
        if works():
            needless.append(right)
    assert not needless, f"{row} works without {', '.join(map(str, needless))}"
    identity.hold(row.rights)
    assert works()


# ---- what works


def responds(responder: Responder, target: Target, response: str, action: str, end: str) -> bool:
    """Whether a step ends as it should, in each situation, and leaves its Event."""
    fine = True
    for pod in pods(target, disruptive=action in ("delete", "isolate"), isolated=action == "release"):
        ran = responder.run(response, target, pod, action=action)
        outcome = ran.record["outcome"].removeprefix("partly-")
        fine = fine and outcome == end and ran.event is not None
    return fine


def records(responder: Responder, target: Target) -> bool:
    """Whether the step that only records leaves its Event: nothing of the pod is asked for."""
    (pod,) = pods(target)
    ran = responder.run("delete-pod", target, pod, action="delete", step="record")
    return ran.record["outcome"] == "failed" and ran.event is not None


def pods(target: Target, *, disruptive: bool = False, isolated: bool = False) -> list[Object]:
    """A pod for each situation: of nobody; or one of a Deployment's ReplicaSet, and one of a StatefulSet."""
    if not disruptive:
        return [target.pod(_name("pod"), QUARANTINE if isolated else None)]
    name = _name("web")
    template = _template(name)
    where = f"{APPS}/namespaces/{target.name}"
    # Paused: where there is a controller, it makes no ReplicaSet of its own, and leaves the one here as it is.
    spec = {"replicas": 2, "paused": True, "selector": {"matchLabels": {"app": name}}, "template": template}
    above = target.make(where, "deployments", "apps/v1", "Deployment", name, spec=spec)
    pod, _ = target.replicas(name, 2)
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": above["metadata"]["uid"]}
    owners = [reference | {"controller": True, "blockOwnerDeletion": True}]
    # By the label it is the Deployment's: a controller lets go of what its selector does not take.
    change = {"metadata": {"labels": {"app": name}, "ownerReferences": owners}}
    reply = target.http.ask("PATCH", f"{where}/replicasets/{name}", change, "application/merge-patch+json")
    assert reply.status == 200, reply
    return [pod, stateful(target, _name("db"))]


def stateful(target: Target, name: str) -> Object:
    """A pod of a StatefulSet that wants two, with the other beside it."""
    labels = {"app": name}
    made = [target.pod(f"{name}-{number}", labels) for number in range(2)]
    template = _template(name)
    spec = {"replicas": 2, "serviceName": name, "updateStrategy": {"type": "OnDelete"}, "template": template}
    spec |= {"selector": {"matchLabels": labels}}
    owner = target.make(f"{APPS}/namespaces/{target.name}", "statefulsets", "apps/v1", "StatefulSet", name, spec=spec)
    first, _ = [target.own(pod, owner) for pod in made]
    return first


def _template(name: str) -> Object:
    main = {"name": "main", "image": f"{NOBODY}/none"}
    return {"metadata": {"labels": {"app": name}}, "spec": {"containers": [main]}}


def dispatches(opened: Door, target: Target, *, label: bool) -> bool:
    """Whether alerts become Workflows: the first with no Lease there yet, the next with one, and without a uid.

    In mode enforce in the label's lane alone, for else it sets none. Where there is a controller, the Workflow's
    responder refuses, for the target is in no settings but those here.
    """
    response = "isolate-pod" if label else "delete-pod"
    opened.account, opened.before = (PIPELINE, "dispatcher"), None
    lease = f"/apis/coordination.k8s.io/v1/namespaces/{PIPELINE}/leases/target-{target.name}"
    workflows = f"/apis/argoproj.io/v1alpha1/namespaces/{RESPONSES}/workflows"
    mode = "enforce" if label else "observe"
    settings = DISPATCHER | {"targets": f"^({target.name})$", "mode": mode, "cap": "1000"}
    client = MODULES["api"].Client(opened.url, patience=1.0, timeout=5.0)
    dispatcher = MODULES["decide"].Dispatcher(client, lambda: settings, time.time)
    target.http.ask("DELETE", lease)
    fine = True
    try:
        for index, pod in enumerate([*pods(target), *pods(target, disruptive=label)]):
            facts = dispatcher.take(response, _alert(target, pod, named=index > 0))
            fine = fine and facts["outcome"] == "dispatched" and (not label or facts["lane"] == "labelled")
            if "workflow" in facts:
                target.http.ask("DELETE", f"{workflows}/{facts['workflow']}")
    finally:
        client._connection().close()
        target.http.ask("DELETE", lease)
    return fine


def _alert(target: Target, pod: Object, *, named: bool) -> Object:
    """An alert about a pod by its uid, or else by its container alone."""
    identifier = pod["status"]["containerStatuses"][0]["containerID"].rpartition("//")[2]
    known = {"uid": pod["metadata"]["uid"]} if named else {"uid": "", "container": identifier}
    found: Object = alert(namespace=target.name, pod=pod["metadata"]["name"], **known)
    return found


def _name(kind: str) -> str:
    return f"{kind}-{secrets.token_hex(4)}"
