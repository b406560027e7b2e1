"""From a request to its answer."""

from __future__ import annotations

from collections.abc import Callable

from demo.apiserver.deleting import delete, deletecollection
from demo.apiserver.reading import get, list_, log
from demo.apiserver.request import Request
from demo.apiserver.resources import PODS, Resource, find
from demo.apiserver.state import State
from demo.apiserver.status import Answer, Refusal, answer
from demo.apiserver.writing import create, forbidden, patch, update

Rights = Callable[[Request], bool]
READING = ("get", "list")
_VERBS: dict[str, Callable[[State, Resource, Request], Answer]] = {
    "get": get,
    "list": list_,
    "create": create,
    "patch": patch,
    "delete": delete,
    "deletecollection": deletecollection,
}


def handle(state: State, request: Request, rights: Rights | None) -> Answer:
    """Carries a request out, as far as it is allowed and right, and returns the answer. The caller holds the lock."""
    try:
        made = _handle(state, request, rights)
    except Refusal as refusal:
        return answer(refusal.code, refusal.status)
    request.done = True
    return made


def _handle(state: State, request: Request, rights: Rights | None) -> Answer:
    resource = find(request.group, request.version, request.resource)
    if request.refused:
        raise forbidden(resource, request)
    if resource is PODS and (request.verb, request.subresource) == ("get", "log"):
        return log(state, resource, request)
    if resource is None or request.subresource or not _placed(resource, request):
        raise Refusal(404, "the server could not find the requested resource")
    nameless = request.verb in ("update", "patch") and not request.name
    if nameless or (request.verb == "create" and request.name) or not request.verb:
        raise Refusal(405, "the server does not allow this method on the requested resource")
    if request.verb == "update":
        return update(state, resource, request, rights)
    return _VERBS[request.verb](state, resource, request)


def _placed(resource: Resource, request: Request) -> bool:
    """Whether the path says a namespace where one belongs. Only lists may leave it out."""
    if resource.namespaced:
        return bool(request.namespace) or request.verb == "list"
    return True
