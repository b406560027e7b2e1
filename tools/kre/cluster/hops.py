"""What is said of each hop of the test alert: passed, or where it got stuck and what to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from kre.cluster.alert import Plan
from kre.cluster.result import Result, Status
from kre.cluster.snapshot import OK
from kre.cluster.wanted import DISPATCHER, PIPELINE, RESPONSES

Told: TypeAlias = tuple[Status, str, str, str]
Record: TypeAlias = Mapping[str, Any] | None

HOPS = ("eventsource", "dispatcher", "workflow", "pod", "responder")
_MEANS = "docs/operate.md, `What an outcome means`"
_SOURCE = f"kubectl -n {PIPELINE} logs -l eventsource-name --tail=20"
_POSTS = {
    401: f"the pods have another token than the Secret, for a minute after a change: kubectl -n {PIPELINE} "
    "get secret falco-webhook-token; then: kre token | kubectl apply -f -",
    404: "its endpoint is not the one that is rendered: sync what it comes from",
    413: "its maxPayloadSize is too small for any alert",
    500: f"the bus did not take it: kubectl -n {PIPELINE} get eventbus,pods; after all its pods were lost: "
    f"kubectl -n {PIPELINE} rollout restart deployment",
}


def posted(status: int, why: str) -> Told:
    """Of the EventSource, which answers when the bus has the alert."""
    if status == OK:
        return "ok", "", "answered 200: the token is right, and the bus has the alert", ""
    if not status:
        return "failed", "EventSource", f"the post had no answer: {why}", _SOURCE
    return "failed", "EventSource", f"the post was answered {status}", _POSTS.get(status, _SOURCE)


def recorded(plan: Plan, record: Record, timeout: float) -> Told:
    """Of the dispatcher: its record says that bus, Sensor and dispatcher have done their part."""
    if record is None:
        found = f"no record of the alert within {timeout:g} s: it is stuck at the bus, the Sensor or the dispatcher"
        look = f"kubectl -n {PIPELINE} logs -l sensor-name={plan.response} --tail=30"
        return "failed", f"Sensor {plan.response}", found, f"{look}; kubectl -n {PIPELINE} get pods"
    outcome, reason = str(record.get("outcome")), str(record.get("reason"))
    if outcome == "dispatched":
        return "ok", "", f"recorded `dispatched` for {plan.response} in {plan.target}, mode {record.get('mode')}", ""
    if outcome == "gone" and plan.mode == "approve":
        return (
            "ok",
            "",
            f"recorded `gone` for {plan.response} in {plan.target}: it looked for the pod, and made nothing",
            "",
        )
    where = f"Deployment {PIPELINE}/{DISPATCHER}"
    return "failed", where, f"recorded `{outcome}`: {reason}", _remedy(plan, outcome, reason)


def _remedy(plan: Plan, outcome: str, reason: str) -> str:
    if "403" in reason:
        return f"a right is missing in {plan.target}: kubectl -n {plan.target} get rolebindings"
    if reason.startswith("cap:"):
        return "a storm: find its source before you raise the cap"
    return f"{_MEANS}: {outcome}"


def why_no_workflow(plan: Plan, record: Record) -> str:
    """Why the alert is not followed any further."""
    if record is None or plan.mode != "approve":
        return "no Workflow was made"
    return "mode is approve: a Workflow would wait an hour for a person, so the alert was one that makes none"


def made(name: str, found: bool, timeout: float) -> Told:
    """Of the Workflow's object."""
    if found:
        return "ok", "", name, ""
    told = f"it can't be read within {timeout:g} s, though the dispatcher says that it made it"
    return "failed", f"Workflow {RESPONSES}/{name}", told, f"kubectl -n {RESPONSES} get workflow {name}"


def started(name: str, found: bool, timeout: float) -> Told:
    """Of its pod."""
    if found:
        return "ok", "", "a pod of it runs", ""
    controller = "kubectl -n argo-workflows logs deployment/argo-workflows-workflow-controller"
    remedy = f"kubectl -n {RESPONSES} get events; {controller}"
    told = f"no pod of it runs within {timeout:g} s: its controller, the quota, the image, or the node"
    return "failed", f"Workflow {RESPONSES}/{name}", told, remedy


def ended(name: str, record: Record, timeout: float) -> Told:
    """Of the responder: it must have found that the pod is not there, and said so."""
    where, look = f"Workflow {RESPONSES}/{name}", f"kubectl -n {RESPONSES} get workflow {name} -o yaml"
    if record is None:
        return "failed", where, f"it did not end within {timeout:g} s", look
    phase, outcome = record.get("phase"), record.get("outcome")
    if (phase, outcome) == ("Succeeded", "gone"):
        return "ok", "", "recorded `gone`: it looked for the pod, and did nothing", ""
    if outcome:
        return "failed", where, f"it recorded `{outcome}`: {record.get('reason')}", f"{_MEANS}: {outcome}"
    return "failed", where, f"it ended as {phase} without a record: {record.get('message')}", look


def unreached(last: str, why: str) -> Iterator[Result]:
    """The hops after the last one that the alert was followed to."""
    for hop in HOPS[HOPS.index(last) + 1 :]:
        yield Result("probe", hop, "unknown", "", why)
