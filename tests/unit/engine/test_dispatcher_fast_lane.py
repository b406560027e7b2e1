"""The one label that the dispatcher sets itself: on the very pod, once, never against a guard, never alone."""

from __future__ import annotations

from typing import Any

import pytest

from demo.apiserver import deployment, namespace, pod, replicaset, statefulset
from demo.apiserver.request import Request
from support.dispatcher import UID, Local, alert, api, changed, uid, workflows

LABEL = {"kre/quarantine": "true"}
SET = ("ReplicaSet", "web", "set")


def labels(server: Any, name: str = "web-1") -> dict[str, str]:
    return server.state.pods["shop", name]["metadata"].get("labels") or {}


def patches(server: Any) -> list[Any]:
    return [one.body for one in server.state.requests if one.verb == "patch"]


def test_the_label_is_set_with_the_uid_and_before_the_workflow() -> None:
    with api(pod("shop", "web-1", UID, labels={"app": "web"})) as server:
        facts = Local(server).take("isolate-pod")
        assert (facts["outcome"], facts["lane"], facts["mode"]) == ("dispatched", "labelled", "enforce")
        assert patches(server) == [{"metadata": {"uid": UID, "labels": LABEL}}]
        assert labels(server) == {"app": "web", **LABEL}
        assert [one[:2] for one in server.changes] == [
            ("update", "leases"),
            ("patch", "pods"),
            ("create", "workflows"),
        ]


@pytest.mark.parametrize(
    ("objects", "reason"),
    [
        ([pod("shop", "web-1", uid(9))], "another pod has this name now"),
        ([pod("shop", "web-1", UID, annotations={"kre/protected": "true"})], "the pod is annotated"),
        ([pod("shop", "web-1", UID, annotations={"kubernetes.io/config.mirror": "x"})], "static pod"),
        ([pod("shop", "web-1", UID, owner="Node")], "belongs to a Node"),
        ([pod("shop", "web-1", UID, owner="DaemonSet")], "belongs to a DaemonSet"),
        ([pod("shop", "web-1", UID, owner="Strange")], "can't say how many"),
        ([pod("shop", "web-1", UID, owner=SET), replicaset("shop", "web", 1, "set")], "0 healthy pods"),
        ([pod("shop", "web-1", UID, owner=SET)], "can't say how many"),
        (
            [pod("shop", "web-1", UID, owner=("StatefulSet", "db", "set")), statefulset("shop", "db", 1, "set")],
            "0 healthy",
        ),
        ([pod("shop", "web-1", UID, created="2999-01-01T00:00:00Z")], "younger than"),
        ([namespace("shop", annotations={"kre/protected": "true"})], "the namespace is annotated"),
    ],
)
def test_a_guard_keeps_the_label_off_and_the_workflow_follows(objects: list[Any], reason: str) -> None:
    with api(*objects) as server:
        local = Local(server)
        local.settings["isolate-pod.min-age"] = "60"
        facts = local.take("isolate-pod")
        assert facts["outcome"] == "dispatched"
        assert facts["lane"].startswith("not labelled: ")
        assert reason in facts["lane"]
        assert patches(server) == []
        assert [each["response"] for each in workflows(server)] == ["isolate-pod"]


def test_enough_healthy_pods_are_left() -> None:
    owner = deployment("shop", "web", 2, "deployment")
    made = [pod("shop", f"web-{each}", uid(each), SET, labels={"app": "web"}) for each in (2, 3)]
    mine = pod("shop", "web-1", UID, SET, labels={"app": "web"})
    over = replicaset("shop", "web", 2, "set", owner=("Deployment", "web", "deployment"))
    with api(owner, over, mine, *made) as server:
        assert Local(server).take("isolate-pod")["lane"] == "labelled"


def test_a_pod_that_is_gone_or_replaced_meanwhile() -> None:
    with api() as server:
        assert Local(server).take("isolate-pod", pod="web-9")["lane"] == "not labelled: there is no such pod"

        def replace(asked: Request, _: int) -> None:
            if asked.verb == "patch":
                server.state.add([pod("shop", "web-1", uid(5))])

        server.fault = replace
        facts = Local(server).take("isolate-pod")
        assert (facts["outcome"], facts["lane"]) == ("dispatched", "not labelled: the pod went away or was replaced")
        assert labels(server) == {}
        assert len(workflows(server)) == 2


@pytest.mark.parametrize("resource", ["pods", "namespaces", "replicasets", "deployments"])
@pytest.mark.parametrize("verb", ["get", "list", "patch"])
def test_a_right_that_is_missing_stops_the_label_and_not_the_workflow(resource: str, verb: str) -> None:
    top = deployment("shop", "web", 2, "deployment")
    over = replicaset("shop", "web", 2, "set", owner=("Deployment", "web", "deployment"))
    made = [pod("shop", f"web-{each}", uid(each), SET, labels={"app": "web"}) for each in (2, 3)]
    mine = pod("shop", "web-1", UID, SET, labels={"app": "web"})
    wanted = {("get", "namespaces"), ("get", "replicasets"), ("get", "deployments")}
    wanted |= {(each, "pods") for each in ("get", "list", "patch")}
    with api(top, over, mine, *made, rights=lambda asked: (asked.verb, asked.resource) != (verb, resource)) as server:
        facts = Local(server).take("isolate-pod")
        assert facts["outcome"] == "dispatched"
        assert facts["lane"] == ("not labelled: 403: Forbidden" if (verb, resource) in wanted else "labelled")
        assert len(workflows(server)) == 1


def test_a_pod_that_was_released_is_not_labelled_again_within_the_cool_down() -> None:
    """A replica that knows nothing of it gets the next alert of the same pod: the Lease says that it was done."""
    with api() as server:
        local = Local(server)
        assert local.take("isolate-pod")["lane"] == "labelled"
        del server.state.pods["shop", "web-1"]["metadata"]["labels"]  # as response release-pod does
        local.restart()
        assert local.take("isolate-pod")["outcome"] == "deduplicated"
        assert labels(server) == {}
        assert changed(server, "pods") == [("patch", "web-1")]


def test_the_label_that_is_there_already_is_no_trouble() -> None:
    with api(pod("shop", "web-1", UID, labels=LABEL)) as server:
        assert Local(server).take("isolate-pod")["lane"] == "labelled"
        assert changed(server, "pods") == []


def test_no_label_over_the_cap() -> None:
    with api(pod("shop", "web-2", uid(2))) as server:
        local = Local(server)
        local.settings["cap"] = "1"
        local.take("isolate-pod")
        assert local.outcome("isolate-pod", **{**alert(local.now), "pod": "web-2", "uid": uid(2)}) == "refused"
        assert changed(server, "pods") == [("patch", "web-1")]
