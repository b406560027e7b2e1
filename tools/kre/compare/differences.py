"""Where two values differ, as deep as they are of the same form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kre.model.resource import Pointer


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where two values differ; None stands for nothing there.

    `path` names elements of lists by their `name` where all have one: `containers[web].image`. `pointer` leads there
    by index, in the newer value where it still has the place, else as far as it has.
    """

    path: str
    pointer: Pointer
    before: object
    after: object


def differences(before: object, after: object, path: str = "", pointer: Pointer = ()) -> Iterator[Difference]:
    """Every place where they differ, in the order of the keys."""
    if before == after and type(before) is type(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}, key=str):
            inner = f"{path}.{key}" if path else str(key)
            yield from differences(before.get(key), after.get(key), inner, (*pointer, str(key)))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path, pointer)
    else:
        yield Difference(path, pointer, before, after)


def _of_lists(before: list[object], after: list[object], path: str, pointer: Pointer) -> Iterator[Difference]:
    old, new = _named(before), _named(after)
    if old and new:
        for name in [*new, *(name for name in old if name not in new)]:
            index, now = new.get(name, (None, None))
            step = pointer if index is None else (*pointer, index)
            yield from differences(old.get(name, (None, None))[1], now, f"{path}[{name}]", step)
        if [name for name in old if name in new] != [name for name in new if name in old]:
            yield Difference(f"{path} (order)", pointer, list(old), list(new))
    elif len(before) == len(after):
        for index, (then, now) in enumerate(zip(before, after, strict=True)):
            yield from differences(then, now, f"{path}[{index}]", (*pointer, index))
    elif _in_order(before, after):
        for index, item in enumerate(after):
            if item not in before:
                yield Difference(f"{path}[{index}]", (*pointer, index), None, item)
        for index, item in enumerate(before):
            if item not in after:
                yield Difference(f"{path}[{index}]", pointer, item, None)
    else:
        yield Difference(path, pointer, before, after)


def _in_order(before: list[object], after: list[object]) -> bool:
    """Whether two lists differ by elements that come or go, and by nothing else."""
    return [item for item in before if item in after] == [item for item in after if item in before]


def _named(items: list[object]) -> dict[str, tuple[int, object]]:
    """Name -> (index, element) of a list whose elements all have a name of their own; empty for any other."""
    found: dict[str, tuple[int, object]] = {}
    for index, item in enumerate(items):
        name = item.get("name") if isinstance(item, Mapping) else None
        if not isinstance(name, str) or name in found:
            return {}
        found[name] = (index, item)
    return found
