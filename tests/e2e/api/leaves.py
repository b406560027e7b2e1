"""dev's leaves as `kubectl apply --kustomize` leaves them, but for what would start to run."""

from __future__ import annotations

import json
from collections.abc import Iterable

from e2e.kubectl import Cluster, Object
from kre.model.resource import Resource

# Pods, or what a controller makes pods for. The tests of the engine add them, by the same command.
RUNNING = ("Deployment", "EventBus", "EventSource", "Sensor")
FIRST = ("Namespace", "ServiceAccount", "ClusterRole", "Role")


def leaves(resources: Iterable[Resource], environment: str = "dev") -> list[Object]:
    """Every object of the environment's leaves, in an order in which it can be made."""
    found = [dict(item.body) for item in resources if item.environment == environment and "/leaves/" in item.root]
    return sorted(found, key=lambda body: FIRST.index(body["kind"]) if body["kind"] in FIRST else len(FIRST))


def put(cluster: Cluster, resources: Iterable[Resource]) -> None:
    """Applies what of dev stands still. It stays there, as it does after the tests of the engine."""
    still = [body for body in leaves(resources) if body["kind"] not in RUNNING]
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": still}))
