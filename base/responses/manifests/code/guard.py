"""Which pods a response never touches. The dispatcher asks before its fast lane, the responder before it acts."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from api import Client, Object, path
from health import check_healthy
from names import PROTECTED, Gone, Refused
from settings import Settings

# The engine itself, the cluster, and what either stands on. A target may not be one of these even by mistake.
PROTECTED_NAMESPACES = re.compile(r"kube-.*|argo.*|falco.*|kre-pipeline|kre-responses|kre-evidence")


def check_namespace(settings: Settings, response: str, namespace: str) -> None:
    """Raises Refused unless the namespace is one of the environment's targets and not a protected one."""
    listed = settings.text(response, "protected-namespaces").split()
    if PROTECTED_NAMESPACES.fullmatch(namespace) or namespace in listed:
        raise Refused("the namespace is protected")
    if not re.fullmatch(settings.text(response, "targets"), namespace):
        raise Refused("the namespace is not a target")


def find(client: Client, wanted: Mapping[str, str]) -> Object:
    """The pod of this namespace, name (`pod`) and uid. Raises Gone, Refused, ApiError."""
    pod = client.get(path("pods", wanted["namespace"], wanted["pod"]))
    if pod is None:
        raise Gone("there is no such pod")
    if pod["metadata"]["uid"] != wanted["uid"]:
        raise Refused("another pod has this name now")
    return pod


def check_pod(client: Client, settings: Settings, response: str, pod: Object, *, disruptive: bool) -> None:
    """Raises Refused where pod or namespace is protected; if `disruptive`, where it is young or missed. Or ApiError."""
    metadata = pod["metadata"]
    annotations, owners = metadata.get("annotations") or {}, settings.text(response, "protected-owners").split()
    if annotations.get(PROTECTED) == "true":
        raise Refused(f"the pod is annotated {PROTECTED}")
    if "kubernetes.io/config.mirror" in annotations:
        raise Refused("the pod is a static pod")
    if kinds := {owner["kind"] for owner in metadata.get("ownerReferences") or []} & {"Node", *owners}:
        raise Refused(f"the pod belongs to a {min(kinds)}")
    around = client.get(path("", metadata["namespace"]))
    if around is None or (around["metadata"].get("annotations") or {}).get(PROTECTED) == "true":
        raise Refused(f"the namespace is annotated {PROTECTED}")
    if disruptive:
        age = (datetime.now(UTC) - datetime.fromisoformat(metadata["creationTimestamp"])).total_seconds()
        if age < (least := settings.number(response, "min-age")):
            raise Refused(f"the pod is younger than {least} s")
        absolute, percent = (settings.number(response, key) for key in ("min-healthy", "min-healthy-percent"))
        check_healthy(client, pod, absolute, percent)
