"""kre rollback."""

from __future__ import annotations

from typing import Annotated

import typer

from kre.cli.branching import Dry, Environment, Push, author, finish, line_of, pull_request, time_of
from kre.cli.options import Format, Formatted, Root, root_of


def command(
    environment: Environment,
    component: Annotated[str, typer.Argument(metavar="COMPONENT", help="What goes back.", show_default=False)],
    to: Annotated[
        str, typer.Option("--to", metavar="REV", help="As it was at this commit of the default branch.")
    ] = "",
    alone: Annotated[
        bool, typer.Option("--alone", help="Only this component, not those that are promoted together with it.")
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why: it stands in the hold.")
    ] = "rolled back",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="When the hold ends by itself. Default: never.")
    ] = "",
    accept: Annotated[
        str,
        typer.Option("--accept-risks", metavar="REASON", help="Take the risks that policy names; the lock says so."),
    ] = "",
    push: Push = "",
    dry_run: Dry = False,
    root: Root = None,
    output: Formatted = Format.TEXT,
) -> None:
    """Bring back what an environment ran before, to the byte, and hold it there.

    A commit on branch rollback/ENV/COMPONENT; your index, work tree and branch stay as they are. Soak, freeze and
    approvals are skipped; validation and policy are not.

    \b
    Examples:
      kre rollback prod falco --reason "loses alerts" --push origin
      kre rollback prod pipeline --to 3f7e1c2 --alone --dry-run
    """
    from datetime import UTC, datetime

    from kre.model.promotion import Hold
    from kre.promote import present, rollback
    from kre.promote.check import accepted, check
    from kre.promote.view import View

    view = View(root_of(root))
    try:
        step = present.target(view, environment)
        hold = Hold(author(view), line_of("--reason", reason), time_of(until))
        restored = rollback.restore(view, step, component, hold, datetime.now(UTC), to=to, alone=alone)
        change = rollback.change(view, step, component, restored, hold, push)
        checked = check(view, step, change)
        if accept and checked.risks:
            restored = rollback.accepting(restored, accepted(checked, line_of("--accept-risks", accept)))
            change = rollback.change(view, step, component, restored, hold, push)
            checked = check(view, step, change)
        unit = view.policy.unit_of(component)
        facts = {
            "environment": environment,
            "components": {item.component: {"to": item.commit, "digest": item.after.digest} for item in restored},
        }
        steps = [*pull_request(change.branch, push), f"when the way on is clear: kre unhold {environment} {unit}"]
        finish(view, change, facts, output=output, dry_run=dry_run, push=push, steps=steps, checked=checked)
    finally:
        view.close()
