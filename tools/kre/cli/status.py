"""kre status."""

from __future__ import annotations

import typer

from kre.cli.options import Format, Formatted, Root, root_of


def command(root: Root = None, output: Formatted = Format.TEXT) -> None:
    """List what each environment runs, since when, and what stands in its way: soak, drift, holds.

    Reads the default branch, as it was fetched last; the work tree does not matter. "behind" is what is not what its
    source environment has now.

    \b
    Example:
      kre status
    """
    from kre.promote.gates import Gates
    from kre.promote.status import status
    from kre.promote.view import View
    from kre.report.json import json
    from kre.report.status import as_json, as_text

    gates = Gates()
    with View(root_of(root)) as view:
        cells = status(view, gates)
        if output is Format.JSON:
            typer.echo(json(as_json(cells, gates.now, view.branch, view.base)), nl=False)
            return
        typer.echo(as_text(cells, gates.now), nl=False)
        if view.history.cut:
            typer.echo(f"kre: this clone has no older history: {view.objects.mend}", err=True)
