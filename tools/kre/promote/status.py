"""Environments x components: what is where, since when, and what keeps it there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from kre.load.deviation import unexplained
from kre.model.policy import Step
from kre.model.promotion import Hold, Locked
from kre.promote.gates import Gates
from kre.promote.versions import versions
from kre.promote.view import View


@dataclass(frozen=True, slots=True)
class Cell:
    """A component in an environment, as the default branch has it.

    `version` are its charts, `commit` the one of the default branch at which base/ held it (of base/ itself: the one
    that brought it), `since` when it came here, None where the clone's history does not say. `soaked` and `soak` are
    the time that its unit has stood here and the time that the next environment asks for, None where none does.
    `locked` is False where no lock names the component, `drift` are files that differ from what the lock says, and
    `current` says whether it is what its source has now.
    """

    environment: str
    component: str
    version: str
    commit: str
    since: datetime | None
    soaked: timedelta | None
    soak: timedelta | None
    drift: tuple[str, ...]
    hold: Hold | None
    current: bool
    digest: str
    locked: bool


def status(view: View, gates: Gates) -> tuple[Cell, ...]:
    """Every component of every environment, in the order of promotion. Raises UsageError as View does."""
    return tuple(cell for step in view.policy.steps for cell in _of(view, gates, step))


def _of(view: View, gates: Gates, step: Step) -> Iterator[Cell]:
    lock = view.lock(step) if step.source else None
    for name in sorted({*view.components(step), *(lock.components if lock else ())}):
        entries, locked = view.entries(step, name), lock.components.get(name) if lock else None
        digest, found = view.digest(entries), view.standing.get(f"{step.release}/{name}")
        following = next((other for other in view.policy.steps if other.source == step.name), None)
        youngest = _youngest(view, step, name)
        source = view.step(step.source) if step.source else step
        yield Cell(
            step.name,
            name,
            str((locked.versions if locked else versions(entries, view.objects.blob)).get("chart", "")),
            locked.origin if locked else found.commit if found else "",
            found.since if found else None,
            gates.now - youngest if youngest and following else None,
            following.gates.soak if following else None,
            _drift(view, step, name, locked) if step.source else (),
            locked.hold if locked and gates.held(locked.hold) else None,
            digest == view.digest(view.entries(source, name)),
            digest,
            locked is not None or step.source is None,
        )


def _youngest(view: View, step: Step, name: str) -> datetime | None:
    """Since when the component's unit stands here."""
    there = set(view.components(step))
    found = [view.standing.get(f"{step.release}/{each}") for each in view.policy.members(name) if each in there]
    return max((each.since for each in found if each), default=None) if found and all(found) else None


def _drift(view: View, step: Step, name: str, locked: Locked | None) -> tuple[str, ...]:
    """The files that are not as the lock says, all of them where there is no way to tell; none without a lock."""
    held = {entry.path: entry for entry in view.entries(step, name)}
    if locked is None or view.digest(held.values()) == locked.digest:
        return ()
    if not view.objects.has(locked.source.commit):
        return tuple(sorted(held))
    source = {entry.path: entry for entry in view.objects.tree(locked.source.commit, locked.source.path)}
    return unexplained(held, source, locked.accepted)
