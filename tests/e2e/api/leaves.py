"""dev's leaves as `kubectl apply --kustomize` leaves them, but for what would start to run."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable

from e2e.api.rest import Rest
from e2e.http import Question
from e2e.kubectl import Cluster, Object
from kre.model.resource import Resource, dig

# Pods, or what a controller makes pods for. The tests of the engine add them, by the same command.
RUNNING = ("Deployment", "EventBus", "EventSource", "Sensor")
FIRST = ("Namespace", "ServiceAccount")
# By it `kubectl apply` knows what it has applied.
LAST = "kubectl.kubernetes.io/last-applied-configuration"


def leaves(resources: Iterable[Resource], environment: str = "dev") -> list[Object]:
    """Every object of the environment's leaves, in an order in which it can be made."""
    found = [dict(item.body) for item in resources if item.environment == environment and "/leaves/" in item.root]
    return sorted(found, key=lambda body: FIRST.index(body["kind"]) if body["kind"] in FIRST else len(FIRST))


def put(cluster: Cluster, rest: Rest, resources: Iterable[Resource]) -> None:
    """Applies what of dev stands still, and waits for nothing. It stays there, as it does after the engine's tests.

    What is missing is made at once, in kubectl's name; kubectl itself is called for what is there in another form: it
    takes a quarter of a second for each object.
    """
    still = [body for body in leaves(resources) if body["kind"] not in RUNNING]
    found = rest.http.send_all(Question("GET", rest.path(body)) for body in still)
    missing = [body for body, reply in zip(still, found, strict=True) if reply.status == 404]
    for kinds in (FIRST[:1], FIRST[1:], None):  # namespaces before what is in them
        made = [body for body in missing if (body["kind"] in kinds if kinds else body["kind"] not in FIRST)]
        for body, reply in zip(made, rest.http.send_all(_create(rest, body) for body in made), strict=True):
            assert reply.status == 201, f"{body['kind']} {body['metadata']['name']}: {reply.message}"
    there = [(body, reply.body) for body, reply in zip(still, found, strict=True) if reply.status == 200]
    changed = [body for body, known in there if _applied(known) != body]
    if changed:
        cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": changed}))


def _create(rest: Rest, body: Object) -> Question:
    made = copy.deepcopy(body)
    made["metadata"].setdefault("annotations", {})[LAST] = f"{json.dumps(body)}\n"
    return Question("POST", f"{rest.path(body).rpartition('/')[0]}?fieldManager=kubectl-client-side-apply", made)


def _applied(known: Object) -> Object:
    """What kubectl has applied, without the empty annotations that it adds."""
    found: Object = json.loads(dig(known, "metadata", "annotations", LAST) or "{}")
    if found.get("metadata", {}).get("annotations") == {}:
        del found["metadata"]["annotations"]
    return found
