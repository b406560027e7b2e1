"""kre rbac diff, kre rbac budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from kre.cli.options import Charts, Env, Format, Formatted, Root, root_of
from kre.errors import Exit

if TYPE_CHECKING:
    from kre.model.comparison import Grant

Changed: TypeAlias = tuple[str, "Sequence[Grant]", "Sequence[Grant]"]  # environment, gained, lost


def diff_command(
    before: Annotated[
        str, typer.Argument(metavar="[A]", help="A revision, an environment, or REVISION:ENVIRONMENT. Default: HEAD.")
    ] = "HEAD",
    after: Annotated[
        str, typer.Argument(metavar="[B]", help="The same. Default: what is in the work tree.", show_default=False)
    ] = "",
    root: Root = None,
    env: Env = None,
    accept: Annotated[
        str,
        typer.Option("--accept", metavar="REASON", help="Accept what is gained, for this reason.", show_default=False),
    ] = "",
    output: Formatted = Format.TEXT,
) -> None:
    """List the rights that identities gain and lose between two revisions, or two environments.

    Roles that aggregate, and Kubernetes' own roles, count with what they hold on either side. --accept writes the
    digest of exactly these changes into overlays/ENV/accepted-risks.yaml, where `kre validate` looks for it.

    \b
    Examples:
      kre rbac diff
      kre rbac diff main --env prod
      kre rbac diff staging prod
      kre rbac diff main --env prod --accept "agreed with the owners of shop"

    Exit codes: 0 fine, differing or not; 2 usage or configuration, 3 a tool failed.
    """
    from kre.cli.comparing import sides
    from kre.cli.session import progress
    from kre.compare.environment import compare
    from kre.compare.grants import grants, widened
    from kre.edit.risks import accept as accept_risks
    from kre.errors import UsageError
    from kre.model.comparison import Kind

    made: list[Changed] = []
    accepted: list[str] = []
    if accept and after:
        raise UsageError("--accept is for what is in the work tree", "leave B out")
    with progress("rendering and comparing"), sides(root_of(root), before, after, env) as pairs:
        for pair in pairs:
            held = [grants(*one) for one in ((pair.before, pair.old), (pair.after, pair.new))]
            made.append((pair.new, _people(widened(*held)), _people(widened(*reversed(held)))))
            if accept:
                accepted += accept_risks(root_of(root), compare(*pair).risks, Kind.RBAC, accept)
    _print(made, accepted, output)


def _print(made: Sequence[Changed], accepted: Sequence[str], output: Format) -> None:
    from kre.report.json import json
    from kre.report.printable import printable

    if output is Format.JSON:
        entries = [
            {"environment": name, "gained": [str(one) for one in gained], "lost": [str(one) for one in lost]}
            for name, gained, lost in made
        ]
        typer.echo(json({"version": 1, "environments": entries}), nl=False)
        return
    for name, gained, lost in made:
        typer.echo(f"# {name}" if gained or lost else f"# {name}: nobody gains or loses a right")
        for line in (*(f"+ {one}" for one in gained), *(f"- {one}" for one in lost)):
            typer.echo(printable(line))
    for path in accepted:
        typer.echo(f"accepted in {path}")


def budget_command(
    root: Root = None,
    env: Env = None,
    charts: Charts = False,
    write: Annotated[bool, typer.Option("--write", help="Write each budget anew, as things are.")] = False,
    output: Formatted = Format.TEXT,
) -> None:
    """Compare what is granted with the RBAC budget, overlays/ENV/rbac-budget.yaml: a closed list for each identity.

    With --write the file is drafted from what is granted, by charts too with --charts; reasons that stand there stay.
    `kre validate` refuses what is
    beyond a budget (rule E02).

    \b
    Examples:
      kre rbac budget
      kre rbac budget --env dev --write

    Exit codes: 0 fine, 1 beyond the budget, or without one, 2 usage or configuration, 3 a tool failed.
    """
    from kre.cli.session import progress, rendered
    from kre.compare.spending import budgeted, granted, spending
    from kre.compare.waiting import targets
    from kre.edit.draft import Draft
    from kre.edit.repository import require_repository
    from kre.rbac.budget import draft, file_of
    from kre.report.json import json
    from kre.report.rights import budget_json, budget_text

    folder = root_of(root)
    require_repository(folder)
    with progress("rendering"):
        bundle = rendered(folder, env, charts=charts)
    names = {item.environment for item in bundle.roots}
    environments = [item for item in bundle.environments if item.name in names]
    if write:
        made = Draft(folder)
        for item in environments:
            known = budgeted(bundle, item)
            text = draft(item.name, granted(bundle, item), targets(bundle, item), known)
            made.write(file_of(item.folder), text.encode())
        made.save()
        for edit in made.changes:
            typer.echo(f"{edit.what} {edit.path}")
        return
    found = [(item.name, spending(bundle, item)) for item in environments]
    if output is Format.JSON:
        typer.echo(json({"version": 1, "environments": [budget_json(*one) for one in found]}), nl=False)
    else:
        typer.echo("".join(f"{line}\n" for one in found for line in budget_text(*one)), nl=False)
    if any(one is None or one.over for _, one in found):
        raise typer.Exit(Exit.FINDINGS)


def _people(found: Sequence[Grant]) -> list[Grant]:
    """The rights of identities, the verbs on one thing together. Those of a Role as such are left out: who is bound to
    it has them."""
    together: dict[Grant, list[str]] = {}
    for grant in found:
        if not grant.subject.startswith(("Role ", "ClusterRole ")):
            together.setdefault(replace(grant, verb=""), []).append(grant.verb)
    return [replace(grant, verb=", ".join(verbs)) for grant, verbs in together.items()]
