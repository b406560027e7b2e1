"""Promises about what an environment renders: each a function that looks at objects and complains, with a reason.

A promise names the kinds that it looks at and is shown no others, so that a change of one object needs only those
promises to be asked again that can see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from kre.load import values
from kre.model.bundle import Bundle, Environment
from kre.model.resource import Resource
from support.promoted import load_promoted, promoted

FAMILIES = (
    "admission", "applications", "controllers", "detection", "dispatcher", "intake", "inventory", "network",
    "pipeline", "pods", "projects", "recorder", "rights", "sensors", "settings", "workflows",
)  # fmt: skip
VALUES = "Values"  # stands for a kind: the merged values of a chart


@dataclass(frozen=True)
class World:
    """The objects of one environment, and the values of its charts as if they were objects."""

    environment: Environment
    objects: tuple[Resource, ...]
    responses: tuple[str, ...] = ()  # those that are enabled; release-pod, which no alert starts, is not among them
    intake: bool = False  # whether that option is enabled

    def of(self, *kinds: str) -> list[Resource]:
        return [item for item in self.objects if item.kind in kinds]

    def one(self, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
        """The body of an object, {} where there is none."""
        found = [item.body for item in self.of(kind) if item.name == name and namespace in ("", item.namespace)]
        return dict(found[0]) if found else {}

    @property
    def workflows(self) -> tuple[str, ...]:
        return (*self.responses, "release-pod") if self.responses else ()

    @cached_property
    def kinds(self) -> dict[str, tuple[Resource, ...]]:
        found: dict[str, list[Resource]] = {}
        for item in self.objects:
            found.setdefault(item.kind, []).append(item)
        return {kind: tuple(items) for kind, items in found.items()}

    def shown(self, kinds: Iterable[str]) -> World:
        """Only these kinds of it."""
        objects = tuple(item for kind in kinds for item in self.kinds.get(kind, ()))
        return replace(self, objects=objects)

    def with_(self, old: Resource, new: Resource | None) -> World:
        """With another object in an object's place, or without it."""
        objects = (item if item is not old else new for item in self.objects)
        return replace(self, objects=tuple(item for item in objects if item is not None))


@dataclass(frozen=True)
class Complaint:
    promise: str
    about: str
    why: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.about}: {self.why}"


@dataclass(frozen=True)
class Promise:
    """A registered promise; `alone` means that it looks at each object by itself."""

    name: str
    kinds: tuple[str, ...]
    check: Callable[..., Iterable[str]] = field(repr=False)
    alone: bool

    def complaints(self, world: World) -> Iterator[Complaint]:
        seen = world.shown(self.kinds)
        if not self.alone:
            yield from self._said("the world", seen)
            return
        for item in seen.objects:
            yield from self._said(str(item), item, world)

    def about(self, world: World, old: Resource, new: Resource | None) -> Iterator[Complaint]:
        """What it says where `new` is in the place of `old`: as `complaints`, for one that keeps quiet otherwise."""
        if self.alone:
            if new is not None and new.kind in self.kinds:
                yield from self._said(str(new), new, world)
        elif old.kind in self.kinds or (new is not None and new.kind in self.kinds):
            yield from self.complaints(world.with_(old, new))

    def _said(self, about: str, *given: object) -> Iterator[Complaint]:
        try:
            for why in self.check(*given):
                yield Complaint(self.name, about, why)
        except (TypeError, LookupError, AttributeError, ValueError) as error:
            yield Complaint(self.name, about, f"is of no shape that it could have: {error!r}")


PROMISES: dict[str, Promise] = {}


def each(*kinds: str) -> Callable[[Callable[[Resource, World], Iterable[str]]], Callable[..., Iterable[str]]]:
    """Registers a promise about each object of these kinds, by itself. It may ask its World for facts only."""

    def register(check: Callable[..., Iterable[str]]) -> Callable[..., Iterable[str]]:
        PROMISES[check.__name__] = Promise(check.__name__, kinds, check, alone=True)
        return check

    return register


def together(*kinds: str) -> Callable[[Callable[[World], Iterable[str]]], Callable[..., Iterable[str]]]:
    """Registers a promise about all objects of these kinds at once."""

    def register(check: Callable[..., Iterable[str]]) -> Callable[..., Iterable[str]]:
        PROMISES[check.__name__] = Promise(check.__name__, kinds, check, alone=False)
        return check

    return register


def promises() -> dict[str, Promise]:
    """All of them, by name."""
    for family in FAMILIES:
        import_module(f"safety.promises.{family}")
    return PROMISES


def exactly(found: Any, wanted: Any, why: str, at: str = "") -> Iterator[str]:
    """Where `found` is not what it must be, down to the place; nothing may be missing, and nothing more be there."""
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        for key in sorted({*found, *wanted}, key=str):
            if key not in wanted:
                yield f"{at}/{key} should not be there: {why}"
            elif key not in found:
                yield f"{at}/{key} is missing: {why}"
            else:
                yield from exactly(found[key], wanted[key], why, f"{at}/{key}")
    elif isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        for index, (one, other) in enumerate(zip(found, wanted, strict=True)):
            yield from exactly(one, other, why, f"{at}/{index}")
    elif found != wanted or isinstance(found, bool) is not isinstance(wanted, bool):
        yield f"{at or '/'} is {str(found)[:120]!r}, not {str(wanted)[:120]!r}: {why}"


def without(body: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """A copy without these keys: what another promise looks at."""
    return {key: value for key, value in body.items() if key not in keys}


def bundle(*names: str) -> Bundle:
    """All environments, or these, as they are once all is promoted."""
    return load_promoted(*names)


def world(loaded: Bundle, name: str) -> World:
    """The World of an environment."""
    environment = loaded.environment(name)
    objects = tuple(loaded.of(name))
    charts = [
        Resource(
            {"kind": VALUES, "metadata": {"name": each.chart}, "values": _merged(each)}, item.origin, item.root, name
        )
        for item in objects
        for each in values.of_application(loaded, item)
    ]
    responses = tuple(sorted(item.name for item in objects if item.kind == "Sensor"))
    intake = any((item.kind, item.name) == ("Deployment", "intake") for item in objects)
    return World(environment, (*objects, *charts), responses, intake)


def _merged(chart: values.Values) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for source in chart.files:
        made = _over(made, source.documents[0].value if source.documents else {})
    return made


def _over(below: Any, above: Any) -> Any:
    """As Helm merges: mappings key by key, everything else as a whole."""
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        return {key: _over(below.get(key), above[key]) if key in above else below[key] for key in {**below, **above}}
    return above


def text(path: str | Path) -> str:
    return (promoted() / path).read_text(encoding="utf-8")
