"""X01, X02, X07: names that one object takes from another. A wrong one breaks the engine in silence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase

from kre.load import embedded
from kre.load.provenance import place
from kre.model.bundle import Bundle
from kre.model.finding import Related
from kre.model.resource import Body, Pointer, Resource, dig, each, walk
from kre.rules.registry import Hit, hit, rule

# EventSourceSpec of argo-events v1.9: what is no map of events.
_NO_EVENTS = frozenset(("eventBusName", "replicas", "service", "template"))


def named(resources: Iterable[Resource], kind: str, namespace: str | None, name: str) -> Resource | None:
    """The object of this kind and name; `namespace` None for a kind without.

    A manifest that names no namespace may be applied to any ("" matches all).
    """
    for resource in resources:
        same = namespace is None or resource.namespace in ("", namespace) or not namespace
        if resource.kind == kind and resource.name == name and same:
            return resource
    return None


def suggest(name: str, known: Iterable[str]) -> str:
    """ "did you mean x?" where something near is known, else what is known at all."""
    names = sorted({entry for entry in known if entry})
    near = get_close_matches(name, names, 1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there is: {', '.join(names[:8])}" if names else ""


def missing(
    bundle: Bundle, world: Iterable[Resource], by: Resource, at: Pointer, wanted: tuple[str, str | None, str]
) -> Iterator[Hit]:
    """A Hit where the object `wanted` (kind, namespace, name) is not in the world.

    Outside of environments kinds of which the folder has none at all are taken to be in the cluster.
    """
    kind, namespace, name = wanted
    same = [resource for resource in world if resource.kind == kind]
    if named(same, kind, namespace, name) or (not bundle.environments and not same):
        return
    elsewhere = named(same, kind, None, name)
    where = f"in namespace {namespace}" if namespace else "at all"
    hint = f"it is in namespace {elsewhere.namespace}" if elsewhere else suggest(name, (item.name for item in same))
    related = (Related(place(bundle, elsewhere), "this one is in another namespace"),) if elsewhere else ()
    yield hit(bundle, by, at, f"{by} names {kind} {name}, which is not there {where}", hint, related)


@rule("X01", "a Sensor's events are events of an EventSource in its namespace", "world")
def events(bundle: Bundle) -> Iterator[Hit]:
    for _, world in bundle.worlds:
        for sensor in world:
            listed = each(sensor.body, "spec", "dependencies") if sensor.kind == "Sensor" else []
            for index, dependency in enumerate(listed):
                at: Pointer = ("spec", "dependencies", index)
                name, event = dig(dependency, "eventSourceName"), dig(dependency, "eventName")
                if not isinstance(name, str) or not isinstance(event, str):
                    continue  # the schema says so
                source = named(world, "EventSource", sensor.namespace, name)
                if source is None:
                    wanted = ("EventSource", sensor.namespace, name)
                    yield from missing(bundle, world, sensor, (*at, "eventSourceName"), wanted)
                elif not any(fnmatchcase(known, event) for known in event_names(source.body)):
                    related = (Related(place(bundle, source, ("spec",)), "the EventSource"),)
                    message = f"{sensor} waits for event {event} of EventSource {name}, which has no such event"
                    hint = suggest(event, event_names(source.body))
                    yield hit(bundle, sensor, (*at, "eventName"), message, hint, related)


def event_names(source: Body) -> list[str]:
    """The names of all events that an EventSource emits."""
    spec = dig(source, "spec")
    spec = spec if isinstance(spec, Mapping) else {}
    maps = [events for kind, events in spec.items() if kind not in _NO_EVENTS and isinstance(events, dict)]
    return [str(name) for events in maps for name in events]


@rule("X02", "the EventBus that is named, or `default`, is in the namespace", "world")
def bus(bundle: Bundle) -> Iterator[Hit]:
    for _, world in bundle.worlds:
        for resource in world:
            if resource.kind in ("Sensor", "EventSource"):
                name = str(dig(resource.body, "spec", "eventBusName") or "default")
                at = ("spec", "eventBusName")
                yield from missing(bundle, world, resource, at, ("EventBus", resource.namespace, name))


@rule(
    "X07",
    "every ServiceAccount that something runs as is in its namespace",
    "world",
    peers=("kube-linter non-existent-service-account", "kubescape C-0307", "kyverno check-serviceaccount"),
    aliases=("R037",),
)
def accounts(bundle: Bundle) -> Iterator[Hit]:
    for _, world in bundle.worlds:
        for resource in world:
            for at, name, namespace in _accounts(resource):
                if name != "default" and "{{" not in name:
                    yield from missing(bundle, world, resource, at, ("ServiceAccount", namespace, name))


def _accounts(resource: Resource) -> Iterator[tuple[Pointer, str, str]]:
    """(pointer, name, namespace) of every serviceAccountName in an object, and in those that its triggers hold."""
    inner = list(embedded.objects(resource))
    for pointer, value in walk(resource.body):
        if pointer[:1] == ("spec",) and pointer[-1] == "serviceAccountName" and isinstance(value, str) and value:
            spaces = [embedded.namespace(item, resource) for item in inner if pointer[: len(item.at)] == item.at]
            yield pointer, value, next(iter(spaces), resource.namespace)
    for item in inner:
        for pointer, value in walk(item.body) if item.text else ():
            if pointer[-1:] == ("serviceAccountName",) and isinstance(value, str) and value:
                yield item.at, value, embedded.namespace(item, resource)
