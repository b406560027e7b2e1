"""GET of one object, and of lists."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from demo.apiserver import selector
from demo.apiserver.objects import Object
from demo.apiserver.request import Request
from demo.apiserver.resources import EVENTS, Resource
from demo.apiserver.state import State
from demo.apiserver.status import Answer, Refusal, answer


def get(state: State, resource: Resource, request: Request) -> Answer:
    """One object, 404 where it is not there."""
    return answer(200, existing(state, resource, request))


def existing(state: State, resource: Resource, request: Request) -> Object:
    """The object that a request names. Raises Refusal (404)."""
    found = state.objects[resource].get(_key(resource, request))
    if found is None:
        raise not_found(resource, request.name)
    return found


def not_found(resource: Resource, name: str) -> Refusal:
    """404, in the real server's words."""
    details = {"name": name, "kind": resource.plural} | ({"group": resource.group} if resource.group else {})
    return Refusal(404, f'{resource} "{name}" not found', **details)


def list_(state: State, resource: Resource, request: Request) -> Answer:
    """The objects of a namespace (of all, where the path has none) that the selectors choose, in pages if asked."""
    if request.query.get("watch") in ("1", "true"):
        raise Refusal(400, "this server does not watch")
    found = chosen(state, resource, request)
    start, limit = _start(request.query), _number(request.query.get("limit", ""))
    page = found[start : start + limit] if limit else found[start:]
    meta: Object = {"resourceVersion": str(state.version)}
    left = len(found) - start - len(page)
    if left:
        meta["continue"] = base64.b64encode(str(start + len(page)).encode()).decode()
        if not {"labelSelector", "fieldSelector"} & request.query.keys():
            meta["remainingItemCount"] = left
    items = page if resource.custom else [_bare(one) for one in page]
    kind = f"{resource.kind}List"
    return answer(200, {"kind": kind, "apiVersion": resource.api_version, "metadata": meta, "items": items})


def chosen(state: State, resource: Resource, request: Request) -> list[Object]:
    """The objects that the namespace of a request, its labelSelector and its fieldSelector choose, in order."""
    wanted = selector.parse(request.query.get("labelSelector", ""))
    fields = _fields(request.query.get("fieldSelector", ""), resource)
    namespace = request.namespace if resource.namespaced else ""
    return [
        one
        for (place, _), one in sorted(state.objects[resource].items())
        if namespace in ("", place)
        and all(requirement.fits(one["metadata"].get("labels") or {}) for requirement in wanted)
        and all((_at(one, key) == value) is equal for key, value, equal in fields)
    ]


def _key(resource: Resource, request: Request) -> tuple[str, str]:
    return (request.namespace if resource.namespaced else "", request.name)


def _bare(one: Mapping[str, object]) -> Object:
    """Items of built-in lists carry no kind of their own."""
    return {key: value for key, value in one.items() if key not in ("kind", "apiVersion")}


def log(state: State, resource: Resource, request: Request) -> Answer:
    """What `state.logs` has of a container, as text: the last `tailLines` of it, and of those the first `limitBytes`.
    It knows no times: sinceTime and timestamps change nothing. 400 where there is no such log, 404 no such pod."""
    pod, query = existing(state, resource, request), request.query
    named = [one["name"] for kind in ("initContainers", "containers") for one in pod["spec"].get(kind) or ()]
    container, place = query.get("container") or named[-1], (request.namespace, request.name)
    if container not in named:
        raise Refusal(400, f"container {container} is not valid for pod {request.name}")
    before = query.get("previous") == "true"
    found = state.logs.get((*place, container, before))
    if found is None:
        what = f'previous terminated container "{container}"' if before else f'container "{container}"'
        why = "not found" if before else "is waiting to start: ContainerCreating"
        raise Refusal(400, f'{what} in pod "{request.name}" {why}')
    if lines := _number(query.get("tailLines", "")):
        found = b"".join(found.splitlines(keepends=True)[-lines:])
    return Answer(200, found[: _number(query.get("limitBytes", "")) or None], {"Content-Type": "text/plain"})


def _at(one: Object, place: str) -> object:
    value: object = one
    for key in place.split("."):
        value = value.get(key, "") if isinstance(value, Mapping) else ""
    return value


def _fields(text: str, resource: Resource) -> list[tuple[str, str, bool]]:
    allowed = ["metadata.name", "metadata.namespace", *(["involvedObject.uid"] if resource is EVENTS else [])]
    found = []
    for part in filter(None, text.split(",")):
        key, operator, value = part.partition("!=") if "!=" in part else part.partition("=")
        if not operator or key not in allowed:
            raise Refusal(400, f"field label not supported: {key}")
        found.append((key, value.removeprefix("="), operator == "="))
    return found


def _start(query: Mapping[str, str]) -> int:
    try:
        return int(base64.b64decode(query.get("continue", "") or "MA==", validate=True))
    except (binascii.Error, ValueError):
        raise Refusal(400, "continue key is not valid") from None


def _number(text: str) -> int:
    if text and not text.isdigit():
        raise Refusal(400, f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text or 0)
