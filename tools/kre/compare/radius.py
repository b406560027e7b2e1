"""How far a change reaches: the environments that render something else."""

from __future__ import annotations

from kre.compare.objects import deltas, side
from kre.model.bundle import Bundle
from kre.model.comparison import Delta


def radius(before: Bundle, after: Bundle) -> dict[str, tuple[Delta, ...]]:
    """The environments that both have and that differ, in their order, each with the objects that do."""
    known = {environment.name for environment in before.environments}
    names = [environment.name for environment in after.environments if environment.name in known]
    found = {name: deltas(side(before, name), side(after, name)) for name in names}
    return {name: differing for name, differing in found.items() if differing}
