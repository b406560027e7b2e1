"""Isolation of a pod, and its end. Policies add up and none denies: the pod loses the labels that they select by."""

import json
from collections.abc import Iterator

from api import ApiError, Client, Object, path
from health import matches
from names import ISOLATED_LABELS, QUARANTINE, Refused
from request import Request


def isolate(client: Client, request: Request, pod: Object) -> tuple[str, str]:
    """Takes the labels away, sets the quarantine label, looks who selects the pod still. Raises Refused, ApiError."""
    metadata = pod["metadata"]  # a StatefulSet's pod keeps its labels: while it is there, none of its name can be made
    stuck = any(owner["kind"] == "StatefulSet" for owner in metadata.get("ownerReferences") or [])
    taken = {} if stuck else {key: value for key, value in (metadata.get("labels") or {}).items() if key != QUARANTINE}
    change: Object = {"labels": {**dict.fromkeys(taken), QUARANTINE: "true"}}
    if taken:  # what an earlier run took away was there first
        change["annotations"] = {ISOLATED_LABELS: json.dumps({**taken, **_kept(pod)}, sort_keys=True)}
    left = client.patch(request, change)["metadata"].get("labels") or {}
    try:
        holes = ", ".join(_holes(client, request["namespace"], left))
    except ApiError as error:
        raise ApiError(f"isolated, but who selects it still is not known: {error}") from None
    outcome, said = ("partly-isolated", f"partly isolated: {holes}") if holes else ("isolated", "isolated")
    return outcome, f"{said}; connections that were open before survive"


def _holes(client: Client, namespace: str, labels: dict[str, str]) -> Iterator[str]:
    """What still lets traffic through to a pod with these labels, or leads it there."""
    denied = False
    for policy in client.items(path("networkpolicies", namespace, group="networking.k8s.io/v1")):
        spec = policy["spec"]
        if matches(spec.get("podSelector") or {}, labels):
            if spec.get("ingress") or spec.get("egress"):
                yield f"policy {policy['metadata']['name']}"
            elif {"Ingress", "Egress"} <= set(spec.get("policyTypes") or ()):
                denied = True
    if not denied:
        yield "no policy denies its traffic"
    for service in client.items(path("services", namespace)):
        if (selector := service["spec"].get("selector")) and matches({"matchLabels": selector}, labels):
            yield f"Service {service['metadata']['name']}"


def release(client: Client, request: Request, pod: Object) -> tuple[str, str]:
    """Gives the labels back and ends the quarantine. Returns (outcome, reason). Raises Gone, Refused, ApiError."""
    if QUARANTINE not in (pod["metadata"].get("labels") or {}):
        raise Refused("the pod is not isolated")
    client.patch(request, {"labels": {**_kept(pod), QUARANTINE: None}, "annotations": {ISOLATED_LABELS: None}})
    return "released", "released; its labels are as they were"


def _kept(pod: Object) -> dict[str, str]:
    """The labels that isolation has taken away. Raises Refused."""
    try:
        kept = json.loads((pod["metadata"].get("annotations") or {}).get(ISOLATED_LABELS) or "{}")
        return {key: value + "" for key, value in kept.items() if key != QUARANTINE}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise Refused(f"annotation {ISOLATED_LABELS} is not as the engine wrote it") from None
