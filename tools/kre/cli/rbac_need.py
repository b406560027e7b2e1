"""kre rbac need."""

from __future__ import annotations

from typing import Annotated

import typer

from kre.cli.options import Env, Format, Formatted, Root, root_of
from kre.errors import Exit


def need_command(
    identity: Annotated[
        str,
        typer.Argument(
            metavar="[WHO]",
            help="NAMESPACE/NAME of a ServiceAccount, user:NAME, or group:NAME. Default: all.",
            show_default=False,
        ),
    ] = "",
    root: Root = None,
    env: Env = None,
    output: Formatted = Format.TEXT,
) -> None:
    """Show what identities need for what they do, beside what they are granted: missing (-), not needed (+), and what
    they must not have (!), with the lines that need it and grant it.

    Of whom nobody can tell what they need (?), such as what a chart makes, the RBAC budget has to say what they may
    hold.

    \b
    Examples:
      kre rbac need --env dev
      kre rbac need kre-responses/delete-pod
      kre rbac need group:kre-approvers --format json

    Exit codes: 0 they hold what they need and nothing else, 1 they do not, 2 usage or configuration, 3 a tool failed.
    """
    from kre.cli.session import progress, rendered
    from kre.compare.spending import holders
    from kre.rbac.require.verdict import verdicts
    from kre.report import needs
    from kre.report.json import json

    with progress("rendering"):
        bundle = rendered(root_of(root), env)
    there = {item.environment for item in bundle.roots}
    found = []
    chosen = [item for item in bundle.environments if item.name in there]
    for environment in chosen or (None,):
        listed = holders(bundle, environment) if environment else frozenset()
        shown = [needs.Shown(bundle, one, one.who in listed) for one in verdicts(bundle, environment)]
        found.append((environment.name if environment else None, shown))
    if identity:
        who = _who(identity, {one.verdict.who for _, shown in found for one in shown})
        found = [(name, [one for one in shown if one.verdict.who == who]) for name, shown in found]
    if output is Format.JSON:
        made = [{"environment": name, "identities": [needs.json(one) for one in shown]} for name, shown in found]
        typer.echo(json({"version": 1, "environments": made}), nl=False)
    else:
        for name, shown in found:
            head = [f"# {name}"] if name else []
            typer.echo("\n".join([*head, *(line for one in shown for line in needs.text(one))]))
    if not all(one.fine for _, shown in found for one in shown):
        raise typer.Exit(Exit.FINDINGS)


def _who(text: str, known: set[str]) -> str:
    """Somebody by what people type, as a budget names them. Raises UsageError."""
    from kre.rbac.model import ACCOUNT
    from kre.rbac.words import who

    kind, colon, name = text.partition(":")
    if colon and kind in ("user", "group"):
        return f"{kind.title()} {name}"
    accounts = {one.partition(" ")[2] for one in known if one.startswith("ServiceAccount ")}
    pairs = {(space, name) for space, _, name in (one.partition("/") for one in accounts)}
    space, _, name = who(text, pairs).name.removeprefix(ACCOUNT).partition(":")
    return f"ServiceAccount {space}/{name}"
