"""kre target list, kre target add, kre target remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kre.cli.editing import Dry, Env, finish
from kre.cli.options import Format, Formatted, Root, root_of

if TYPE_CHECKING:
    from kre.edit.draft import Draft

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The namespaces in which responses may act.")

Namespace = Annotated[str, typer.Argument(metavar="NS", help="The namespace.", show_default=False)]


@app.command("list")
def list_command(env: Env, root: Root = None, output: Formatted = Format.TEXT) -> None:
    """List the targets of an environment, and what is missing of one (`kre target add` makes that).

    \b
    Example:
      kre target list --env dev
    """
    from kre.edit.draft import Draft
    from kre.edit.repository import environment_of
    from kre.edit.targets import states
    from kre.report.json import json
    from kre.report.printable import printable

    draft = Draft(root_of(root))
    found = states(draft, environment_of(draft.root, env))
    if output is Format.JSON:
        targets = [{"namespace": item.namespace, "missing": list(item.missing)} for item in found]
        typer.echo(json({"version": 1, "environment": env, "targets": targets}), nl=False)
        return
    for item in found:
        lacks = f"  lacks {', '.join(item.missing)}" if item.missing else ""
        typer.echo(printable(f"{item.namespace}{lacks}"))
    if not found:
        typer.echo(f"no targets: the engine acts nowhere in {env}")


@app.command("add")
def add_command(
    namespace: Namespace, env: Env, dry_run: Dry = False, root: Root = None, output: Formatted = Format.TEXT
) -> None:
    """Let the responses of an environment act in a namespace: facts, RoleBindings, quarantine, AppProject.

    All at once, or nothing. Of a target that is there already, what is missing is made.

    \b
    Examples:
      kre target add shop --env dev
      kre target add shop --env prod --dry-run
    """
    from kre.edit.draft import Draft
    from kre.edit.repository import environment_of
    from kre.edit.targets import add_target

    draft = Draft(root_of(root))
    environment = environment_of(draft.root, env)
    warnings = add_target(draft, environment, namespace)
    steps = [f"`kre validate`, commit and push; in mode {environment.spec.get('mode')} from the next sync on"]
    if _project_changes(draft):
        steps.insert(0, f"an admin applies the project before you push: kubectl apply -k apps/{env}")
    facts = {"environment": env, "namespace": namespace}
    finish(draft, facts, output=output, dry_run=dry_run, warnings=warnings, steps=steps)


@app.command("remove")
def remove_command(
    namespace: Namespace, env: Env, dry_run: Dry = False, root: Root = None, output: Formatted = Format.TEXT
) -> None:
    """Let the responses of an environment act in a namespace no more: everything that `kre target add` made goes.

    Release the pods that are isolated there first: the right to do so goes as well.

    \b
    Example:
      kre target remove shop --env dev
    """
    from kre.edit.draft import Draft
    from kre.edit.repository import environment_of
    from kre.edit.targets import remove_target

    draft = Draft(root_of(root))
    environment = environment_of(draft.root, env)
    warnings = remove_target(draft, environment, namespace)
    steps = ["`kre validate`, commit and push"]
    if _project_changes(draft):
        after = "when Argo CD has taken the files away, not before, an admin applies the project"
        steps.append(f"{after}: kubectl apply -k apps/{env}")
    facts = {"environment": env, "namespace": namespace}
    finish(draft, facts, output=output, dry_run=dry_run, warnings=warnings, steps=steps)


def _project_changes(draft: Draft) -> bool:
    return any(edit.path.startswith("apps/") for edit in draft.changes)
