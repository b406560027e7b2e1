"""What is at the API server when the first alert of the demo comes in."""

from __future__ import annotations

from demo.apiserver import deployment, namespace, pod, replicaset, service, statefulset
from demo.apiserver.objects import Object

_UID = "7f9d2c1e-5b3a-4e8f-9c6d-0a1b2c3d4e{:02}"
_SHOP = {"app.kubernetes.io/name": "shop"}
_FRONT = {"app.kubernetes.io/name": "shop-front"}
_CONTAINER = "3b8f6c0d9a1e4f27b5c8d2e6a7f0c1b4e9d3a5f8c2b7e6d1a4f9c3b8e5d2a701"


def cluster() -> list[Object]:
    """A shop of three pods, one of which has opted out; its front, which Argo CD keeps; its database, replaced since;
    and the cluster's DNS."""
    shop = ("ReplicaSet", "shop-5d8f7c9b6", _UID.format(11))
    opted_out = {"kre/protected": "true"}
    front = ("ReplicaSet", "shop-front-7c6d5b4f8", _UID.format(21))
    kept = deployment("kre-demo", "shop-front", 2, _UID.format(20), selector=_FRONT)
    kept["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": "dev-demo:apps/Deployment:kre-demo/shop-front"}
    return [
        namespace("kube-system"),
        deployment("kre-demo", "shop", 3, _UID.format(10), selector=_SHOP),
        replicaset("kre-demo", shop[1], 3, shop[2], selector=_SHOP, owner=("Deployment", "shop", _UID.format(10))),
        pod("kre-demo", "shop-5d8f7c9b6-x2x7k", _UID.format(1), shop, labels=_SHOP, containers={"shop": _CONTAINER}),
        pod("kre-demo", "shop-5d8f7c9b6-m9n4p", _UID.format(5), shop, opted_out, labels=_SHOP),
        pod("kre-demo", "shop-5d8f7c9b6-q7w2r", _UID.format(7), shop, labels=_SHOP),
        service("kre-demo", "shop", _SHOP),
        kept,
        replicaset(
            "kre-demo", front[1], 2, front[2], selector=_FRONT, owner=("Deployment", "shop-front", _UID.format(20))
        ),
        pod("kre-demo", f"{front[1]}-h4j2k", _UID.format(22), front, labels=_FRONT),
        statefulset("kre-demo", "shop-db", 1, _UID.format(12)),
        # The alert speaks of the pod before: a StatefulSet makes a new one of the same name.
        pod("kre-demo", "shop-db-0", _UID.format(14), ("StatefulSet", "shop-db", _UID.format(12))),
        pod("kube-system", "coredns-6f8b9c7d5-q4zlm", _UID.format(3), "ReplicaSet"),
    ]
