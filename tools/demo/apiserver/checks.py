"""What an object must be like to be stored: the part of Kubernetes' validation that the engine can run into."""

from __future__ import annotations

import re
from collections.abc import Mapping

from demo.apiserver.labels import check_key, check_name, check_value
from demo.apiserver.objects import Object
from demo.apiserver.resources import EVENTS, PODS, Resource
from demo.apiserver.status import Refusal, invalid

_IMMUTABLE = "field is immutable"
# Kubernetes, pkg/apis/core/validation: ValidatePodUpdate. Of containers only the image, which is compared below.
_POD_MAY_CHANGE = {"activeDeadlineSeconds", "tolerations", "schedulingGates"}


def decoded(resource: Resource, body: object, code: int = 400) -> Object:
    """The body as an object of this resource, with its kind. Raises Refusal where it can't be decoded as one."""
    if not isinstance(body, Mapping):
        raise Refusal(400, "the object provided is unrecognized (must be of type " + resource.kind + ")")
    made = dict(body)
    for key, value in (("apiVersion", resource.api_version), ("kind", resource.kind)):
        if made.get(key, None if resource.custom else value) != value:
            raise Refusal(400, f"{key} in the object provided is {made.get(key)!r}, expected {value!r}")
        made[key] = value
    meta = made["metadata"] = dict(_mapping(made.get("metadata") or {}, "metadata", code))
    for place in ("labels", "annotations"):
        if place not in meta:
            continue
        kept = _mapping(meta[place] or {}, f"metadata.{place}", code)
        if not all(isinstance(value, str) for value in kept.values()):
            raise Refusal(
                code, f"json: cannot unmarshal into Go struct field ObjectMeta.metadata.{place} of type string"
            )
    return made


def _mapping(value: object, place: str, code: int) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise Refusal(code, f"json: cannot unmarshal into Go struct field {place}")
    return value


def metadata(resource: Resource, one: Object) -> None:
    """Raises Refusal (422) where the name, a label or an annotation is not one."""
    meta = one["metadata"]
    name = meta.get("name", "")
    if not name:
        raise invalid(resource.kind, "", "metadata.name", "Required value: name or generateName is required")
    # Names of Events need only to fit into a path.
    problem = re.sub(r"[^/%]", "", name) if resource is EVENTS else check_name(name, resource.plural)
    if problem:
        raise invalid(resource.kind, name, "metadata.name", f'Invalid value: "{name}": {problem}')
    for place in ("labels", "annotations"):
        for key, value in (meta.get(place) or {}).items():
            problem = check_key(key if place == "labels" else key.lower())
            problem = problem or (check_value(value) if place == "labels" else "")
            if problem:
                raise invalid(resource.kind, name, f"metadata.{place}", f"Invalid value: {problem}")


def event(one: Object) -> None:
    """Raises Refusal (422) where an Event is not about its own namespace, or is of the new form but incomplete
    (Kubernetes, pkg/apis/core/validation/events.go)."""
    name, space = one["metadata"]["name"], one["metadata"]["namespace"]
    about = (one.get("involvedObject") or {}).get("namespace", "")
    modern = bool(one.get("eventTime"))
    if (about or "default") != space and not (modern and about):
        raise invalid(
            "Event", name, "involvedObject.namespace", f'Invalid value: "{about}": does not match event.namespace'
        )
    for place in ("reportingComponent", "reportingInstance", "action", "reason") if modern else ():
        if not one.get(place):
            raise invalid("Event", name, place, "Required value")
    for place, limit in (("message", 1024), ("reason", 128), ("action", 128), ("reportingInstance", 128)):
        if modern and len(one.get(place) or "") > limit:
            raise invalid("Event", name, place, f'Invalid value: "": can have at most {limit} characters')


def update(resource: Resource, old: Object, new: Object) -> None:
    """Raises Refusal where the object may not become this one; gives it what an update does not change."""
    was, becomes, name = old["metadata"], new["metadata"], old["metadata"]["name"]
    version = becomes.get("resourceVersion") or ""
    if not version and not resource.unconditional:
        message = "Invalid value: 0x0: must be specified for an update"
        raise invalid(str(resource), name, "metadata.resourceVersion", message)
    if version and version != was["resourceVersion"]:
        raise conflict(resource, name, "the object has been modified; please apply your changes to the latest version")
    if becomes.get("namespace", was.get("namespace")) != was.get("namespace"):
        raise Refusal(400, "the namespace of the provided object does not match the namespace sent on the request")
    if (named := becomes.get("name") or name) != name:
        raise Refusal(400, f"the name of the object ({named}) does not match the name on the URL ({name})")
    if (uid := becomes.get("uid") or was["uid"]) != was["uid"]:  # an empty uid is none
        raise invalid(resource.kind, name, "metadata.uid", f'Invalid value: "{uid}": {_IMMUTABLE}')
    for place in ("namespace", "name", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp"):
        becomes.pop(place, None)
        becomes |= {place: was[place]} if place in was else {}
    metadata(resource, new)
    if not resource.custom:  # status is a subresource of its own; Workflows have none
        new.pop("status", None)
        new |= {"status": old["status"]} if "status" in old else {}
    if resource is PODS and _frozen(old.get("spec") or {}) != _frozen(new.get("spec") or {}):
        allowed = "image, activeDeadlineSeconds, tolerations, terminationGracePeriodSeconds"
        raise invalid("Pod", name, "spec", f"Forbidden: pod updates may not change fields other than {allowed}")


def conflict(resource: Resource, name: str, why: str) -> Refusal:
    """409, in the real server's words."""
    details = {"name": name, "kind": resource.plural} | ({"group": resource.group} if resource.group else {})
    return Refusal(409, f'Operation cannot be fulfilled on {resource} "{name}": {why}', **details)


def _frozen(spec: Mapping[str, object]) -> object:
    def without(value: object, *keys: str) -> object:
        return {key: kept for key, kept in value.items() if key not in keys} if isinstance(value, Mapping) else value

    made = {key: value for key, value in spec.items() if key not in _POD_MAY_CHANGE}
    for place in ("containers", "initContainers"):
        listed = made.get(place)
        if isinstance(listed, list):
            made[place] = [without(one, "image") for one in listed]
    return made
