"""GET and LIST."""

from __future__ import annotations

import pytest

from demo.apiserver import (
    ApiServer,
    daemonset,
    deployment,
    lease,
    namespace,
    networkpolicy,
    pod,
    replicaset,
    service,
    statefulset,
)
from unit.demo.calls import PODS, call

APPS = "/apis/apps/v1/namespaces/shop"
OBJECTS = {
    "/api/v1/namespaces/shop": namespace("shop", annotations={"kre/protected": "true"}),
    "/api/v1/namespaces/shop/services/web": service("shop", "web", {"app": "web"}),
    "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/all": networkpolicy("shop", "all"),
    f"{APPS}/deployments/web": deployment("shop", "web", 3),
    f"{APPS}/replicasets/web-1": replicaset("shop", "web-1", 3, owner=("Deployment", "web", "u")),
    f"{APPS}/statefulsets/db": statefulset("shop", "db", 2, ready=1),
    f"{APPS}/daemonsets/agent": daemonset("shop", "agent", 1),
    "/apis/coordination.k8s.io/v1/namespaces/shop/leases/target-shop": lease("shop", "target-shop"),
}


@pytest.mark.parametrize("path", OBJECTS)
def test_gets_each_kind(path: str) -> None:
    with ApiServer(OBJECTS.values()) as server:
        code, found = call(server.url, "GET", path)
        assert (code, found) == (200, OBJECTS[path])
        assert found["metadata"]["uid"]
        assert int(found["metadata"]["resourceVersion"]) > 0
        assert found["metadata"]["creationTimestamp"]
        code, found = call(server.url, "GET", f"{path}-not")
        assert (code, found["reason"], found["kind"]) == (404, "NotFound", "Status")
        assert server.changes == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/shop/secrets/web",
        "/api/v1/namespaces/shop/pods/web/exec",
        "/api/v1/namespaces//pods/web",
        "/api/v1/pods/web",
        "/apis/apps/v2/namespaces/shop/deployments/web",
        "/api/v1/namespaces/shop/namespaces/shop",
        "/",
    ],
)
def test_knows_no_other_path(path: str) -> None:
    with ApiServer([pod("shop", "web")]) as server:
        code, found = call(server.url, "GET", path)
        assert (code, found["reason"]) == (404, "NotFound")


def test_a_list_is_of_one_namespace_or_of_all() -> None:
    with ApiServer([pod("shop", "b"), pod("shop", "a"), pod("till", "c")]) as server:
        code, found = call(server.url, "GET", PODS)
        assert (code, found["kind"], found["apiVersion"]) == (200, "PodList", "v1")
        assert [one["metadata"]["name"] for one in found["items"]] == ["a", "b"]
        assert "kind" not in found["items"][0], "items of built-in lists carry none"
        assert len(call(server.url, "GET", "/api/v1/pods")[1]["items"]) == 3
        assert call(server.url, "GET", "/api/v1/namespaces/none/pods")[1]["items"] == []
        assert call(server.url, "GET", "/api/v1/namespaces")[1]["items"][-1]["metadata"]["name"] == "till"


def test_lists_in_pages() -> None:
    with ApiServer([pod("shop", name) for name in "abcde"]) as server:
        names, query, pages = [], "", 0
        while query is not None:
            _, found = call(server.url, "GET", f"{PODS}?limit=2{query}")
            names += [one["metadata"]["name"] for one in found["items"]]
            more = found["metadata"].get("continue")
            query, pages = (f"&continue={more}" if more else None), pages + 1
        assert (names, pages) == (list("abcde"), 3)


def test_field_selectors_know_name_and_namespace() -> None:
    with ApiServer([pod("shop", "a"), pod("shop", "b")]) as server:
        _, found = call(server.url, "GET", f"{PODS}?fieldSelector=metadata.name%3Db")
        assert [one["metadata"]["name"] for one in found["items"]] == ["b"]
        assert call(server.url, "GET", f"{PODS}?fieldSelector=spec.x%3Db")[0] == 400


def test_a_pod_is_as_a_responder_needs_it() -> None:
    owner = ("ReplicaSet", "web-1", "u")
    made = pod(
        "shop", "web", "uid", owner, {"a": "b"}, labels={"app": "web"}, containers={"x": "ab", "y": ""}, ready=False
    )
    with ApiServer([made]) as server:
        found = call(server.url, "GET", f"{PODS}/web")[1]
    assert found["metadata"]["ownerReferences"] == [
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "u", "controller": True}
    ]
    assert (found["metadata"]["labels"], found["metadata"]["annotations"]) == ({"app": "web"}, {"a": "b"})
    ids = {one["name"]: one.get("containerID") for one in found["status"]["containerStatuses"]}
    assert ids == {"x": "containerd://ab", "y": None}
    assert found["status"]["conditions"] == [{"type": "Ready", "status": "False"}]
