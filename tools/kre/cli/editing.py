"""What the commands that edit files have in common: their options, and how they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kre.cli.options import Format

if TYPE_CHECKING:
    from kre.edit.draft import Draft

Dry = Annotated[bool, typer.Option("--dry-run", help="Print the difference, and write nothing.")]
Env = Annotated[str, typer.Option("--env", metavar="ENV", help="The environment.", show_default=False)]


def finish(
    draft: Draft,
    facts: Mapping[str, Any],
    *,
    output: Format,
    dry_run: bool,
    warnings: Sequence[str] = (),
    steps: Sequence[str] = (),
) -> None:
    """Writes the edit, all of it or nothing, and says what was done, what is doubtful, and what to do next.

    `facts` come first in the JSON. Raises UsageError where the files can't be written.
    """
    from kre.report import edit as report
    from kre.report.json import json
    from kre.report.printable import printable

    edits, changed = draft.files, draft.changes
    if not dry_run:
        draft.save()
    if output is Format.JSON:
        made = {"version": 1, **facts, "dryRun": dry_run, **report.as_json(edits, diff=dry_run)}
        typer.echo(json({**made, "warnings": list(warnings), "next": list(steps if changed else ())}), nl=False)
        return
    for warning in warnings:
        typer.echo(f"kre: warning: {printable(warning)}", err=True)
    typer.echo(report.as_diff(edits) if dry_run and changed else report.as_text(edits), nl=False)
    for step in steps if changed and not dry_run else ():
        typer.echo(f"next: {printable(step)}")
