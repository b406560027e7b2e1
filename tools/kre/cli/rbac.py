"""kre rbac show, can, who; rbac_changes and rbac_graph have the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kre.cli import rbac_changes, rbac_graph, rbac_need
from kre.cli.options import Charts, Env, Format, Formatted, Root, root_of
from kre.errors import Exit

if TYPE_CHECKING:
    from kre.rbac.atlas import Atlas
    from kre.rbac.model import User

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Who may do what, and why.")
app.command("diff")(rbac_changes.diff_command)
app.command("budget")(rbac_changes.budget_command)
app.command("graph")(rbac_graph.graph_command)
app.command("need")(rbac_need.need_command)
_WHO = "NAMESPACE/NAME of a ServiceAccount, user:NAME, or group:NAME."


@app.command("show")
def show_command(
    identity: Annotated[str, typer.Argument(metavar="[WHO]", help=f"{_WHO} Default: all.", show_default=False)] = "",
    root: Root = None,
    env: Env = None,
    charts: Charts = False,
    everything: Annotated[bool, typer.Option("--all", help="With what Kubernetes itself lets everybody do.")] = False,
    output: Formatted = Format.TEXT,
) -> None:
    """Show what a ServiceAccount may do, what runs as it, and which files and lines give it that.

    \b
    Examples:
      kre rbac show --env prod
      kre rbac show --charts
      kre rbac show kre-responses/delete-pod

    Exit codes: 0 fine, 1 an environment could not be rendered, 2 usage or configuration, 3 a tool failed.
    """
    from kre.cli.session import atlases
    from kre.rbac.model import account
    from kre.report import rights
    from kre.report.json import json

    found = [] if identity else atlases(root_of(root), env, charts=charts)
    found, user = _asked(root_of(root), env, identity, charts) if identity else (found, None)
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
            notes = {"refused": list(atlas.refused), **rights.charts_json(atlas)}
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
    charts: Charts = False,
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
    atlases, user = _asked(root_of(root), env, identity, charts)
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
                typer.echo(printable(f"  {rights.rule(grant.rule)}: {rights.chain(atlas.place, grant.chain)}"))
            if elsewhere and not found:
                typer.echo(printable(f"  it may in {', '.join(elsewhere)}"))
    if output is Format.JSON:
        typer.echo(json({"version": 1, "allowed": all_may, "environments": made}), nl=False)
    else:
        typer.echo("".join(f"{line}\n" for line in rights.unseen(atlases)), nl=False)
    if not all_may:
        raise typer.Exit(Exit.FINDINGS)


@app.command("who")
def who_command(
    verb: Annotated[str, typer.Argument(metavar="VERB", help="get, list, delete, ...", show_default=False)],
    resource: Annotated[
        str,
        typer.Argument(metavar="RESOURCE", help="RESOURCE[.GROUP][/SUBRESOURCE], or a /PATH.", show_default=False),
    ],
    root: Root = None,
    env: Env = None,
    charts: Charts = False,
    output: Formatted = Format.TEXT,
) -> None:
    """List who may do something, and in exactly which namespaces: ServiceAccounts, users and groups.

    \b
    Examples:
      kre rbac who delete pods
      kre rbac who create pods/exec --env prod

    Exit codes: 0 fine, 1 an environment could not be rendered, 2 usage or configuration, 3 a tool failed.
    """
    from kre.cli.session import atlases
    from kre.rbac.words import what
    from kre.report import rights
    from kre.report.json import json
    from kre.report.printable import printable

    question = what(verb, resource)
    found = atlases(root_of(root), env, charts=charts)
    made = [(atlas.environment, atlas.able(question)) for atlas in found]
    if output is Format.JSON:
        entries = [{"environment": name or None, "everywhere": able.pop("", []), "in": able} for name, able in made]
        typer.echo(json({"version": 1, "environments": entries}), nl=False)
        return
    for name, able in made:
        start = f"{name}: " if name else ""
        typer.echo(printable(f"{start}{verb} {resource}: {'nobody' if not able else ''}".rstrip(" ")))
        for space, people in able.items():
            typer.echo(printable(f"  {f'in {space}' if space else 'everywhere'}: {', '.join(people)}"))
    typer.echo("".join(f"{line}\n" for line in rights.unseen(found)), nl=False)


def _title(user: str) -> str:
    pair = _pair(user)
    return f"ServiceAccount {pair[0]}/{pair[1]}" if all(pair) else user


def _pair(user: str) -> tuple[str, str]:
    from kre.rbac.model import ACCOUNT

    namespace, _, name = user.removeprefix(ACCOUNT).partition(":") if user.startswith(ACCOUNT) else ("", "", "")
    return namespace, name


def _asked(root: Path, env: list[str] | None, identity: str, charts: bool) -> tuple[list[Atlas], User]:
    """Those of the environments asked for, and whom it is about: somebody that one of them knows."""
    from kre.cli.session import atlases
    from kre.rbac.words import who

    found = atlases(root, env, charts=charts)
    return found, who(identity, {pair for atlas in found for pair in atlas.runs})
