"""Which pods a response never touches. Pure: a request, and the pod as the API server has it now, go in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from request import Refused, Request

# The engine itself, the cluster, and what either stands on. A target may not be one of these even by mistake.
PROTECTED_NAMESPACES = re.compile(r"kube-.*|argo.*|falco.*|kre-pipeline|kre-responses")
PROTECTED_OWNERS = ("DaemonSet", "Node")
OPT_OUT = "kre/protected"
MIRROR = "kubernetes.io/config.mirror"


def check_namespace(request: Request) -> None:
    """Raises Refused unless the namespace is one of the environment's targets and not a protected one."""
    if PROTECTED_NAMESPACES.fullmatch(request.namespace):
        raise Refused("the namespace is protected")
    if not re.fullmatch(request.targets, request.namespace):
        raise Refused("the namespace is not a target")


def check_pod(request: Request, pod: Mapping[str, Any]) -> None:
    """Raises Refused unless `pod` (a v1 Pod object) is the very pod of the request and not protected."""
    metadata = pod.get("metadata") or {}
    if metadata.get("uid") != request.uid:
        raise Refused("another pod has this name now")
    annotations = metadata.get("annotations") or {}
    if annotations.get(OPT_OUT) == "true":
        raise Refused(f"the pod is annotated {OPT_OUT}")
    if MIRROR in annotations:
        raise Refused("the pod is a static pod")
    for owner in metadata.get("ownerReferences") or []:
        if owner.get("kind") in PROTECTED_OWNERS:
            raise Refused(f"the pod belongs to a {owner['kind']}")
