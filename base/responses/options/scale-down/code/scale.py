"""The responder of scale-down: takes a workload to no replicas, so that what was broken into runs nowhere.

It writes the workload itself and not its subresource scale, behind which the API server shows no policy whose it is.
"""

import os
import random
import re
import sys
import time

import responder
from act import allowed
from api import ApiError, Client, Object, path
from guard import check_namespace, check_pod, find
from names import PROTECTED, Gone, Refused
from request import FORMS, Request
from settings import Settings

ACTIONS = FORMS | {"action": re.compile("scale-down")}
SCALED_FROM = "kre/scaled-from"  # annotation: how many replicas there were, for whoever undoes it
# By what Argo CD knows its own: it would put the replicas back, and the engine would have to fight Git.
TRACKED = ("argocd.argoproj.io/tracking-id", "argocd.argoproj.io/instance", "app.kubernetes.io/instance")
PLURALS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "ReplicaSet": "replicasets"}
ATTEMPTS = 10
told: dict[str, object] = {}  # what the record has besides


def respond(request: Request, settings: Settings, client: Client, _: str) -> tuple[str, str]:
    """Scales the owner of the pod of `request` to 0, if all allows it; returns (outcome, reason). Raises Refused, Gone,
    ApiError."""
    response = request["response"]
    check_namespace(settings, response, request["namespace"])
    pod = find(client, request)
    check_pod(client, settings, response, pod, disruptive=False)
    protected, mode = settings.text(response, "protected-owners").split(), settings.choice(response, "mode")
    for _attempt in range(ATTEMPTS):  # compare-and-swap, by the uid and resourceVersion of what was read
        kind, found = _workload(client, pod)
        _check(kind, found, protected)
        metadata, before = found["metadata"], found["spec"]["replicas"] + 0
        notes, what = metadata.get("annotations") or {}, f"{kind} {metadata['name']}"
        if not allowed(request, mode):
            return "would-scale-down", f"mode is observe; {what} has {before} replicas"
        if before == 0:
            return _done(what, str(notes.get(SCALED_FROM, "none"))[:10])
        changed = {**found, "metadata": {**metadata, "annotations": {**notes, SCALED_FROM: str(before)}}}
        changed["spec"] = {**found["spec"], "replicas": 0}
        where = path(PLURALS[kind], request["namespace"], metadata["name"], "apps/v1")
        status = client.call("PUT", where, changed, take=(404, 409))[0]
        if status == 404:
            raise Gone("its owner went away")
        if status != 409:
            return _done(what, str(before))
        time.sleep(random.uniform(0.02, 0.3))  # noqa: S311 - to fall out of step
    raise ApiError("409: others change its owner all the time")


def _done(what: str, before: str) -> tuple[str, str]:
    told["scaled"] = {"owner": what, "replicas": before}
    return "scaled-down", f"{what} has no replicas now; it had {before}"


def _workload(client: Client, pod: Object) -> tuple[str, Object]:
    """The Deployment or StatefulSet that the pod belongs to. Raises Refused, ApiError."""
    namespace, below = pod["metadata"]["namespace"], pod
    while (owner := _controller(below)) and owner["kind"] in PLURALS:
        found = client.get(path(PLURALS[owner["kind"]], namespace, owner["name"], "apps/v1"))
        if found is None or found["metadata"]["uid"] != owner["uid"]:
            raise Refused("its owner is not there any more")
        if owner["kind"] != "ReplicaSet":
            return owner["kind"], found
        below = found
    raise Refused("it belongs to no Deployment and no StatefulSet")


def _check(kind: str, found: Object, protected: list[str]) -> None:
    """Raises Refused where the workload is protected, or somebody else's to scale."""
    metadata = found["metadata"]
    notes, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    if kind in protected:
        raise Refused(f"the pod belongs to a {kind}")
    if notes.get(PROTECTED) == "true":
        raise Refused(f"its owner is annotated {PROTECTED}")
    if any(key in notes or key in labels for key in TRACKED):
        raise Refused("Argo CD keeps its owner as Git has it")
    if _controller(found):
        raise Refused("its owner belongs to another, which would scale it again")


def _controller(found: Object) -> Object | None:
    return next((item for item in found["metadata"].get("ownerReferences") or [] if item.get("controller")), None)


if __name__ == "__main__":
    sys.exit(responder.main(os.environ, respond, ACTIONS, told.items()))
