"""Random faults in JSON values, the same for the same seed."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

from kre.model.resource import walk

VALUES: list[Any] = ["text", "", 7, -1, 1.5, True, None, [], {}, ["a"], {"a": "b"}, [None], [[]], [{}], 2**40]


def changed(body: Any, random: Random, keep: tuple[str, ...] = ("apiVersion", "kind")) -> Any:
    """A copy with one value, at a random place, replaced, renamed or removed; not those in `keep`."""
    made = copy.deepcopy(body)
    pointers = [pointer for pointer, _ in walk(made) if pointer and pointer[0] not in keep]
    if not pointers:
        return made
    pointer = random.choice(pointers)
    here: Any = made
    for step in pointer[:-1]:
        here = here[step]
    way = random.choice(["replace", "rename", "remove"]) if isinstance(here, dict) else "replace"
    if way == "replace":
        here[pointer[-1]] = random.choice(VALUES)
    else:
        value = here.pop(pointer[-1])
        if way == "rename":
            here[f"{pointer[-1]}x"] = value
    return made
