"""The responder of cordon-node: no more pods on the node of a pod that has broken out, or may have."""

import math
import os
import re
import sys
from urllib.parse import quote

import responder
from act import allowed
from api import ApiError, Client, Object
from guard import check_namespace, check_pod, find
from names import POD, PROTECTED, Refused
from request import FORMS, Request
from settings import Settings

ACTIONS = FORMS | {"action": re.compile("cordon")}
NODES = "/api/v1/nodes"
CONTROL = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
MERGE = "application/merge-patch+json"
told: dict[str, object] = {}  # what the record has besides


def respond(request: Request, settings: Settings, client: Client, _: str) -> tuple[str, str]:
    """Cordons the node of the pod of `request`, if all allows it; returns (outcome, reason). Raises Refused, Gone,
    ApiError."""
    response = request["response"]
    check_namespace(settings, response, request["namespace"])
    pod = find(client, request)
    check_pod(client, settings, response, pod, disruptive=False)
    name = pod["spec"].get("nodeName") or ""
    if not POD.fullmatch(name):
        raise Refused("the pod is on no node")
    where = f"{NODES}/{quote(name, safe='')}"
    node = client.get(where)
    if node is None:
        raise Refused("the pod's node is not there any more")
    if _controls(node):
        raise Refused("the node is one of the control plane")
    if (node["metadata"].get("annotations") or {}).get(PROTECTED) == "true":
        raise Refused(f"the node is annotated {PROTECTED}")
    already = node["spec"].get("unschedulable") is True
    if not already:
        _check_left(client, settings, response, name)
    if not allowed(request, settings.choice(response, "mode")):
        return "would-cordon", f"mode is observe; node {name}"
    if not already:
        body = {"metadata": {"uid": node["metadata"]["uid"]}, "spec": {"unschedulable": True}}
        status, _answer = client.call("PATCH", where, body, MERGE, take=(404, 422))
        if status == 404:
            raise Refused("the pod's node is not there any more")
        if status == 422:  # the uid is another
            raise ApiError("422: the node was replaced")
    told["node"] = name
    return "cordoned", f"node {name} takes no more pods; those on it stay{' (so it was before)' if already else ''}"


def _check_left(client: Client, settings: Settings, response: str, name: str) -> None:
    """Raises Refused where without this node too few would take pods, in number or in percent (rounded up) of those
    that are not of the control plane."""
    nodes = [node for node in client.items(NODES) if not _controls(node)]
    left = sum(_takes_pods(node) for node in nodes if node["metadata"]["name"] != name)
    absolute, percent = (settings.number(response, key) for key in ("min-healthy", "min-healthy-percent"))
    if left < (least := max(absolute, math.ceil(percent * len(nodes) / 100))):
        raise Refused(f"{left} nodes would be left that take pods, {least} must be")


def _controls(node: Object) -> bool:
    return any(key in (node["metadata"].get("labels") or {}) for key in CONTROL)


def _takes_pods(node: Object) -> bool:
    spec, conditions = node["spec"], (node.get("status") or {}).get("conditions") or []
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
    closed = any(taint["effect"] in ("NoSchedule", "NoExecute") for taint in spec.get("taints") or [])
    return ready and not closed and not spec.get("unschedulable") and "deletionTimestamp" not in node["metadata"]


if __name__ == "__main__":
    sys.exit(responder.main(os.environ, respond, ACTIONS, told.items()))
