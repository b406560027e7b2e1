"""kre rbac show, can, diff, budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kre.cli.options import Format, Formatted, Root, root_of
from kre.errors import Exit

if TYPE_CHECKING:
    from kre.model.comparison import Grant
    from kre.rbac.atlas import Atlas
    from kre.rbac.model import User

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Who may do what, and why.")
Env = Annotated[
    list[str] | None, typer.Option("--env", metavar="ENV", help="Only this environment; repeatable.")
]  # fmt: skip
_WHO = "NAMESPACE/NAME of a ServiceAccount, user:NAME, or group:NAME."


@app.command("show")
def show_command(
    identity: Annotated[str, typer.Argument(metavar="[WHO]", help=f"{_WHO} Default: all.", show_default=False)] = "",
    root: Root = None,
    env: Env = None,
    everything: Annotated[bool, typer.Option("--all", help="With what Kubernetes itself lets everybody do.")] = False,
    output: Formatted = Format.TEXT,
) -> None:
    """Show what a ServiceAccount may do, what runs as it, and which files and lines give it that.

    \b
    Examples:
      kre rbac show --env prod
      kre rbac show kre-responses/delete-pod

    Exit codes: 0 fine, 1 an environment could not be rendered, 2 usage or configuration, 3 a tool failed.
    """
    from kre.cli.session import atlases
    from kre.rbac.model import account
    from kre.report import rights
    from kre.report.json import json

    found, user = _asked(root_of(root), env, identity) if identity else (atlases(root_of(root), env), None)
    made: list[object] = []
    for atlas in found:
        if user:
            chosen = [(_title(user.name), user, atlas.runs.get(_pair(user.name), ()))]
        else:
            accounts = sorted(atlas.runs.items())
            chosen = [(f"ServiceAccount {s}/{n}", account(s, n), runs) for (s, n), runs in accounts]
            chosen += [(title, person, ()) for title, person in atlas.people()]
        if output is Format.JSON:
            shown = [rights.show_json(atlas, *one, everything=everything) for one in chosen]
            notes = {"refused": list(atlas.refused), "charts": list(atlas.charts)}
            made.append({"environment": atlas.environment or None, "identities": shown, **notes})
            continue
        blocks = ["\n".join(rights.show_text(atlas, *one, everything=everything)) for one in chosen]
        head = [f"# {atlas.environment}"] if atlas.environment else []
        typer.echo("\n\n".join([*head, *blocks]) + "\n")
    if output is Format.JSON:
        typer.echo(json({"version": 1, "environments": made}), nl=False)
    else:
        typer.echo("".join(f"{line}\n" for line in rights.unseen(found)), nl=False)


@app.command("can")
def can_command(
    identity: Annotated[str, typer.Argument(metavar="WHO", help=_WHO, show_default=False)],
    verb: Annotated[str, typer.Argument(metavar="VERB", help="get, list, delete, ...", show_default=False)],
    resource: Annotated[
        str,
        typer.Argument(metavar="RESOURCE", help="RESOURCE[.GROUP][/SUBRESOURCE], or a /PATH.", show_default=False),
    ],
    namespace: Annotated[str, typer.Option("--namespace", "-n", metavar="NS", help="In this namespace.")] = "",
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The one of this name.")] = "",
    root: Root = None,
    env: Env = None,
    output: Formatted = Format.TEXT,
) -> None:
    """Say whether a ServiceAccount may do something, and why: the chain of files and lines that lets it.

    A ServiceAccount is in the groups that the API server puts it into. Without a namespace it is about what is in none,
    or about all namespaces at once. kubectl's `auth can-i` asks a cluster the same.

    \b
    Examples:
      kre rbac can kre-responses/delete-pod delete pods -n shop --env prod
      kre rbac can kre-pipeline/dispatcher create workflows -n kre-responses
      kre rbac can argocd/server get pods/log -n shop --name web-0

    Exit codes: 0 yes, 1 no (in one environment at least), 2 usage or configuration, 3 a tool failed.
    """
    from kre.rbac.words import what
    from kre.report import rights
    from kre.report.json import json
    from kre.report.printable import printable

    question = what(verb, resource, namespace, name)
    atlases, user = _asked(root_of(root), env, identity)
    made, all_may = [], True
    for atlas in atlases:
        found = list(atlas.policy.why(user, question))
        all_may &= bool(found)
        elsewhere = sorted(
            space
            for space in {item.namespace for item in atlas.policy.bindings} - {"", question.namespace}
            if not question.path and atlas.policy.allows(user, replace(question, namespace=space))
        )
        why = [rights.grant_json(atlas, grant) for grant in found]
        made.append({"environment": atlas.environment or None, "allowed": bool(found), "why": why})
        if output is Format.TEXT:
            start = f"{atlas.environment}: " if atlas.environment else ""
            typer.echo(printable(f"{start}{'yes' if found else 'no'}: {_title(user.name)}, {rights.asked(question)}"))
            for grant in found:
                typer.echo(printable(f"  {rights.rule(grant.rule)}: {rights.chain(atlas, grant.chain)}"))
            if elsewhere and not found:
                typer.echo(printable(f"  it may in {', '.join(elsewhere)}"))
    if output is Format.JSON:
        typer.echo(json({"version": 1, "allowed": all_may, "environments": made}), nl=False)
    else:
        typer.echo("".join(f"{line}\n" for line in rights.unseen(atlases)), nl=False)
    if not all_may:
        raise typer.Exit(Exit.FINDINGS)


@app.command("diff")
def diff_command(
    before: Annotated[
        str, typer.Argument(metavar="[A]", help="A revision, an environment, or REVISION:ENVIRONMENT. Default: HEAD.")
    ] = "HEAD",
    after: Annotated[
        str, typer.Argument(metavar="[B]", help="The same. Default: what is in the work tree.", show_default=False)
    ] = "",
    root: Root = None,
    env: Env = None,
    output: Formatted = Format.TEXT,
) -> None:
    """List the rights that identities gain and lose between two revisions, or two environments.

    Roles that aggregate, and Kubernetes' own roles, count with what they hold on either side.

    \b
    Examples:
      kre rbac diff
      kre rbac diff main --env prod
      kre rbac diff staging prod

    Exit codes: 0 fine, differing or not; 2 usage or configuration, 3 a tool failed.
    """
    from kre.cli.comparing import sides
    from kre.cli.session import progress
    from kre.compare.grants import grants, widened
    from kre.report.json import json
    from kre.report.printable import printable

    made = []
    with progress("rendering and comparing"), sides(root_of(root), before, after, env) as pairs:
        for pair in pairs:
            held = [grants(*one) for one in ((pair.before, pair.old), (pair.after, pair.new))]
            made.append((pair.new, _people(widened(*held)), _people(widened(*reversed(held)))))
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


@app.command("budget")
def budget_command(
    root: Root = None,
    env: Env = None,
    write: Annotated[bool, typer.Option("--write", help="Write each budget anew, as things are.")] = False,
    output: Formatted = Format.TEXT,
) -> None:
    """Compare what is granted with the RBAC budget, overlays/ENV/rbac-budget.yaml: a closed list for each identity.

    With --write the file is drafted from what is granted. `kre validate` refuses what is beyond a budget (rule E02).

    \b
    Examples:
      kre rbac budget
      kre rbac budget --env dev --write

    Exit codes: 0 fine, 1 beyond the budget, or without one, 2 usage or configuration, 3 a tool failed.
    """
    from kre.cli.session import progress, rendered
    from kre.compare.spending import granted, spending, targets
    from kre.edit.draft import Draft
    from kre.edit.repository import require_repository
    from kre.rbac.budget import draft, file_of
    from kre.report.json import json
    from kre.report.rights import budget_json, budget_text

    folder = root_of(root)
    require_repository(folder)
    with progress("rendering"):
        bundle = rendered(folder, env)
    names = {item.environment for item in bundle.roots}
    environments = [item for item in bundle.environments if item.name in names]
    if write:
        made = Draft(folder)
        for item in environments:
            text = draft(item.name, granted(bundle, item), targets(item))
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


def _title(user: str) -> str:
    pair = _pair(user)
    return f"ServiceAccount {pair[0]}/{pair[1]}" if all(pair) else user


def _pair(user: str) -> tuple[str, str]:
    from kre.rbac.model import ACCOUNT

    namespace, _, name = user.removeprefix(ACCOUNT).partition(":") if user.startswith(ACCOUNT) else ("", "", "")
    return namespace, name


def _asked(root: Path, env: list[str] | None, identity: str) -> tuple[list[Atlas], User]:
    """Those of the environments asked for, and whom it is about: somebody that one of them knows."""
    from kre.cli.session import atlases
    from kre.rbac.words import who

    found = atlases(root, env)
    return found, who(identity, {pair for atlas in found for pair in atlas.runs})
