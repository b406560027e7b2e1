"""The responder against a real API server, with the rights and the admission policies of each response's identity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from e2e.api.responder import ACTIONS, Ran, Responder
from e2e.api.target import Target
from e2e.http import Http
from e2e.kubectl import Object
from support.engine import OTHER_UID

pytestmark = [pytest.mark.e2e, pytest.mark.api]

DISRUPTIVE = ("delete-pod", "isolate-pod", "contain-pod")
BOUND = (*DISRUPTIVE, "label-pod", "notify")
CHANGING = ("isolate-pod", "contain-pod", "label-pod")
QUARANTINE, LABELS, MARKED = "kre/quarantine", "kre/isolated-labels", "kre/alert"
OPEN = "connections that were open before survive"


@pytest.fixture(scope="module")
def target(http: Http, dev: None) -> Iterator[Target]:
    made = Target(http)
    made.pod("bystander", {"app": "shop"})
    yield made
    made.close()


@pytest.fixture
def pod(target: Target, request: pytest.FixtureRequest) -> Object:
    """A pod of a test's own."""
    return target.pod(_name(request))


def _name(request: pytest.FixtureRequest) -> str:
    """Of this test, as a pod may be called."""
    text = "".join(letter if letter.isalnum() else "-" for letter in request.node.name.lower())
    return text.removeprefix("test-").strip("-")[:63].strip("-")


def recorded(ran: Ran, pod: Object, reason: str) -> None:
    """The record and the Event say the same, and of this pod."""
    assert (ran.record["namespace"], ran.record["pod"], ran.record["uid"]) == (
        pod["metadata"]["namespace"],
        pod["metadata"]["name"],
        pod["metadata"]["uid"],
    )
    assert ran.event is not None
    assert ran.record["event"] == f"written: {ran.event['metadata']['name']}"
    assert ran.event["reason"] == reason
    assert ran.event["message"] == f"{ran.record['response']}: {ran.record['reason']}"
    about = ran.event["involvedObject"]
    assert (about["kind"], about["name"], about["uid"]) == ("Pod", ran.record["pod"], ran.record["uid"])


def stopped(ran: Ran, pod: Object, outcome: str, reason: str, code: int = 0) -> None:
    """It did nothing, and said why."""
    assert ran.said == (code, outcome, reason)
    assert ran.changed == set()
    recorded(ran, pod, f"Kre{outcome.title()}")


# ---- the right pod


def test_delete(responder: Responder, target: Target, pod: Object) -> None:
    ran = responder.run("delete-pod", target, pod)
    assert ran.said == (0, "deleted", "the pod was deleted")
    assert ran.changed == {("pods", pod["metadata"]["name"])}
    assert target.find(pod["metadata"]["name"]) is None
    recorded(ran, pod, "KreDeleted")


@pytest.mark.parametrize("response", ["isolate-pod", "contain-pod"])
def test_isolate_and_release(
    responder: Responder, target: Target, request: pytest.FixtureRequest, response: str
) -> None:
    labels = {"app": "shop", "tier": "web"}
    pod = target.pod(_name(request), labels)
    name = pod["metadata"]["name"]
    ran = responder.run(response, target, pod)
    assert ran.said == (0, "isolated", f"isolated; {OPEN}")
    assert ran.changed == {("pods", name)}
    isolated = target.find(name)
    assert isolated is not None
    assert isolated["metadata"]["labels"] == {QUARANTINE: "true"}
    assert isolated["spec"] == pod["spec"]
    recorded(ran, pod, "KreIsolated")
    ran = responder.run("release-pod", target, pod)
    assert ran.said == (0, "released", "released; its labels are as they were")
    assert ran.changed == {("pods", name)}
    released = target.find(name)
    assert released is not None
    assert released["metadata"]["labels"] == labels
    assert LABELS not in released["metadata"].get("annotations", {})
    recorded(ran, pod, "KreReleased")


def test_contain_deletes_what_it_has_isolated(responder: Responder, target: Target, pod: Object) -> None:
    assert responder.run("contain-pod", target, pod).record["outcome"] == "isolated"
    ran = responder.run("contain-pod", target, pod, action="delete")
    assert ran.said == (0, "deleted", "the pod was deleted")
    assert ran.changed == {("pods", pod["metadata"]["name"])}


def test_label(responder: Responder, target: Target, pod: Object) -> None:
    ran = responder.run("label-pod", target, pod)
    assert ran.said == (0, "labelled", "labelled kre/alert=terminal-shell-in-container")
    assert ran.changed == {("pods", pod["metadata"]["name"])}
    labelled = target.find(pod["metadata"]["name"])
    assert labelled is not None
    assert labelled["metadata"]["labels"] == pod["metadata"]["labels"] | {MARKED: "terminal-shell-in-container"}
    recorded(ran, pod, "KreLabelled")


def test_notify(responder: Responder, target: Target, pod: Object) -> None:
    ran = responder.run("notify", target, pod)
    stopped(ran, pod, "notified", "noted as an Event; there is no webhook")


@pytest.mark.parametrize("response", BOUND)
def test_observe(responder: Responder, target: Target, pod: Object, response: str) -> None:
    ran = responder.run(response, target, pod, settings={"mode": "observe"})
    assert ran.said == (0, f"would-{ACTIONS[response]}", "mode is observe")
    assert ran.changed == set()
    recorded(ran, pod, f"KreWould{ACTIONS[response].title()}")


# ---- another pod, or none


@pytest.mark.parametrize("response", [*BOUND, "release-pod"])
def test_wrong_uid(responder: Responder, target: Target, pod: Object, response: str) -> None:
    other = {**pod, "metadata": {**pod["metadata"], "uid": OTHER_UID}}
    stopped(responder.run(response, target, other), other, "refused", "another pod has this name now")


@pytest.mark.parametrize("response", [*BOUND, "release-pod"])
def test_gone(responder: Responder, target: Target, pod: Object, response: str) -> None:
    target.remove(pod["metadata"]["name"])
    stopped(responder.run(response, target, pod), pod, "gone", "there is no such pod")


def test_replaced_under_its_name_before_the_delete(responder: Responder, target: Target, pod: Object) -> None:
    """The server answers 409: the uid in the precondition does not match."""
    ran = responder.run("delete-pod", target, pod, meanwhile=lambda: replace(target, pod))
    lives(ran, target, pod)
    assert ran.said == (0, "refused", "another pod has this name now")
    assert ("DELETE", 409) in [(method, status) for method, _, status in responder.door.asked]
    recorded(ran, pod, "KreRefused")


@pytest.mark.parametrize("response", CHANGING)
def test_replaced_under_its_name_before_the_change(
    responder: Responder, target: Target, pod: Object, response: str
) -> None:
    ran = responder.run(response, target, pod, meanwhile=lambda: replace(target, pod))
    lives(ran, target, pod)
    assert ran.said == (0, "gone", "the pod went away or was replaced")
    recorded(ran, pod, "KreGone")


@pytest.mark.parametrize("response", ["delete-pod", *CHANGING])
def test_gone_before_the_act(responder: Responder, target: Target, pod: Object, response: str) -> None:
    ran = responder.run(response, target, pod, meanwhile=lambda: target.remove(pod["metadata"]["name"]))
    reason = "there is no such pod" if response == "delete-pod" else "the pod went away or was replaced"
    assert ran.said == (0, "gone", reason)
    assert ran.changed == {("pods", pod["metadata"]["name"])}
    recorded(ran, pod, "KreGone")


def replace(target: Target, pod: Object) -> None:
    target.remove(pod["metadata"]["name"])
    target.pod(pod["metadata"]["name"], {"app": "new"})


def lives(ran: Ran, target: Target, pod: Object) -> None:
    """Nothing has changed but by the replacement itself, which is as it was made."""
    new = target.find(pod["metadata"]["name"])
    assert new is not None
    assert new["metadata"]["uid"] != pod["metadata"]["uid"]
    assert new["metadata"]["labels"] == {"app": "new"}
    assert ran.changed == {("pods", pod["metadata"]["name"])}


# ---- changed meanwhile


def test_a_label_that_came_meanwhile_is_seen(
    responder: Responder, target: Target, request: pytest.FixtureRequest
) -> None:
    """Its labels were read before; what stays on the pod, and what it leads there, is told."""
    pod = target.pod(_name(request), {"app": "shop"})
    name = pod["metadata"]["name"]
    spec = {"selector": {"late": name[:20]}, "ports": [{"port": 80}]}
    where = f"/api/v1/namespaces/{target.name}"
    target.make(where, "services", "v1", "Service", "late", spec=spec)
    ran = responder.run(
        "isolate-pod", target, pod, meanwhile=lambda: void(target.change(name, {"labels": {"late": name[:20]}}))
    )
    assert ran.said == (0, "partly-isolated", f"partly isolated: Service late; {OPEN}")
    assert ran.changed == {("pods", name)}
    recorded(ran, pod, "KrePartlyIsolated")


def void(_: Any) -> None:
    pass


# ---- what it never touches


@pytest.mark.parametrize("response", BOUND)
def test_protected_pod(responder: Responder, target: Target, pod: Object, response: str) -> None:
    target.change(pod["metadata"]["name"], {"annotations": {"kre/protected": "true"}})
    stopped(responder.run(response, target, pod), pod, "refused", "the pod is annotated kre/protected")


@pytest.fixture(scope="module")
def closed(http: Http, dev: None) -> Iterator[Target]:
    """A namespace that has opted out."""
    made = Target(http, **{"kre/protected": "true"})
    yield made
    made.close()


@pytest.mark.parametrize("response", BOUND)
def test_protected_namespace(
    responder: Responder, closed: Target, request: pytest.FixtureRequest, response: str
) -> None:
    pod = closed.pod(_name(request))
    stopped(responder.run(response, closed, pod), pod, "refused", "the namespace is annotated kre/protected")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"targets": "^(elsewhere)$"}, "the namespace is not a target"), ({}, "the namespace is protected")],
)
def test_a_namespace_that_the_settings_close(
    responder: Responder, target: Target, pod: Object, settings: dict[str, str], reason: str
) -> None:
    given = settings or {"protected-namespaces": target.name}
    stopped(responder.run("delete-pod", target, pod, settings=given), pod, "refused", reason)


@pytest.mark.parametrize("response", DISRUPTIVE)
def test_protected_owner(responder: Responder, target: Target, request: pytest.FixtureRequest, response: str) -> None:
    pod = target.daemon(_name(request))
    stopped(responder.run(response, target, pod), pod, "refused", "the pod belongs to a DaemonSet")


@pytest.mark.parametrize("response", DISRUPTIVE)
def test_min_replicas(responder: Responder, target: Target, request: pytest.FixtureRequest, response: str) -> None:
    pod, _ = target.replicas(_name(request), 2)
    ran = responder.run(response, target, pod, settings={"min-healthy": "2"})
    stopped(ran, pod, "refused", "1 healthy pods of its owner would be left, 2 must be")


def test_enough_replicas(responder: Responder, target: Target, request: pytest.FixtureRequest) -> None:
    pod, other = target.replicas(_name(request), 2)
    ran = responder.run("delete-pod", target, pod, settings={"min-healthy": "1"})
    assert ran.said == (0, "deleted", "the pod was deleted")
    assert target.find(pod["metadata"]["name"]) is None
    assert target.find(other["metadata"]["name"]) is not None


# ---- without the right to


@pytest.fixture(scope="module")
def unbound(http: Http, dev: None) -> Iterator[Target]:
    """A namespace without any RoleBinding, which the settings call a target all the same."""
    made = Target(http, bound=False)
    yield made
    made.close()


@pytest.mark.parametrize("response", [*BOUND, "release-pod"])
def test_forbidden_altogether(
    responder: Responder, unbound: Target, request: pytest.FixtureRequest, response: str
) -> None:
    """No look at the pod, no act, no Event either; the record says both."""
    pod = unbound.pod(_name(request))
    ran = responder.run(response, unbound, pod)
    assert ran.said == (1, "failed", "403: Forbidden")
    assert ran.changed == set()
    assert ran.event is None
    assert ran.record["event"] == "failed: 403: Forbidden"


@pytest.mark.parametrize("response", ["delete-pod", *CHANGING])
def test_forbidden_to_act(responder: Responder, target: Target, pod: Object, response: str) -> None:
    """Under an identity that may look, and write Events, and nothing more."""
    ran = responder.run(response, target, pod, account="notify", settings={"min-healthy": "0"})
    stopped(ran, pod, "failed", "403: Forbidden", code=1)
