"""kre response list, kre response enable, kre response disable."""

from __future__ import annotations

from typing import Annotated

import typer

from kre.cli.editing import Dry, Env, finish
from kre.cli.options import Format, Formatted, Root, root_of

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Which responses an environment runs.")

Name = Annotated[str, typer.Argument(metavar="R", help="The response.", show_default=False)]


@app.command("list")
def list_command(env: Env, root: Root = None, output: Formatted = Format.TEXT) -> None:
    """List every response, and whether an environment runs it.

    \b
    Example:
      kre response list --env dev
    """
    from kre.edit.draft import Draft
    from kre.edit.repository import environment_of
    from kre.edit.responses import states
    from kre.report.json import json
    from kre.report.printable import printable

    draft = Draft(root_of(root))
    found = states(draft, environment_of(draft.root, env))
    if output is Format.JSON:
        responses = [{"name": item.name, "state": item.state} for item in found]
        typer.echo(json({"version": 1, "environment": env, "responses": responses}), nl=False)
        return
    for item in found:
        typer.echo(f"{item.state:<13} {printable(item.name)}")
    if not found:
        typer.echo("no responses: base/responses/options has none")


@app.command("enable")
def enable_command(
    response: Name, env: Env, dry_run: Dry = False, root: Root = None, output: Formatted = Format.TEXT
) -> None:
    """Let an environment run a response: its Component in leaves/responses, its RoleBinding in every target.

    Where the environment has an RBAC budget, the rights of the response are listed there as well.

    \b
    Examples:
      kre response enable isolate-pod --env dev
      kre response enable isolate-pod --env staging --dry-run
    """
    from kre.compare.allowance import allow
    from kre.edit.draft import Draft
    from kre.edit.repository import environment_of, with_sensor
    from kre.edit.responses import enable
    from kre.rbac.budget import file_of

    draft = Draft(root_of(root))
    environment = environment_of(draft.root, env)
    warnings = enable(draft, environment, response)
    steps = ["`kre validate`, commit and push"]
    if allow(draft, environment, response):
        steps.insert(
            0, f"read what it may do in {file_of(environment.folder)}: whoever approves that approves the rights"
        )
    if response in with_sensor(draft.root):
        steps.insert(0, f"where it has no token yet: `kre token --response {response} | kubectl apply -f -`")
    facts = {"environment": env, "response": response}
    finish(draft, facts, output=output, dry_run=dry_run, warnings=warnings, steps=steps)


@app.command("disable")
def disable_command(
    response: Name, env: Env, dry_run: Dry = False, root: Root = None, output: Formatted = Format.TEXT
) -> None:
    """Let an environment run a response no more: its Component and its RoleBindings go, and what the budget lists.

    \b
    Example:
      kre response disable delete-pod --env dev
    """
    from kre.compare.allowance import withdraw
    from kre.edit.draft import Draft
    from kre.edit.repository import environment_of
    from kre.edit.responses import disable

    draft = Draft(root_of(root))
    environment = environment_of(draft.root, env)
    warnings = disable(draft, environment, response)
    withdraw(draft, environment, response)
    facts = {"environment": env, "response": response}
    finish(draft, facts, output=output, dry_run=dry_run, warnings=warnings, steps=["`kre validate`, commit and push"])
