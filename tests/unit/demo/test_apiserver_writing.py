"""POST, PUT, PATCH and DELETE: what changes, what does not, and what they say."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from demo.apiserver import ApiServer, lease, pod
from demo.apiserver.patch import merge
from unit.demo.calls import LEASES, MERGE, PODS, call

WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/kre-responses/workflows"
EVENTS = "/api/v1/namespaces/shop/events"
WORKFLOW = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"name": "delete-pod-1"},
    "spec": {"workflowTemplateRef": {"name": "delete-pod"}},
}


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # RFC 7386, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merges(target: Any, patch: Any, result: Any) -> None:
    assert merge(target, patch) == result


def test_a_patch_with_the_right_uid_is_applied() -> None:
    with ApiServer([pod("shop", "web", "u1", labels={"app": "web", "v": "1"})]) as server:
        before = call(server.url, "GET", f"{PODS}/web")[1]
        body = {"metadata": {"uid": "u1", "labels": {"kre/quarantine": "true", "app": None}}}
        code, found = call(server.url, "PATCH", f"{PODS}/web", body)
        assert (code, found["metadata"]["labels"]) == (200, {"v": "1", "kre/quarantine": "true"})
        assert int(found["metadata"]["resourceVersion"]) > int(before["metadata"]["resourceVersion"])
        assert (found["spec"], found["status"]) == (before["spec"], before["status"])
        assert server.changes == [("patch", "pods", "shop", "web")]
        again = call(server.url, "PATCH", f"{PODS}/web", body)[1]
        assert again == found, "a patch that changes nothing writes nothing"
        assert len(server.changes) == 1


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        ({"metadata": {"uid": "u2", "labels": {"a": "b"}}}, 422, "Invalid"),
        ({"metadata": {"resourceVersion": "1", "labels": {"a": "b"}}}, 409, "Conflict"),
        ({"metadata": {"resourceVersion": "1", "uid": "u2"}}, 409, "Conflict"),
        ({"metadata": {"labels": {"a": "no value!"}}}, 422, "Invalid"),
        ({"metadata": {"labels": {"a/b/c": "d"}}}, 422, "Invalid"),
        ({"metadata": {"labels": {"a": 1}}}, 422, "Invalid"),
        ({"metadata": {"annotations": {"a": {"b": "c"}}}}, 422, "Invalid"),
        ({"metadata": {"name": "other"}}, 400, "BadRequest"),
        ({"metadata": {"namespace": "other"}}, 400, "BadRequest"),
        ({"spec": {"nodeName": "other"}}, 422, "Invalid"),
        ([], 400, "BadRequest"),
        (b"{", 400, "BadRequest"),
    ],
)
def test_a_bad_patch_changes_nothing(body: Any, code: int, reason: str) -> None:
    with ApiServer([pod("shop", "web", "u1", labels={"app": "web"})]) as server:
        before = call(server.url, "GET", f"{PODS}/web")[1]
        answer = call(server.url, "PATCH", f"{PODS}/web", body)
        assert (answer[0], answer[1]["reason"], answer[1]["code"]) == (code, reason, code)
        assert call(server.url, "GET", f"{PODS}/web")[1] == before
        assert server.changes == []


def test_an_empty_uid_in_a_patch_is_no_precondition() -> None:
    with ApiServer([pod("shop", "web", "u1")]) as server:
        code, found = call(server.url, "PATCH", f"{PODS}/web", {"metadata": {"uid": "", "labels": {"a": "b"}}})
        assert (code, found["metadata"]["uid"]) == (200, "u1")


def test_a_status_is_not_patched_by_the_way() -> None:
    with ApiServer([pod("shop", "web", "u1")]) as server:
        _, found = call(server.url, "PATCH", f"{PODS}/web", {"status": {"phase": "Failed"}})
        assert (found["status"]["phase"], server.changes) == ("Running", [])


def test_other_patches_are_not_known() -> None:
    with ApiServer([pod("shop", "web", "u1")]) as server:
        code, found = call(server.url, "PATCH", f"{PODS}/web", [], "application/json-patch+json")
        assert (code, found["reason"]) == (415, "UnsupportedMediaType")
        assert call(server.url, "PATCH", f"{PODS}/web", {}, "application/json")[0] == 415
        assert call(server.url, "PATCH", f"{PODS}/none", {}, MERGE)[0] == 404


@pytest.mark.parametrize(
    ("preconditions", "code"),
    [
        ({"uid": "u1"}, 200),
        ({"uid": "u2"}, 409),
        ({"uid": ""}, 409),
        ({"uid": None}, 200),
        ({"resourceVersion": "1"}, 409),
        ({"uid": "u1", "resourceVersion": "1"}, 409),
        (None, 200),
    ],
)
def test_deletes_under_preconditions(preconditions: Any, code: int) -> None:
    with ApiServer([pod("shop", "web", "u1"), pod("shop", "web-2", "u2")]) as server:
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions}
        answer, found = call(server.url, "DELETE", f"{PODS}/web", body)
        assert answer == code
        assert (found.get("reason"), found["kind"]) == (("Conflict", "Status") if code == 409 else (None, "Pod"))
        assert (("shop", "web") in server.state.pods) is (code == 409)
        assert server.changes == ([] if code == 409 else [("delete", "pods", "shop", "web")])
        assert ("shop", "web-2") in server.state.pods


def test_a_graceful_deletion_leaves_the_pod_for_a_while() -> None:
    with ApiServer([pod("shop", "web", "u1")], graceful=True) as server:
        code, found = call(server.url, "DELETE", f"{PODS}/web", {"gracePeriodSeconds": 1})
        assert (code, found["metadata"]["deletionGracePeriodSeconds"]) == (200, 1)
        assert found["metadata"]["deletionTimestamp"]
        assert call(server.url, "DELETE", f"{PODS}/web")[0] == 200
        assert server.changes == [("delete", "pods", "shop", "web")], "the second deletion found it on its way"
        assert call(server.url, "DELETE", f"{PODS}/web", {"gracePeriodSeconds": 0})[0] == 200
        assert call(server.url, "GET", f"{PODS}/web")[0] == 404


def test_a_deletion_without_a_name_takes_them_all() -> None:
    """The real server does so, also for a path that ends in a slash: an empty name must never get here."""
    with ApiServer([pod("shop", "a"), pod("shop", "b"), pod("till", "c")]) as server:
        assert call(server.url, "DELETE", f"{PODS}/")[0] == 200
        assert list(server.state.pods) == [("till", "c")]
        assert [change.verb for change in server.state.changes] == ["deletecollection"] * 2


def test_a_workflow_is_made_once() -> None:
    with ApiServer() as server:
        code, found = call(server.url, "POST", WORKFLOWS, WORKFLOW)
        assert (code, found["metadata"]["namespace"]) == (201, "kre-responses")
        assert found["metadata"]["uid"]
        code, found = call(server.url, "POST", WORKFLOWS, WORKFLOW)
        assert (code, found["reason"]) == (409, "AlreadyExists")
        assert server.changes == [("create", "workflows", "kre-responses", "delete-pod-1")]
        assert len(server.state.all("workflows")) == 1


@pytest.mark.parametrize(
    ("changes", "path", "code", "reason"),
    [
        ({"metadata": {}}, WORKFLOWS, 422, "Invalid"),
        ({"metadata": {"name": "Not_A_Name"}}, WORKFLOWS, 422, "Invalid"),
        ({"metadata": {"name": "a", "namespace": "shop"}}, WORKFLOWS, 400, "BadRequest"),
        ({"metadata": {"name": "a", "labels": {"kre/response": "a b"}}}, WORKFLOWS, 422, "Invalid"),
        ({"kind": "CronWorkflow"}, WORKFLOWS, 400, "BadRequest"),
        ({"apiVersion": "v1"}, WORKFLOWS, 400, "BadRequest"),
        ({}, WORKFLOWS.replace("kre-responses", "none"), 404, "NotFound"),
        ({}, f"{WORKFLOWS}/delete-pod-1", 405, "MethodNotAllowed"),
    ],
)
def test_a_bad_workflow_is_not_made(changes: Any, path: str, code: int, reason: str) -> None:
    with ApiServer() as server:
        answer = call(server.url, "POST", path, WORKFLOW | changes)
        assert (answer[0], answer[1]["reason"]) == (code, reason)
        assert server.changes == []


def event(**changes: Any) -> dict[str, Any]:
    about = {"kind": "Pod", "namespace": "shop", "name": "web"}
    return {"metadata": {"name": "kre.delete-pod-1"}, "involvedObject": about, "reason": "Deleted", **changes}


def test_an_event_is_made_once() -> None:
    with ApiServer([pod("shop", "web")]) as server:
        assert call(server.url, "POST", EVENTS, event())[0] == 201
        code, found = call(server.url, "POST", EVENTS, event())
        assert (code, found["reason"]) == (409, "AlreadyExists")
        assert server.changes == [("create", "events", "shop", "kre.delete-pod-1")]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"involvedObject": {"kind": "Pod", "namespace": "till", "name": "web"}}, 422),
        ({"involvedObject": {"kind": "Pod", "name": "web"}}, 422),
        ({"eventTime": "2026-07-23T08:00:00.000000Z"}, 422),
        ({"eventTime": "2026-07-23T08:00:00.000000Z", "reportingComponent": "kre", "reportingInstance": "a"}, 422),
        (
            {
                "eventTime": "2026-07-23T08:00:00.000000Z",
                "reportingComponent": "kre",
                "reportingInstance": "a",
                "action": "Delete",
            },
            201,
        ),
        ({"message": 1025 * "x"}, 201),
        ({"eventTime": "2026-07-23T08:00:00.000000Z", "message": 1025 * "x"}, 422),
    ],
)
def test_an_event_is_about_its_own_namespace(changes: Any, code: int) -> None:
    with ApiServer([pod("shop", "web"), pod("till", "web")]) as server:
        answer, found = call(server.url, "POST", EVENTS, event(**changes))
        assert answer == code
        assert found.get("reason") == ("Invalid" if code == 422 else "Deleted")


def test_a_lease_is_replaced_by_whoever_saw_it_last() -> None:
    with ApiServer([lease("kre-pipeline", "target-shop")]) as server:
        seen = call(server.url, "GET", f"{LEASES}/target-shop")[1]
        seen["metadata"]["annotations"] = {"kre/actions": "{}"}
        code, found = call(server.url, "PUT", f"{LEASES}/target-shop", seen)
        assert (code, found["metadata"]["annotations"]) == (200, {"kre/actions": "{}"})
        code, found = call(server.url, "PUT", f"{LEASES}/target-shop", seen)
        assert (code, found["reason"]) == (409, "Conflict")
        del seen["metadata"]["resourceVersion"]
        assert call(server.url, "PUT", f"{LEASES}/target-shop", seen)[0] == 422
        assert call(server.url, "PUT", f"{LEASES}/other", seen)[0] == 400
        assert server.changes == [("update", "leases", "kre-pipeline", "target-shop")]


def test_a_lease_that_is_missing() -> None:
    """A PUT makes a Lease, for whoever may create: but not one that somebody has seen, with its uid, before."""
    gone = lease("kre-pipeline", "target-shop")
    with ApiServer(rights=lambda request: request.verb != "create") as server:
        assert call(server.url, "PUT", f"{LEASES}/target-shop", gone)[1]["reason"] == "Forbidden"
        gone["metadata"] |= {"uid": "u1", "resourceVersion": "1"}
        assert call(server.url, "PUT", f"{LEASES}/target-shop", gone)[1]["reason"] == "Conflict"
        assert server.changes == []
    del gone["metadata"]["uid"]
    with ApiServer() as server:
        assert call(server.url, "PUT", f"{LEASES}/target-shop", gone)[0] == 201
        assert call(server.url, "PUT", f"{PODS}/none", pod("shop", "none"))[0] == 404


def test_many_at_once_count_right() -> None:
    with ApiServer([lease("kre-pipeline", "target-shop", {"n": "0"})]) as server:

        def once(_: int) -> None:
            while True:
                seen = call(server.url, "GET", f"{LEASES}/target-shop")[1]
                seen["metadata"]["annotations"]["n"] = str(int(seen["metadata"]["annotations"]["n"]) + 1)
                if call(server.url, "PUT", f"{LEASES}/target-shop", seen)[0] == 200:
                    return

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(once, range(40)))
        assert server.state.all("leases")[0]["metadata"]["annotations"] == {"n": "40"}
        assert len(server.changes) == 40
