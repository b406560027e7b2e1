"""Objects inside of objects: what a Sensor's trigger would make. Upstream's schema takes them as free JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


def objects(resource: Resource) -> Iterator[tuple[Pointer, Any, bool]]:
    """Every object that the triggers of a Sensor hold, as (pointer, object, whole).

    Of text (`inline`) the object is what it parses to, None where it does not parse. One that is not `whole` only
    names or changes what is already there (every operation but create and submit), so fields may be missing.
    """
    if resource.kind != "Sensor":
        return
    for at, trigger in triggers(resource.body):
        for kind in TRIGGERS:
            source = dig(trigger, "template", kind, "source")
            whole = dig(trigger, "template", kind, "operation") in (None, "", "create", "submit")
            inside = (*at, "template", kind, "source")
            if isinstance(source, Mapping) and "resource" in source:
                yield (*inside, "resource"), source["resource"], whole
            if isinstance(source, Mapping) and isinstance(source.get("inline"), str):
                yield (*inside, "inline"), _parsed(source["inline"]), whole


def _parsed(text: str) -> Any:  # noqa: ANN401 - YAML
    try:
        return yaml.load(text, Loader)
    except (yaml.YAMLError, ValueError):
        return None
