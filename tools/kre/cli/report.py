"""kre report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kre.cli.options import Env, Format, Formatted, Root, root_of


def command(
    root: Root = None,
    env: Env = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it.")] = Path("kre-report.html"),
    output: Formatted = Format.TEXT,
) -> None:
    """Write one page about the environments: whose pods can be deleted by whom, and who can become whom.

    The page needs neither scripts nor the network. With --format json the same goes to standard output, and no file is
    written.

    \b
    Examples:
      kre report
      kre report --env prod --out prod.html

    Exit codes: 0 fine, 1 an environment could not be rendered, 2 usage or configuration, 3 a tool failed.
    """
    from kre.cli.session import atlases
    from kre.doors import files
    from kre.rbac.reach.survey import survey
    from kre.report.json import json
    from kre.report.page import page
    from kre.report.reach import as_json

    found = [(atlas, survey(atlas.policy, atlas.ground)) for atlas in atlases(root_of(root), env)]
    if output is Format.JSON:
        typer.echo(json({"version": 1, "environments": [as_json(*one) for one in found]}), nl=False)
        return
    files.write(out, page(found).encode())
    typer.echo(f"wrote {out}")
