"""DELETE of one object, and of a collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demo.apiserver import checks
from demo.apiserver.objects import Object
from demo.apiserver.reading import chosen, existing
from demo.apiserver.request import Request
from demo.apiserver.resources import PODS, Resource
from demo.apiserver.state import State, now
from demo.apiserver.status import Answer, Refusal, answer

_GRACE = 30  # seconds, where neither the request nor the pod says


def delete(state: State, resource: Resource, request: Request) -> Answer:
    """200: with the pod as it was, or a Status of success. 409 where a precondition does not hold, and nothing done."""
    options = _options(request)
    found = existing(state, resource, request)
    _check(resource, found, options.get("preconditions") or {})
    _remove(state, resource, found, options, "delete")
    if resource is PODS:
        return answer(200, found)
    meta = found["metadata"]
    details = {"name": meta["name"], "kind": resource.plural, "uid": meta["uid"]}
    details |= {"group": resource.group} if resource.group else {}
    return answer(200, _success(details))


def deletecollection(state: State, resource: Resource, request: Request) -> Answer:
    """200 with what went: everything that the selectors of the request choose, each kept as a change."""
    options = _options(request)
    found = chosen(state, resource, request)
    for one in found:
        _remove(state, resource, one, options, "deletecollection")
    return answer(
        200, {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": {}, "items": found}
    )


def _success(details: Mapping[str, str]) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": dict(details)}


def _options(request: Request) -> Mapping[str, Any]:
    body = {} if request.body is None else request.body
    if not isinstance(body, Mapping) or body.get("kind", "DeleteOptions") != "DeleteOptions":
        raise Refusal(400, "the object provided is unrecognized (must be of type DeleteOptions)")
    if request.query.get("dryRun") or body.get("dryRun"):
        raise Refusal(400, "this server does no dry runs")
    return body


def _check(resource: Resource, found: Object, preconditions: Mapping[str, Any]) -> None:
    meta = found["metadata"]
    for key, word in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        wanted = preconditions.get(key)
        if wanted is not None and wanted != meta[key]:
            why = f"the {word} in the precondition ({wanted}) does not match the {word} in record ({meta[key]})"
            raise checks.conflict(resource, meta["name"], why)


def _remove(state: State, resource: Resource, found: Object, options: Mapping[str, Any], verb: str) -> None:
    meta = found["metadata"]
    spec = found.get("spec") or {}
    grace = options.get("gracePeriodSeconds")
    grace = spec.get("terminationGracePeriodSeconds", _GRACE) if grace is None else grace
    stays = resource is PODS and state.graceful and grace != 0
    if stays and meta.get("deletionTimestamp"):
        return  # it is on its way already
    if stays:
        meta |= {"deletionTimestamp": now(), "deletionGracePeriodSeconds": grace}
        state.stamp(found)
    else:
        del state.objects[resource][meta.get("namespace", ""), meta["name"]]
    state.note(verb, resource, found)
