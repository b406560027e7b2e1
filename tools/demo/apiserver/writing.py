"""POST, PUT and PATCH."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from demo.apiserver import checks
from demo.apiserver.objects import Object
from demo.apiserver.patch import merge
from demo.apiserver.reading import existing
from demo.apiserver.request import Request
from demo.apiserver.resources import EVENTS, NAMESPACES, PODS, Resource
from demo.apiserver.state import State, now
from demo.apiserver.status import Answer, Refusal, answer

MERGE_PATCH = "application/merge-patch+json"


def create(state: State, resource: Resource, request: Request) -> Answer:
    """201 with the new object; 409 AlreadyExists, 404 where its namespace is missing, 400 and 422 for a bad one."""
    _content_type(request, "application/json")
    return _created(state, resource, request, checks.decoded(resource, copy.deepcopy(request.body)))


def _created(state: State, resource: Resource, request: Request, new: Object) -> Answer:
    meta = new["metadata"]
    if resource.namespaced:
        if meta.setdefault("namespace", request.namespace) != request.namespace:
            raise Refusal(400, "the namespace of the provided object does not match the namespace sent on the request")
        if ("", request.namespace) not in state.objects[NAMESPACES]:
            raise Refusal(404, f'namespaces "{request.namespace}" not found', name=request.namespace, kind="namespaces")
    for key in ("uid", "resourceVersion", "deletionTimestamp"):  # not the client's to say
        meta.pop(key, None)
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = f"{meta['generateName']}{state.version + 1:05x}"
    checks.metadata(resource, new)
    if resource is EVENTS:
        checks.event(new)
    place = (meta["namespace"] if resource.namespaced else "", meta["name"])
    if place in state.objects[resource]:
        details = {"name": meta["name"], "kind": resource.plural}
        raise Refusal(409, f'{resource} "{meta["name"]}" already exists', "AlreadyExists", **details)
    meta["creationTimestamp"] = now()
    if not resource.custom:  # status is a subresource of its own
        new.pop("status", None)
    if resource is PODS:
        new["status"] = {"phase": "Pending"}
    if resource is NAMESPACES:
        meta["labels"] = {"kubernetes.io/metadata.name": meta["name"], **(meta.get("labels") or {})}
    state.objects[resource][place] = state.stamp(new)
    state.note("create", resource, new)
    return answer(201, new)


def update(
    state: State, resource: Resource, request: Request, allowed: Callable[[Request], bool] | None = None
) -> Answer:
    """200 with the new object; 409 where its resourceVersion is not the stored one.

    A missing one is 404. But Leases and Events are created by a PUT: then it is 409 where the body carries a uid,
    403 where `allowed` forbids the create, else 201 (apiserver, registry/generic/registry/store.go: Update).
    """
    _content_type(request, "application/json")
    new = checks.decoded(resource, copy.deepcopy(request.body))
    named = new["metadata"].get("name") or request.name
    if named != request.name:
        message = f"the name of the object ({named}) does not match the name on the URL ({request.name})"
        raise Refusal(400, message)
    try:
        old = existing(state, resource, request)
    except Refusal:
        if not resource.create_on_update:
            raise
        uid = new["metadata"].get("uid")
        if uid:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: "
            raise checks.conflict(resource, request.name, why) from None
        if allowed and not allowed(_as_create(request)):
            raise forbidden(resource, _as_create(request)) from None
        return _created(state, resource, request, new | {"metadata": {**new["metadata"], "name": request.name}})
    return _replaced(state, resource, "update", old, new)


def patch(state: State, resource: Resource, request: Request) -> Answer:
    """200 with the object as the merge patch makes it. A uid in it must be the object's (422), and so must a
    resourceVersion (409); other patch types are not known here (415)."""
    _content_type(request, MERGE_PATCH)
    if not isinstance(request.body, Mapping):
        raise Refusal(400, "error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}")
    old = existing(state, resource, request)
    merged = merge(copy.deepcopy(old), copy.deepcopy(request.body))
    return _replaced(state, resource, "patch", old, checks.decoded(resource, merged, code=422))


def forbidden(resource: Resource | None, request: Request) -> Refusal:
    """403, in the real server's words."""
    what = f'{request.verb} resource "{request.resource}" in API group "{request.group}"'
    where = f' in the namespace "{request.namespace}"' if request.namespace else " at the cluster scope"
    subject = f'{resource or request.resource or request.path} "{request.name}"'
    message = f'{subject} is forbidden: User "system:serviceaccount:double:double" cannot {what}{where}'
    return Refusal(403, message, name=request.name, kind=request.resource)


def _replaced(state: State, resource: Resource, verb: str, old: Object, new: Object) -> Answer:
    checks.update(resource, old, new)
    _drop_empty(new["metadata"])
    if new != old:  # what changes nothing is not written
        place = (old["metadata"].get("namespace", ""), old["metadata"]["name"])
        state.objects[resource][place] = state.stamp(new)
        state.note(verb, resource, new)
    return answer(200, new)


def _drop_empty(meta: Object) -> None:
    for key in ("labels", "annotations", "ownerReferences", "finalizers"):
        if key in meta and not meta[key]:
            del meta[key]


def _as_create(request: Request) -> Request:
    made = copy.copy(request)
    made.verb = "create"
    return made


def _content_type(request: Request, wanted: str) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip() or "application/json"
    if given != wanted:
        message = f"the body of the request was in an unknown format - accepted media types include: {wanted}"
        raise Refusal(415, message)
    if request.query.get("dryRun"):
        raise Refusal(400, "this server does no dry runs")
    if isinstance(request.body, str):
        raise Refusal(400, "the body of the request is not JSON")
