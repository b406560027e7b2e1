"""Faults in rendered objects: every one of a few kinds at every place, and deeper ones at random places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from kre.model.resource import Pointer, Resource, dig, walk
from safety.promise import VALUES

GONE = object()
# What may be grafted anywhere, in a mapping that has room for it: things that a pod, a policy, a Sensor must not have.
GRAFTS: list[tuple[str, Any]] = [
    ("hostNetwork", True),
    ("hostPID", True),
    ("privileged", True),
    ("script", "return true"),
    ("transform", {"jq": "."}),
    ("duration", "10"),
    ("podSpecPatch", "{}"),
    ("dataTemplate", "{{ .Input }}"),
    ("resourceNames", ["*"]),
    ("nonResourceURLs", ["*"]),
    ("matchPolicy", "Exact"),
    ("namespaceSelector", {}),
    ("optional", True),
    ("mode", "enforce"),
    ("suspend", {}),
    ("retryStrategy", {"limit": 5}),
    ("comparator", "!="),
    ("serviceAccountName", "default"),
    ("exprs", [{"expr": "true"}]),
    ("nodePort", 30000),
    ("externalIPs", ["10.0.0.1"]),
    ("replicas", 0),
    ("paused", True),
    ("aggregationRule", {"clusterRoleSelectors": [{}]}),
    ("finalizers", ["x/y"]),
    ("ownerReferences", [{"kind": "x"}]),
]
WIDER = {
    "verbs": ["*", "delete", "escalate"],
    "resources": ["*", "secrets", "pods/exec"],
    "apiGroups": ["*"],
    "from": [{"namespaceSelector": {}}],
    "to": [{"namespaceSelector": {}}],
    "ingress": [{}],
    "egress": [{}],
    "validationActions": ["Warn"],
    "subjects": [{"kind": "Group", "name": "system:authenticated", "apiGroup": "rbac.authorization.k8s.io"}],
    "destinations": [{"server": "*", "namespace": "*"}],
    "sourceRepos": ["*"],
    "value": [".*"],
    "allow": [503],
    "volumes": [{"name": "node", "hostPath": {"path": "/"}}],
    "env": [{"name": "KRE_API", "value": "http://x"}],
    "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    "namespaceResourceWhitelist": [{"group": "*", "kind": "*"}],
}


@dataclass(frozen=True)
class Mutant:
    """An object with a fault, and what the fault is. `made` is None where the object is gone."""

    old: Resource
    made: Resource | None
    at: Pointer
    what: str

    def __str__(self) -> str:
        path = "".join(f"/{str(step).replace('/', '~1')}" for step in self.at)
        where = f"{self.old.namespace}/" if self.old.namespace else ""
        return f"{self.old.kind} {where}{self.old.name} {path}: {self.what}"


def every(item: Resource) -> Iterator[Mutant]:
    """Each field and list item taken away, each scalar changed, each pattern loosened, each list widened."""
    yield Mutant(item, None, (), "the object is gone")
    for pointer, value in walk(item.body):
        if item.kind == VALUES and pointer[:1] != ("values",):
            continue  # the rest is no part of a chart's values
        if pointer:
            yield _made(item, pointer, GONE, "removed")
        for changed in _instead(value):
            yield _made(item, pointer, changed, f"{_short(value)} -> {_short(changed)}")
        for added in WIDER.get(str(pointer[-1]), []) if pointer and isinstance(value, list) else ():
            if added in value:
                continue
            yield _made(item, pointer, [*value, added], f"{_short(added)} added")
        if isinstance(value, list):
            yield from (_swapped(item, pointer, value, one, one + 1) for one in range(len(value) - 1))


def _instead(value: object) -> Iterator[object]:
    """What could stand in a value's place."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (changed for changed in (value + 1, value - 1, 0) if changed != value)
    elif isinstance(value, str):
        yield f"{value}-other" if value else "other"
        yield from loosened(value)
    elif isinstance(value, dict):
        yield {**value, "more": "x"}


def loosened(text: str) -> Iterator[str]:
    """A pattern that matches more, where the text is one."""
    if not ("^" in text or text.endswith("$")):
        return
    yield from {text.replace("^", "", 1), text.removesuffix("$"), f"{text}|.*", ".*", ""} - {text}
    if "\\." in text:
        yield text.replace("\\.", ".", 1)
    if text.endswith(")$"):
        yield f"{text[:-2]}|other)$"
        yield re.sub(r"[A-Za-z](?=[^|]*\)\$$)", ".", text, count=1)


def deep(items: list[Resource], random: Random, count: int) -> Iterator[Mutant]:
    """Random faults of more than one place: a graft, a part of another object of the kind, two entries exchanged, two
    faults at once."""
    kinds: dict[str, list[Resource]] = {}
    for item in items:
        kinds.setdefault(item.kind, []).append(item)
    made = 0
    while made < count:
        item = random.choice(kinds[random.choice(sorted(kinds))])
        found = random.choice((_graft, _transplant, _exchange, _emptied))(item, kinds[item.kind], random)
        if found is not None and found.made is not None and found.made.body != item.body:
            made += 1
            yield found


def _places(item: Resource) -> Iterator[tuple[Pointer, Any]]:
    return (found for found in walk(item.body) if item.kind != VALUES or found[0][:1] == ("values",))


def _graft(item: Resource, _: list[Resource], random: Random) -> Mutant | None:
    pointer, value = random.choice([(at, one) for at, one in _places(item) if isinstance(one, dict)])
    key, added = random.choice(GRAFTS)
    assert isinstance(value, dict)
    return None if key in value else _made(item, pointer, {**value, key: added}, f"{key}: {_short(added)} grafted")


def _transplant(item: Resource, others: list[Resource], random: Random) -> Mutant | None:
    """A part as another object of the kind has it at the same place."""
    other = random.choice(others)
    pointer, value = random.choice(list(_places(item)))
    there = dig(other.body, *pointer)
    if not pointer or there is None or there == value:
        return None
    return _made(item, pointer, there, f"{_short(there)} as of {other.name}")


def _exchange(item: Resource, _: list[Resource], random: Random) -> Mutant | None:
    """Two entries of a list change places."""
    lists = [(at, one) for at, one in _places(item) if isinstance(one, list) and len(one) > 1]
    if not lists:
        return None
    pointer, value = random.choice(lists)
    assert isinstance(value, list)
    one, other = random.sample(range(len(value)), 2)
    return _swapped(item, pointer, value, min(one, other), max(one, other))


def _swapped(item: Resource, pointer: Pointer, value: list[Any], one: int, other: int) -> Mutant:
    changed = list(value)
    changed[one], changed[other] = changed[other], changed[one]
    return _made(item, pointer, changed, f"entries {one} and {other} exchanged")


def _emptied(item: Resource, _: list[Resource], random: Random) -> Mutant | None:
    """Two parts taken away at once."""
    pointers = [at for at, _ in _places(item) if len(at) > 1]
    if len(pointers) < 2:
        return None
    first, second = sorted(random.sample(pointers, 2), reverse=True, key=lambda at: [str(step).zfill(4) for step in at])
    if first[: len(second)] == second:
        return None
    changed = _made(item, first, GONE, "removed")
    assert changed.made is not None
    twice = _made(changed.made, second, GONE, f"removed, and /{'/'.join(map(str, first))}")
    return replace(twice, old=item)


def replaced(item: Resource, pointer: Pointer, value: object) -> Resource:
    """A copy of an object with another value at a place, or with GONE without what is there."""
    return replace(item, body=_put(item.body, pointer, value))


def _made(item: Resource, pointer: Pointer, value: object, what: str) -> Mutant:
    body = _put(item.body, pointer, value)
    metadata = body.get("metadata")
    space = metadata.get("namespace", "") if isinstance(metadata, dict) else ""
    moved = item.metadata.get("namespace") and space != item.namespace
    return Mutant(item, replace(item, body=body, namespace=str(space) if moved else item.namespace), pointer, what)


def _put(value: Any, pointer: Pointer, new: object) -> Any:
    """A copy with `new` at a place; only what is on the way there is copied."""
    if not pointer:
        return new
    step, rest = pointer[0], pointer[1:]
    copied = dict(value) if not isinstance(value, list) else list(value)
    if rest:
        copied[step] = _put(value[step], rest, new)
    elif new is GONE:
        del copied[step]
    else:
        copied[step] = new
    return copied


def _short(value: object) -> str:
    text = re.sub(r"\s+", " ", str(value))
    return repr(value) if len(text) < 60 and isinstance(value, str) else text[:60]
