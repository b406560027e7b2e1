"""How far a change reaches: the environments that render something else."""

from __future__ import annotations

from collections.abc import Iterable

from kre.compare.objects import deltas, side
from kre.model.bundle import Bundle
from kre.model.comparison import Delta


def radius(before: Bundle, after: Bundle) -> dict[str, tuple[Delta, ...]]:
    """The environments that both have and that differ, in their order, each with the objects that do."""
    known = {environment.name for environment in before.environments}
    names = [environment.name for environment in after.environments if environment.name in known]
    found = {name: deltas(side(before, name), side(after, name)) for name in names}
    return {name: differing for name, differing in found.items() if differing}


def reached(bundle: Bundle, paths: Iterable[str]) -> tuple[str, ...]:
    """The environments of which a kustomization reads one of these files, rendered or not: for the others they change
    nothing."""
    changed = set(paths)
    return tuple(each.name for each in bundle.environments if not changed.isdisjoint(_reads(bundle, each.name)))


def _reads(bundle: Bundle, name: str) -> set[str]:
    """Every file and folder that the kustomizations of an environment name, however far that leads."""
    tops = (f"apps/{name}/", f"overlays/{name}/")
    todo = [folder for folder in bundle.kustomizations if f"{folder}/".startswith(tops)]
    found = set(todo)
    while todo:
        known = bundle.kustomizations.get(todo.pop())
        targets = {target for _, target, _ in known.references} - found if known else set()
        found |= targets
        todo += targets
    return found
