"""Holds: nothing of a unit goes into an environment until somebody lifts it, or its time is over."""

from __future__ import annotations

from dataclasses import replace

from kre.doors.git.write import Change
from kre.errors import UsageError
from kre.model.policy import Step
from kre.model.promotion import Hold, Locked
from kre.promote import present
from kre.promote.lockfile import stamp
from kre.promote.view import View
from kre.promote.writing import entries_with, lock_bytes


def hold(view: View, step: Step, name: str, given: Hold) -> Change:
    """The commit that holds a unit (named by itself or one of its components) in an environment.

    Raises UsageError where nothing of it is there, or it is held so already.
    """
    unit, entries = _entries(view, step, name)
    if all(entry.hold == given for entry in entries.values()):
        raise UsageError(f"{unit} is held in {step.name} already, for this reason and until then")
    until = f" until {stamp(given.until)}" if given.until else ""
    message = f"chore({step.name}): hold {unit}{until}\n\n{given.reason}\n\nHeld-By: {given.by}"
    return _change(view, step, unit, {key: replace(entry, hold=given) for key, entry in entries.items()}, message)


def unhold(view: View, step: Step, name: str) -> Change:
    """The commit that lifts the hold. Raises UsageError where there is none."""
    unit, entries = _entries(view, step, name)
    held = {key: entry.hold for key, entry in entries.items() if entry.hold}
    if not held:
        raise UsageError(f"{unit} is not held in {step.name}", f"kre hold {step.name} {unit} holds it")
    reasons = sorted({f"It was held by {each.by}: {each.reason}" for each in held.values()})
    message = "\n".join([f"chore({step.name}): lift the hold on {unit}", "", *reasons])
    return _change(view, step, unit, {key: replace(entries[key], hold=None) for key in held}, message)


def _entries(view: View, step: Step, name: str) -> tuple[str, dict[str, Locked]]:
    """The unit that a name means, and the entries of its components."""
    unit = name if name in view.policy.units else view.policy.unit_of(name)
    members = view.policy.units.get(unit, (name,))
    known = present.entries(view, step)
    found = {member: known[member] for member in members if member in known}
    if not found:
        present.entry(view, step, name)  # says what there is
    return unit, found


def _change(view: View, step: Step, unit: str, entries: dict[str, Locked], message: str) -> Change:
    files = {step.lock: lock_bytes(step, entries_with(view, step, entries))}
    return Change(f"hold/{step.name}/{unit}", view.base, message, files)
