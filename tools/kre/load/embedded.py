"""Objects inside of objects: what a Sensor's trigger would make. Upstream's schema takes them as free JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from kre.load.scalars import Loader
from kre.model.resource import Body, Pointer, Resource, dig

TRIGGERS = ("k8s", "argoWorkflow")


def triggers(sensor: Body) -> Iterator[tuple[Pointer, Body]]:
    """Every trigger of a Sensor with its pointer, dead-letter triggers included."""
    listed = dig(sensor, "spec", "triggers")
    for index, trigger in enumerate(listed if isinstance(listed, list) else []):
        yield from _with_dead_letters(("spec", "triggers", index), trigger)


def _with_dead_letters(at: Pointer, trigger: object) -> Iterator[tuple[Pointer, Body]]:
    if isinstance(trigger, Mapping):
        yield at, trigger
        yield from _with_dead_letters((*at, "dlqTrigger"), trigger.get("dlqTrigger"))


@dataclass(frozen=True, slots=True)
class Embedded:
    """An object inside of another: where it stands, and what it is.

    One that is not `whole` only names or changes what is already there (every operation but create and submit), so
    fields may be missing. One from `text` (`inline`) has no places of its own inside; where it does not parse, `body`
    is None and `problem` says why.
    """

    at: Pointer
    body: Any
    whole: bool = True
    text: bool = False
    problem: str = ""


def objects(resource: Resource) -> Iterator[Embedded]:
    """Every object that the triggers of a Sensor hold."""
    if resource.kind != "Sensor":
        return
    for at, trigger in triggers(resource.body):
        for kind in TRIGGERS:
            source = dig(trigger, "template", kind, "source")
            whole = dig(trigger, "template", kind, "operation") in (None, "", "create", "submit")
            inside = (*at, "template", kind, "source")
            if isinstance(source, Mapping) and "resource" in source:
                yield Embedded((*inside, "resource"), source["resource"], whole)
            if isinstance(source, Mapping) and isinstance(source.get("inline"), str):
                yield _parsed((*inside, "inline"), source["inline"], whole)


def namespace(item: Embedded, holder: Resource) -> str:
    """Where the object is made: its own namespace, else its holder's."""
    return str(dig(item.body, "metadata", "namespace") or holder.namespace)


def _parsed(at: Pointer, text: str, whole: bool) -> Embedded:
    try:
        return Embedded(at, yaml.load(text, Loader), whole, text=True)
    except (yaml.YAMLError, ValueError) as error:
        return Embedded(at, None, whole, text=True, problem=str(error).splitlines()[0])
