"""Since when a component stands where it stands: what nobody can make older than it is.

It counts from the first commit of the default branch's first-parent chain since which the folder's content has stood
there without interruption: the merge that brought it, not the commit that somebody wrote in a branch weeks before.
Its time is the latest committer's date of that commit and everything before it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from kre.doors.git.history import History


@dataclass(frozen=True, slots=True)
class Standing:
    """The commit of the default branch since which a folder's content has stood there, and its time."""

    commit: str
    since: datetime


def standing(history: History, folders: Collection[str]) -> Mapping[str, Standing]:
    """For each folder, present or absent, since when it is as it is. One of which the clone does not know is left out.

    A shallow clone knows of none: the latest date among all that came before is part of the answer.
    """
    if history.cut:
        return {}
    found, first = (
        history.since(folders),
        history.first_parents[-1],
    )  # what was never there was not there from the first
    commits = {folder: found.get(folder, first) for folder in folders}
    return {folder: Standing(commit, history.latest(commit)) for folder, commit in commits.items()}


def words(span: timedelta) -> str:
    """A span of time in words: 3d 4h, 2h 5m, 59m, 5s."""
    seconds = int(span.total_seconds())
    if seconds < 0:
        return f"-{words(-span)}"
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    first = next((index for index, (number, _) in enumerate(parts) if number), len(parts) - 1)
    return " ".join(f"{number}{unit}" for number, unit in parts[first : first + 2] if number) or "0s"
