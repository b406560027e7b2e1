"""kre render."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kre.cli.options import Format, Formatted, Root, root_of
from kre.errors import Exit


def command(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="The environment to render.", show_default=False)],
    root: Root = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write one file for each Application into this new folder."),
    ] = None,
    output: Formatted = Format.TEXT,
) -> None:
    """Print what Argo CD would apply in an environment, split by Application.

    Charts are rendered by Argo CD alone: of those, the chart, its version and its values files are named.

    \b
    Examples:
      kre render dev
      kre render prod --out /tmp/prod
    """
    from kre.cli.session import progress
    from kre.doors import files
    from kre.load.bundle import load
    from kre.report.json import json
    from kre.report.printable import printable
    from kre.report.rendering import as_json, as_text, by_file, rendering

    with progress(f"rendering {environment}"):
        bundle = load(root_of(root), [environment])
    failed = [problem for problem in bundle.problems if problem.environments]
    for problem in failed:
        typer.echo(printable(f"{problem.place}: {problem.rule}: {problem.message}"), err=True)
    if failed:
        raise typer.Exit(Exit.FINDINGS)
    made = rendering(bundle, environment)
    if out is None:
        typer.echo(json(as_json(made)) if output is Format.JSON else as_text(made), nl=False)
        return
    written = files.write_folder(out, by_file(made, json=output is Format.JSON))
    typer.echo(f"{len(written)} files in {out}")
