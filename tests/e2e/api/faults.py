"""Objects with one fault each: at every place of an object that dev renders, every fault that its schema knows of."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from e2e.kubectl import Object
from kre.load.bundle import load
from kre.model.resource import Pointer, walk
from kre.schema import jsonschema_engine, names, store
from kre.schema.violation import locate
from support.repository import FIXTURES

UNKNOWN, MISSING, TYPE = "unknown field", "missing field", "wrong type"
EMPTY, VALUE, PLANTED = "empty value", "wrong value", "planted"
NEW = "kreUnknown"
# They say which object it is, and so where a request about it goes: without them there is none.
ADDRESS: tuple[Pointer, ...] = (("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"))
PLACE: Pointer = ("metadata", "namespace")


@dataclass(frozen=True)
class Fault:
    """`at` is the place, with * for whatever index or name of one's own; `body` is the object that has it."""

    sort: str
    at: str
    body: Object

    @property
    def kind(self) -> str:
        return str(self.body["kind"])

    def __str__(self) -> str:
        return f"{self.kind}: {self.sort}: {self.at}"

    def refused(self) -> bool:
        """By our schemas."""
        return refused(self.body)


def refused(body: Object) -> bool:
    """Whether the schema engine, or its rules of names, has anything against an object. It knows each kind that is."""
    if store.schema_of(body["apiVersion"], body["kind"]) is None:
        return True
    found = jsonschema_engine.check(body, body["apiVersion"], body["kind"])
    return bool(found or list(names.check(body, whole=True)))


def derived(bodies: Iterable[Object]) -> Iterator[Fault]:
    """Of all these objects, each fault at each place once."""
    known = set[tuple[str, str, str]]()
    for body in bodies:
        for fault in _of(body):
            key = (fault.kind, fault.sort, fault.at)
            if key not in known:
                known.add(key)
                yield fault


def planted() -> Iterator[Fault]:
    """Every object of tests/fixtures/faults that the schema engine refuses; `at` is its folder."""
    groups = {version.partition("/")[0] for version, _ in store.kinds()}
    for folder in sorted(path for path in (FIXTURES / "faults").iterdir() if path.is_dir()):
        for item in load(folder).resources:
            version, kind = item.body.get("apiVersion"), item.body.get("kind")
            if not isinstance(version, str) or not isinstance(kind, str):
                continue  # nobody can send it anywhere
            ours = version.partition("/")[0] in groups  # of another's groups a server may know kinds that we don't
            if ours and refused(dict(item.body)):
                yield Fault(PLANTED, folder.name, dict(item.body))


def _of(body: Object) -> Iterator[Fault]:
    schema = store.schema_of(body["apiVersion"], body["kind"])
    assert schema is not None, body["kind"]
    for pointer, value in walk(body):
        at = general(schema, pointer)
        if isinstance(value, dict) and locate(schema, pointer).get("additionalProperties") is False:
            yield Fault(UNKNOWN, f"{at}.{NEW}".lstrip("."), _with(body, (*pointer, NEW), "x"))
        if not pointer or pointer in ADDRESS[:2]:
            continue
        yield Fault(TYPE, at, _with(body, pointer, _other(value)))
        if pointer in ADDRESS:
            continue
        if isinstance(pointer[-1], str):
            yield Fault(MISSING, at, _without(body, pointer))
        if pointer != PLACE:
            yield from _values(body, pointer, value, at)


def _values(body: Object, pointer: Pointer, value: object, at: str) -> Iterator[Fault]:
    if isinstance(value, str | list | dict):
        yield Fault(EMPTY, at, _with(body, pointer, type(value)()))
    if isinstance(value, str):
        yield Fault(VALUE, at, _with(body, pointer, "kre: none"))
    elif isinstance(value, int) and not isinstance(value, bool):
        yield Fault(VALUE, at, _with(body, pointer, -1))


def general(schema: Any, pointer: Pointer) -> str:
    """The place as text: names that the schema knows as they are, * for the rest."""
    steps = []
    for index, step in enumerate(pointer):
        known = isinstance(step, str) and step in locate(schema, pointer[:index]).get("properties", {})
        steps.append(str(step) if known else "*")
    return ".".join(steps)


def _other(value: object) -> Any:
    """A value of another type than this one, and of none that stands for it."""
    if isinstance(value, str):
        return {"kre": "x"}
    return "kre: none" if isinstance(value, bool | int | float | dict | list) else 7


def _holder(body: Object, pointer: Pointer) -> tuple[Object, Any]:
    made = copy.deepcopy(body)
    here: Any = made
    for step in pointer[:-1]:
        here = here[step]
    return made, here


def _with(body: Object, pointer: Pointer, value: object) -> Object:
    made, here = _holder(body, pointer)
    here[pointer[-1]] = value
    return made


def _without(body: Object, pointer: Pointer) -> Object:
    made, here = _holder(body, pointer)
    del here[pointer[-1]]
    return made
