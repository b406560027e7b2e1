"""Which requests a dispatcher may send to the API server at all, written down a second time, apart from its code."""

from __future__ import annotations

import re
from typing import Any

from demo.apiserver.request import Request

TARGETS = ("shop", "till")
RESPONSES = ("delete-pod", "isolate-pod")
POD = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
WORKFLOW = re.compile(r"(delete-pod|isolate-pod)-[0-9a-f]{20}")
PARAMETERS = {
    "namespace": re.compile("|".join(TARGETS)),
    "pod": POD,
    "uid": UUID,
    "rule": re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"),
    "alert": UUID,
    "received": re.compile(r"[0-9]{10}"),
    "mode": re.compile("observe|approve|enforce"),
}
# (verb, group, resource) in a target. All of them by name, but for the list.
READING = {("get", "", "pods"), ("list", "", "pods"), ("get", "", "namespaces")}
READING |= {("get", "apps", each) for each in ("replicasets", "deployments", "statefulsets")}


def allowed(asked: Request) -> bool:
    """Whether it is one of the few that a dispatcher has any business with."""
    what = (asked.verb, asked.group, asked.resource)
    if asked.subresource or asked.headers.get("transfer-encoding"):
        return False
    if asked.resource == "leases":
        return _lease(asked, what)
    if asked.resource == "workflows":
        return (
            what == ("create", "argoproj.io", "workflows") and asked.namespace == "kre-responses" and _made(asked.body)
        )
    if asked.namespace not in TARGETS:
        return False
    if what == ("patch", "", "pods"):
        return bool(POD.fullmatch(asked.name)) and _patch(asked)
    named = asked.name == "" if asked.verb == "list" else bool(POD.fullmatch(asked.name))
    return what in READING and named and asked.query.keys() <= {"limit", "continue"}


def _lease(asked: Request, what: tuple[str, str, str]) -> bool:
    named = asked.namespace == "kre-pipeline" and asked.name in {f"target-{each}" for each in TARGETS}
    if not named or what[0] not in ("get", "update"):
        return False
    return asked.verb == "get" or bool(asked.body["metadata"]["resourceVersion"])


def _patch(asked: Request) -> bool:
    body, kind = asked.body, asked.headers.get("content-type")
    uid = body["metadata"]["uid"]
    wanted = {"metadata": {"uid": uid, "labels": {"kre/quarantine": "true"}}}
    return kind == "application/merge-patch+json" and body == wanted and bool(UUID.fullmatch(uid))


def _made(body: Any) -> bool:
    """Whether this Workflow refers to a response and passes seven parameters, each of its form."""
    response = body["spec"]["workflowTemplateRef"]["name"]
    metadata: dict[str, Any] = {"name": body["metadata"]["name"], "labels": {"kre/response": response}}
    metadata |= {"finalizers": ["kre/record"]}
    parameters = body["spec"]["arguments"]["parameters"]
    spec = {"workflowTemplateRef": {"name": response}, "arguments": {"parameters": parameters}}
    wanted = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec}
    return (
        body == wanted
        and response in RESPONSES
        and bool(WORKFLOW.fullmatch(metadata["name"]))
        and metadata["name"].startswith(f"{response}-")
        and [each["name"] for each in parameters] == list(PARAMETERS)
        and all(each.keys() == {"name", "value"} for each in parameters)
        and all(isinstance(each["value"], str) for each in parameters)
        and all(PARAMETERS[each["name"]].fullmatch(each["value"]) for each in parameters)
    )
