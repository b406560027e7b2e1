"""kre promote."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kre.cli.branching import AcceptRisks, Push, line_of, pull_request
from kre.cli.options import Root, root_of
from kre.errors import Blocked, UsageError

if TYPE_CHECKING:
    from kre.promote.propose import Proposal
    from kre.promote.writing import Outcome


class PlanFormat(StrEnum):
    """How a plan is printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    MARKDOWN = "markdown"


Source = Annotated[str, typer.Argument(metavar="FROM", help="The environment that has it.", show_default=False)]
Target = Annotated[str, typer.Argument(metavar="TO", help="The one that is to have it.", show_default=False)]
Components = Annotated[
    list[str] | None,
    typer.Argument(metavar="COMPONENT...", help="Only these, and what goes with them.", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Plan and check, and write no branch.")]
Merge = Annotated[
    bool, typer.Option("--merge", help="Where both sides changed a file, keep both changes if they merge.")
]
AcceptDrift = Annotated[
    str, typer.Option("--accept-drift", metavar="REASON", help="Keep what the target changed; the lock says so.")
]
AllowDelete = Annotated[bool, typer.Option("--allow-delete", help="Take away what the source has no more.")]
AllowDowngrade = Annotated[bool, typer.Option("--allow-downgrade", help="Go back to an older base/.")]
Hotfix = Annotated[
    str, typer.Option("--hotfix", metavar="REASON", help="Skip an environment, where the policy lets you.")
]
Initial = Annotated[
    bool, typer.Option("--initial", help="Fill an environment for the first time; gates but two are waived.")
]
SourceRef = Annotated[str, typer.Option("--source-ref", metavar="REV", help="Read the source at this merged commit.")]
PlanOut = Annotated[Path | None, typer.Option("--plan-out", metavar="FILE", help="Write the plan there as JSON.")]
PrBody = Annotated[
    Path | None, typer.Option("--pr-body", metavar="FILE", help="Write the text of a pull request there.")
]
Printed = Annotated[PlanFormat, typer.Option("--format", help="How to print.")]


def command(
    source: Source,
    target: Target,
    components: Components = None,
    dry_run: DryRun = False,
    merge: Merge = False,
    accept_drift: AcceptDrift = "",
    accept_risks: AcceptRisks = "",
    allow_delete: AllowDelete = False,
    allow_downgrade: AllowDowngrade = False,
    hotfix: Hotfix = "",
    initial: Initial = False,
    source_ref: SourceRef = "",
    plan_out: PlanOut = None,
    pr_body: PrBody = None,
    push: Push = "",
    root: Root = None,
    output: Printed = PlanFormat.TEXT,
) -> None:
    """Take components from one environment to the next: one commit on branch promote/TO/..., for a pull request.

    Plans every hop on the way and writes the first that is not done. Reads the default branch, as it was fetched last;
    your index, work tree and branch stay as they are. Without names, whatever may go goes; named components go together
    or not at all.

    \b
    Examples:
      kre promote dev staging --dry-run
      kre promote staging prod falco --push origin --pr-body body.md
      kre promote dev staging --accept-drift "replicas by hand until June"
      kre promote dev prod pipeline --hotfix "CVE in the dispatcher"
      kre promote dev staging --initial

    Exit codes: 0 written, or nothing to do; 2 usage or configuration; 3 a tool is missing or failed; 4 blocked by a
    gate or drift, and nothing was written.
    """
    from kre.cli.session import progress
    from kre.promote.apply import apply
    from kre.promote.gates import Gates
    from kre.promote.hop import Wanted
    from kre.promote.propose import propose
    from kre.promote.view import View

    wanted = Wanted(
        tuple(components or ()),
        merge=merge,
        accept_drift=_reason("--accept-drift", accept_drift),
        allow_delete=allow_delete,
        allow_downgrade=allow_downgrade,
        initial=initial,
        hotfix=_reason("--hotfix", hotfix),
    )
    with View(root_of(root), source_ref) as view:
        with progress("planning, rendering and checking"):
            proposal = propose(view, Gates(), source, target, wanted, _reason("--accept-risks", accept_risks), push)
        _files(proposal, plan_out, pr_body)
        outcome = None if dry_run or not proposal.hop.goes else apply(view, proposal.hop, push)
        _print(proposal, outcome, output, push=push, dry_run=dry_run)
        if proposal.stuck:
            raise _blocked(proposal)


def _reason(option: str, text: str) -> str:
    return line_of(option, text) if text else ""


def _files(proposal: Proposal, plan_out: Path | None, pr_body: Path | None) -> None:
    """The files for CI. They are written whatever comes of the promotion, for they say why."""
    from kre.report.json import json
    from kre.report.promotion_body import body
    from kre.report.promotion_json import as_json

    if plan_out:
        _write(plan_out, json(as_json(proposal.plan, proposal.comparisons, diff=True)))
    if pr_body:
        comparison = proposal.comparisons.get(proposal.hop.target)
        _write(pr_body, body(proposal.hop, comparison, str(plan_out.name) if plan_out else ""))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror or error}") from None


def _print(proposal: Proposal, outcome: Outcome | None, output: PlanFormat, *, push: str, dry_run: bool) -> None:
    from kre.report import branch, promotion, promotion_body, promotion_json, promotion_text
    from kre.report.json import json

    hop, comparisons = proposal.hop, proposal.comparisons
    comparison = comparisons.get(hop.target)
    if output is PlanFormat.GITHUB:
        typer.echo(promotion.outputs(hop, comparison), nl=False)
    elif output is PlanFormat.MARKDOWN:
        typer.echo(promotion_body.body(hop, comparison), nl=False)
    elif output is PlanFormat.JSON:
        made: dict[str, Any] = promotion_json.as_json(proposal.plan, comparisons)
        typer.echo(json({**made, "dryRun": dry_run, "written": promotion_json.outcome(outcome)}), nl=False)
    else:
        radius = proposal.found.radius if proposal.found else ()
        typer.echo(promotion_text.as_text(proposal.plan, comparisons, radius), nl=False)
        if outcome:
            typer.echo(branch.as_line(outcome), nl=False)
            typer.echo(f"next: {pull_request(hop.branch, push)[0]}")
        elif dry_run and hop.goes:
            typer.echo(f"would write {hop.branch}")


def _blocked(proposal: Proposal) -> Blocked:
    hop = proposal.hop
    blocks = [*hop.blocks, *(block for each in hop.components for block in each.blocks)]
    reasons = sorted({block.reason.value for block in blocks})
    return Blocked(
        f"nothing goes from {hop.source} to {hop.target}: {', '.join(reasons)}",
        "docs/promote.md says of each reason what to do",
    )
