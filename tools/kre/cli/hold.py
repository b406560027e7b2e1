"""kre hold, kre unhold."""

from __future__ import annotations

from typing import Annotated

import typer

from kre.cli.branching import Dry, Environment, Push, author, finish, line_of, opened, time_of
from kre.cli.options import Format, Formatted, Root

Unit = Annotated[
    str, typer.Argument(metavar="UNIT", help="A unit of environments.yaml, or a component.", show_default=False)
]


def hold_command(
    environment: Environment,
    unit: Unit,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.", show_default=False)],
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="When it ends by itself. Default: when it is lifted.")
    ] = "",
    push: Push = "",
    dry_run: Dry = False,
    root: Root = None,
    output: Formatted = Format.TEXT,
) -> None:
    """Let no promotion of a unit into an environment, until it is lifted or its time is over.

    A commit on branch hold/ENV/UNIT; it counts from its merge on. --hotfix does not lift it.

    \b
    Examples:
      kre hold prod detection --reason "kernel upgrade" --until 2026-02-01 --push origin
      kre hold staging pipeline --reason "waits for ticket 12"
    """
    from kre.model.promotion import Hold
    from kre.promote import hold

    with opened(root, environment) as (view, step):
        given = Hold(author(view), line_of("--reason", reason), time_of(until))
        change = hold.hold(view, step, unit, given)
        facts = {"environment": environment, "unit": change.branch.rpartition("/")[2]}
        finish(view, change, facts, output=output, dry_run=dry_run, push=push)


def unhold_command(
    environment: Environment,
    unit: Unit,
    push: Push = "",
    dry_run: Dry = False,
    root: Root = None,
    output: Formatted = Format.TEXT,
) -> None:
    """Lift the hold on a unit, so that it is promoted again.

    \b
    Example:
      kre unhold prod detection --push origin
    """
    from kre.promote import hold

    with opened(root, environment) as (view, step):
        change = hold.unhold(view, step, unit)
        facts = {"environment": environment, "unit": change.branch.rpartition("/")[2]}
        finish(view, change, facts, output=output, dry_run=dry_run, push=push)
