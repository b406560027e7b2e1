"""From a change to its branch, and to a remote's: the end of every command that writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from kre.doors.git import push as pushing
from kre.doors.git.write import Change, Written, write
from kre.model.policy import Step
from kre.model.promotion import Entry, Lock, Locked
from kre.promote import lockfile, present
from kre.promote.view import View

File: TypeAlias = Entry | bytes | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was written, and what the remote has of it: "pushed", "there" already, or "" where none was named."""

    written: Written
    remote: str = ""


def deliver(folder: Path, change: Change, remote: str = "") -> Outcome:
    """Writes the commit on its branch, and pushes that where a remote is named. Raises as write and push."""
    seen = pushing.seen(folder, remote, change.branch) if remote else ""
    written = write(folder, change, seen)
    if not remote:
        return Outcome(written)
    pushed = pushing.push(folder, remote, change.branch, written.commit, seen)
    return Outcome(written, "pushed" if pushed else "there")


def settled_entries(
    new: Mapping[str, Locked | None], pending: Iterable[Mapping[str, Locked]]
) -> dict[str, Locked | None]:
    """Entries to be (None: gone), those that `pending` ones say already as they stand there."""
    made = dict(new)
    for known in pending:
        made |= {name: present.settled(entry, known.get(name)) for name, entry in made.items() if entry}
    return made


def entries_with(view: View, step: Step, new: Mapping[str, Locked | None]) -> dict[str, Locked]:
    """All entries of an environment as they will be."""
    merged = {**present.entries(view, step), **new}
    return {name: entry for name, entry in merged.items() if entry}


def lock_bytes(step: Step, entries: Mapping[str, Locked]) -> File:
    """The lock of an environment with these entries."""
    return lockfile.render(Lock(step.name, entries))


def release_files(step: Step, component: str, before: Iterable[Entry], after: Iterable[Entry]) -> dict[str, File]:
    """What has to change in an environment's release/ for a component to hold `after`."""
    old, new = ({entry.path: entry for entry in entries} for entries in (before, after))
    changed = [path for path in sorted({*old, *new}) if old.get(path) != new.get(path)]
    return {f"{step.release}/{component}/{path}": new.get(path) for path in changed}
