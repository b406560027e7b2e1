"""What all components of one hop share: where from, where to, both locks, what was asked for, and the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from kre.model.policy import Step
from kre.promote import options
from kre.promote.gates import Gates
from kre.promote.soak import Standing
from kre.promote.view import View


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for. `components` are names, none for all; `accept_drift` and `hotfix` are reasons, "" for not
    asked; `authors` the addresses of whoever makes the promotion."""

    components: tuple[str, ...] = ()
    merge: bool = False
    accept_drift: str = ""
    allow_delete: bool = False
    allow_downgrade: bool = False
    initial: bool = False
    hotfix: str = ""
    authors: frozenset[str] = frozenset()


@dataclass
class Way:
    """One hop."""

    view: View
    gates: Gates
    wanted: Wanted
    source: Step
    target: Step

    def __post_init__(self) -> None:
        self.source_lock = self.view.lock(self.source) if self.source.source else None
        self.target_lock = self.view.lock(self.target)
        self.initial = self.wanted.initial and self.target_lock is None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every component that one of the two has."""
        names = {*self.view.components(self.source, self.view.source), *self.view.components(self.target)}
        for lock in (self.source_lock, self.target_lock):
            names |= set(lock.components) if lock else set()
        return tuple(sorted(names))

    @cached_property
    def choices(self) -> Mapping[str, tuple[str, ...]]:
        """What the target names below its release."""
        return options.chosen(self.view, self.target)

    @cached_property
    def _dirty(self) -> tuple[str, ...]:
        return self.view.objects.dirty([self.source.release])

    def dirty(self, component: str) -> tuple[str, ...]:
        """Files of the source's component that are changed and not committed, relative to the component."""
        prefix = f"{self.source.release}/{component}/"
        return tuple(path.removeprefix(prefix) for path in self._dirty if path.startswith(prefix))

    def standing(self, component: str) -> dict[str, Standing | None]:
        """Since when each member of the component's unit stands in the source."""
        members = [name for name in self.view.policy.members(component) if name in self.names]
        return {name: self.view.standing.get(f"{self.source.release}/{name}") for name in members}
