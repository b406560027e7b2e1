"""kre rollback."""

from __future__ import annotations

from typing import Annotated

import typer

from kre.cli.branching import (
    AcceptRisks,
    Dry,
    Environment,
    Push,
    author,
    finish,
    line_of,
    opened,
    time_of,
)
from kre.cli.options import Format, Formatted, Root


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
    accept: AcceptRisks = "",
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
    from kre.promote import rollback
    from kre.promote.check import accepted, check

    with opened(root, environment) as (view, step):
        hold = Hold(author(view), line_of("--reason", reason), time_of(until))
        restored = rollback.restore(view, step, component, hold, datetime.now(UTC), to=to, alone=alone)
        change = rollback.change(view, step, component, restored, hold, push)
        checked = check(view, step, change)
        if accept and checked.risks:
            restored = rollback.accepting(restored, accepted(checked, line_of("--accept-risks", accept)))
            change = rollback.change(view, step, component, restored, hold, push)
            checked = check(view, step, change)
        components = {item.component: {"to": item.commit, "digest": item.after.digest} for item in restored}
        facts = {"environment": environment, "components": components}
        then = [f"when the way on is clear: kre unhold {environment} {view.policy.unit_of(component)}"]
        finish(view, change, facts, output=output, dry_run=dry_run, push=push, then=then, checked=checked)
