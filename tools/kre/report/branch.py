"""What a command wrote on a branch, or would write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kre.doors.git.objects import Objects
from kre.doors.git.write import Change
from kre.edit.draft import FileEdit
from kre.model.promotion import Entry
from kre.promote.writing import Outcome
from kre.report import edit
from kre.report.printable import printable


def edits(objects: Objects, change: Change) -> list[FileEdit]:
    """The files of a change, with their bytes before and after; sorted."""
    found = []
    for path in sorted(change.files):
        item = change.files[path]
        after = (change.new.get(item.blob) or objects.blob(item.blob)) if isinstance(item, Entry) else item
        found.append(FileEdit(path, objects.file(change.parent, path), after))
    return found


def as_text(change: Change, files: Sequence[FileEdit], outcome: Outcome | None) -> str:
    """The branch and its commit, and each file; before anything is written, the difference."""
    if outcome is None:
        return f"would write {printable(change.branch)}\n{edit.as_diff(files)}"
    return f"{as_line(outcome)}{edit.as_text(files)}"


def as_line(outcome: Outcome) -> str:
    """The branch, its commit, and what the remote has of it."""
    done = outcome.written
    what = f"wrote {done.branch} at {done.commit[:12]}" if done.changed else f"{done.branch} is there already"
    pushed = {"pushed": ", and pushed it", "there": ", as on the remote", "": ""}[outcome.remote]
    return f"{printable(what)}{pushed}\n"


def as_json(change: Change, files: Sequence[FileEdit], outcome: Outcome | None) -> dict[str, Any]:
    """Branch, commit (null before it is written), message, and the files; before it is written their difference."""
    return {
        "branch": change.branch,
        "commit": outcome.written.commit if outcome else None,
        "written": bool(outcome and outcome.written.changed),
        "pushed": bool(outcome and outcome.remote == "pushed"),
        "base": change.parent,
        "message": change.message,
        **edit.as_json(files, diff=outcome is None),
    }
