"""One environment at two revisions, and what the modules that look for risks are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from kre.compare.differences import Difference, differences
from kre.compare.masking import shown
from kre.compare.objects import Side
from kre.model.bundle import Environment
from kre.model.comparison import Change, Delta, Kind
from kre.model.resource import Pointer, dig


@dataclass(frozen=True)
class Pair:
    """An environment before and after, with every object that differs."""

    before: Side
    after: Side
    deltas: tuple[Delta, ...]

    @property
    def environment(self) -> Environment:
        """As it is now, or as it was where it is gone."""
        found = self.after.environment or self.before.environment
        if found is None:
            raise ValueError("neither side has the environment")
        return found

    @property
    def promoted(self) -> bool:
        """Whether it runs what was promoted: on either side, so that no change takes it out of the rules by itself."""
        return any(one.environment is not None and one.environment.source is not None for one in self.sides)

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.before, self.after

    def of(self, *kinds: str) -> Iterator[Delta]:
        """The objects of these kinds that differ."""
        return (delta for delta in self.deltas if delta.key.kind in kinds)

    def released(self, delta: Delta) -> bool:
        """Whether the object comes out of the release (base/, where the environment runs that), not out of a file of
        the environment's own."""
        folder = self.environment.folder
        allowed = (f"{folder}/release/",) if self.promoted else (f"{folder}/release/", "base/")
        return delta.after is not None and delta.after.origin.startswith(allowed)


Detector: TypeAlias = Callable[[Pair], Iterable[Change]]


def change(kind: Kind, delta: Delta, what: str, at: Difference | None = None, pointer: Pointer = ()) -> Change:
    """A Change of an object: of one place in it, or of the object as such."""
    resource = delta.after if delta.after is not None else delta.before
    before, after = (at.before, at.after) if at else (delta.old, delta.new)
    where = f"{delta.key.folder}: {delta.key}"
    return Change(kind, where, what, before, after, resource, at.pointer if at else pointer, delta.after is None)


def within(delta: Delta, *steps: str) -> Iterator[Difference]:
    """The differences inside of one field of an object."""
    return differences(dig(delta.old, *steps), dig(delta.new, *steps), ".".join(steps), steps)


def turned(at: Difference) -> str:
    """A difference in words, with values as they may be shown."""
    variable = re.search(r"\[([^\]]+)\]\.value$", at.path)
    name = variable[1] if variable else at.path.rpartition(".")[2]
    if re.search(r"(args|command)\[\d+\]$", at.path):  # whether a word is a secret, the one before it says
        return f"{at.path} is another, or comes or goes"
    if at.before is None:
        return f"{at.path} is set to {shown(at.after, name)}"
    if at.after is None:
        return f"{at.path} is taken away (was {shown(at.before, name)})"
    return f"{at.path} goes from {shown(at.before, name)} to {shown(at.after, name)}"


def mapping(value: object) -> Mapping[str, Any]:
    """`value` if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}
