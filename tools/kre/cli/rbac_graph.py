"""kre rbac graph."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kre.cli.options import Env, Root, root_of


class GraphFormat(StrEnum):
    """How the graph is printed."""

    MERMAID = "mermaid"
    TEXT = "text"
    JSON = "json"


def graph_command(
    root: Root = None,
    env: Env = None,
    output: Annotated[
        GraphFormat, typer.Option("--format", help="How to print: a drawing, lines with their files, or JSON.")
    ] = GraphFormat.MERMAID,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it there instead.", show_default=False)
    ] = None,
) -> None:
    """Draw who can become whom, whose pods they can delete, and which of them reach what is worth most.

    That is cluster-admin, a node, every Secret, the engine itself, and Argo CD. A line that something narrows down
    already, such as a controller that is Strict, is dashed. Admission policies are named, and take no line away. The
    text has the files and lines of each right.

    \b
    Examples:
      kre rbac graph --env prod
      kre rbac graph --format text
      kre rbac graph --out rights.mmd

    Exit codes: 0 fine, 1 an environment could not be rendered, 2 usage or configuration, 3 a tool failed.
    """
    from kre.cli.session import atlases
    from kre.doors import files
    from kre.rbac.reach.survey import survey
    from kre.report import rights
    from kre.report.json import json
    from kre.report.mermaid import mermaid
    from kre.report.reach import as_json, as_text

    found = [(atlas, survey(atlas.policy, atlas.ground)) for atlas in atlases(root_of(root), env)]
    unseen = rights.unseen(atlas for atlas, _ in found)
    if output is GraphFormat.JSON:
        made = json({"version": 1, "environments": [as_json(*one) for one in found]})
    elif output is GraphFormat.TEXT:
        made = "".join(f"{line}\n" for one in found for line in as_text(*one))
        made += "".join(f"{line}\n" for line in unseen)
    else:
        made = "".join(f"%% {line}\n" for line in unseen) + mermaid(found)
    if out is None:
        typer.echo(made, nl=False)
        return
    files.write(out, made.encode())
    typer.echo(f"wrote {out}")
