"""What the commands that write a branch have in common: their options, and how they end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kre.cli.options import Format, root_of
from kre.errors import Blocked, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from kre.doors.git.write import Change
    from kre.model.finding import Finding
    from kre.model.policy import Step
    from kre.promote.check import Checked
    from kre.promote.view import View

Environment = Annotated[str, typer.Argument(metavar="ENV", help="The environment.", show_default=False)]
Dry = Annotated[bool, typer.Option("--dry-run", help="Print the difference, and write nothing.")]
Push = Annotated[
    str, typer.Option("--push", metavar="REMOTE", help="Push the branch there, if nobody else changed it meanwhile.")
]
AcceptRisks = Annotated[
    str, typer.Option("--accept-risks", metavar="REASON", help="Take the risks that policy names; the lock says so.")
]
SHOWN = 20  # findings that a refusal lists


@contextlib.contextmanager
def opened(root: Path | None, environment: str) -> Iterator[tuple[View, Step]]:
    """The repository, and an environment of it that is promoted into, for as long as a command needs them."""
    from kre.promote.present import target
    from kre.promote.view import View

    with View(root_of(root)) as view:
        yield view, target(view, environment)


def finish(
    view: View,
    change: Change,
    facts: Mapping[str, Any],
    *,
    output: Format,
    dry_run: bool,
    push: str,
    then: Sequence[str] = (),
    checked: Checked | None = None,
) -> None:
    """Writes the branch, pushes it where that is asked for, and says what was done and what to do next: `then` after
    the pull request is merged.

    `facts` come first in the JSON. Raises Blocked where `checked` has errors, and as deliver.
    """
    from kre.promote.writing import deliver
    from kre.report import branch as report
    from kre.report.json import json

    for finding in checked.policy if checked else ():
        _warn(finding)
    refuse(checked)
    edits = report.edits(view.objects, change)
    steps = [] if dry_run else [*pull_request(change.branch, push), *then]
    outcome = None if dry_run else deliver(view.objects.folder, change, push)
    if output is Format.JSON:
        made = {"version": 1, **facts, "dryRun": dry_run, **report.as_json(change, edits, outcome)}
        typer.echo(json({**made, "next": steps}), nl=False)
        return
    typer.echo(report.as_text(change, edits, outcome), nl=False)
    for step in steps:
        typer.echo(f"next: {step}")


def refuse(checked: Checked | None) -> None:
    """Raises Blocked that lists what validation and policy have against a change."""
    from kre.report.text import lines_of

    errors = checked.errors if checked else ()
    if not errors:
        return
    for finding in errors[:SHOWN]:
        typer.echo("\n".join(lines_of(finding)), err=True)
    more = f" ({len(errors) - SHOWN} more are not shown)" if len(errors) > SHOWN else ""
    number = "1 error stands" if len(errors) == 1 else f"{len(errors)} errors stand"
    hint = "mend them on the default branch first"
    if checked and not any(each.severity == "error" for each in checked.validate):
        hint = "look at each; where all of it is meant, --accept-risks REASON says so in the lock"
    raise Blocked(f"nothing was written: {number} against it{more}", hint)


def _warn(finding: Finding) -> None:
    """A risk that is accepted, or that only a person can judge."""
    from kre.report.text import lines_of

    if finding.severity != "error":
        typer.echo("\n".join(lines_of(finding)), err=True)


def time_of(text: str) -> datetime | None:
    """The time that --until names, None for "". A date alone is its first moment in UTC. Raises UsageError."""
    from datetime import UTC, datetime

    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--until {text} is no time", "such as 2026-02-01 or 2026-02-01T18:00Z") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def line_of(option: str, text: str) -> str:
    """A reason, in one line. Raises UsageError where it is none."""
    if not text.strip() or not text.isprintable():
        raise UsageError(f"{option} must be one line of text")
    return text.strip()


def author(view: View) -> str:
    """The address of whoever runs this. Raises UsageError where Git does not know it."""
    found = view.objects.author()
    if not found:
        raise UsageError("Git does not know who you are", "git config user.email you@example.com")
    return found


def pull_request(branch: str, push: str) -> list[str]:
    """What is left to do with a branch."""
    if push:
        return [f"open a pull request for {branch}, and merge it"]
    return [f"git push origin {branch}; then open a pull request, and merge it"]
