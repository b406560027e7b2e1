"""Whether the owner of a pod would keep enough healthy ones without it."""

import math
from collections.abc import Mapping
from typing import Any

from api import Client, Object, path
from names import QUARANTINE, Refused


def check_healthy(client: Client, pod: Object, absolute: int, percent: int) -> None:
    """Raises Refused where fewer than `absolute`, or than `percent` of the replicas that the owner wants (rounded up),
    would stay healthy. A pod without an owner, or of a Job, is no replica of anything. Raises ApiError."""
    owner = _controller(pod)
    if not (absolute or percent) or owner is None or owner["kind"] == "Job":
        return
    namespace, spec = pod["metadata"]["namespace"], None
    while owner and owner["kind"] in ("Deployment", "ReplicaSet", "StatefulSet"):  # pod -> ReplicaSet -> Deployment
        above = client.get(path(f"{owner['kind'].lower()}s", namespace, owner["name"], "apps/v1"))
        if above is None or above["metadata"]["uid"] != owner["uid"]:
            break
        spec, owner = above["spec"], _controller(above)
    if spec is None:
        raise Refused("its owner can't say how many healthy pods it wants")
    pods = client.items(path("pods", namespace))  # by selector: of every ReplicaSet of a Deployment
    others = [each for each in pods if matches(spec["selector"], each["metadata"].get("labels") or {})]
    left = sum(_healthy(each) for each in others if each["metadata"]["uid"] != pod["metadata"]["uid"])
    if left < (least := max(absolute, math.ceil(percent * spec.get("replicas", 1) / 100))):
        raise Refused(f"{left} healthy pods of its owner would be left, {least} must be")


def _controller(found: Object) -> Object | None:
    return next((item for item in found["metadata"].get("ownerReferences") or [] if item.get("controller")), None)


def _healthy(pod: Object) -> bool:
    metadata, conditions = pod["metadata"], (pod.get("status") or {}).get("conditions") or []
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
    return ready and "deletionTimestamp" not in metadata and QUARANTINE not in (metadata.get("labels") or {})


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a metav1.LabelSelector selects these labels, as apimachinery's helpers.go has it; an empty one does."""
    wanted = (selector.get("matchLabels") or {}).items()
    listed = selector.get("matchExpressions") or []
    return all(labels.get(key) == value for key, value in wanted) and all(_holds(item, labels) for item in listed)


def _holds(item: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, operator = labels.get(item["key"]), item["operator"]
    if operator in ("Exists", "DoesNotExist"):
        return (value is not None) is (operator == "Exists")
    return (value in item["values"]) is (operator == "In")
