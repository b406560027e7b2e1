"""kre doctor."""

from __future__ import annotations

import platform

import typer

from kre import __version__
from kre.cli.options import Format, Formatted
from kre.errors import Exit


def command(output: Formatted = Format.TEXT) -> None:
    """Say which tools were found, whether they will do, and how to install what is missing.

    \b
    Example:
      kre doctor
    """
    from kre.doors import tools
    from kre.report.json import json
    from kre.report.tools import Found, as_json, as_text, lacking

    found = []
    for tool in (tools.KUSTOMIZE, tools.KUBECTL, tools.KUBECONFORM, tools.HELM, tools.GIT):
        path = tools.locate(tool)
        version = tools.version(tool, path) if path else ""
        found.append(Found(tool.name, path or "", version, tools.too_old(tool, version), tool.install))
    own = {"kre": __version__, "python": platform.python_version()}
    typer.echo(json(as_json(own, found)) if output is Format.JSON else as_text(own, found), nl=False)
    if lacking(found):
        raise typer.Exit(Exit.TOOL)
