"""kre schemas verify, kre schemas update, kre schemas list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kre.cli.options import Format, Formatted
from kre.errors import Exit

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The pinned schemas: check them, make them anew.")


@app.command("list")
def list_command(output: Formatted = Format.TEXT) -> None:
    """List the kinds and charts that have a schema.

    \b
    Example:
      kre schemas list
    """
    from kre.report.json import json
    from kre.schema import store

    if output is Format.JSON:
        typer.echo(json(store.lock()), nl=False)
        return
    for entry in store.lock()["schemas"]:
        name = (
            f"{entry['apiVersion']} {entry['kind']}"
            if "kind" in entry
            else f"chart {entry['chart']} {entry['chartVersion']}"
        )
        source = store.lock()["sources"][entry["source"]]
        typer.echo(f"{name:<60} {source['project']} {source['version']}")


@app.command("verify")
def verify_command(output: Formatted = Format.TEXT) -> None:
    """Re-hash every stored schema, and Kubernetes' own roles, and compare with the locks.

    \b
    Example:
      kre schemas verify
    """
    from kre.rbac import defaults
    from kre.report.json import json
    from kre.schema import store, update

    wrong = [*update.verify(), *defaults.verify()]
    if output is Format.JSON:
        typer.echo(json({"version": 1, "checked": len(store.lock()["schemas"]), "wrong": wrong}), nl=False)
    else:
        typer.echo(
            "".join(f"{line}\n" for line in wrong)
            + f"{len(store.lock()['schemas'])} schemas, {len(wrong)} not as locked"
        )
    if wrong:
        raise typer.Exit(Exit.FINDINGS)


@app.command("update")
def update_command(
    folders: Annotated[
        list[Path],
        typer.Option(
            "--from", metavar="DIR", help="A folder with upstream's files; may be repeated.", show_default=False
        ),
    ],
    output: Formatted = Format.TEXT,
) -> None:
    """Make every schema anew from upstream's files, and write the lock.

    sources.yaml beside the stored schemas lists the files and versions. Nothing is fetched.

    \b
    Example:
      kre schemas update --from ~/upstream
    """
    from kre.errors import UsageError
    from kre.report.json import json
    from kre.schema import update

    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder}: there is no such folder")
    changes = [change for change in update.update(folders) if change.what != "same"]
    if output is Format.JSON:
        typer.echo(
            json({"version": 1, "changes": [{"path": item.path, "what": item.what} for item in changes]}), nl=False
        )
        return
    for change in changes:
        typer.echo(f"{change.what:<8} {change.path}")
    typer.echo(f"{len(changes)} files changed")
