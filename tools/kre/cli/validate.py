"""kre validate."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kre.cli.options import Charts, Root, root_of
from kre.errors import Exit

if TYPE_CHECKING:
    from kre.report.result import Result


class Engine(StrEnum):
    """Who checks objects against their schemas. The names are those of kre.schema.check."""

    JSONSCHEMA = "jsonschema"
    KUBECONFORM = "kubeconform"
    BOTH = "both"


class ValidateFormat(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"


Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILES...", help="Only the environments that these files are part of.", show_default=False),
]


def command(
    files: Files = None,
    root: Root = None,
    env: Annotated[
        list[str] | None, typer.Option("--env", metavar="ENV", help="Only this environment; may be repeated.")
    ] = None,
    engine: Annotated[Engine, typer.Option("--engine", help="Who checks the schemas.")] = Engine.JSONSCHEMA,
    changed_since: Annotated[
        str | None,
        typer.Option("--changed-since", metavar="REV", help="Compare with this revision as well (rules R7, P01-P16)."),
    ] = None,
    acknowledge_radius: Annotated[
        bool,
        typer.Option("--acknowledge-radius", help="R7 only warns: the owners know that several environments change."),
    ] = False,
    output: Annotated[ValidateFormat, typer.Option("--format", help="How to print findings.")] = ValidateFormat.TEXT,
    charts: Charts = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Do not take the result of an equal run before.")
    ] = False,
) -> None:
    """Check everything that can fail a commit: YAML, Kustomize, schemas, layout, references.

    Renders every environment as Argo CD would and points at the source line of whatever is wrong. A folder without
    overlays/environments.yaml is taken as plain manifests and Kustomize roots.

    \b
    Examples:
      kre validate
      kre validate --env prod --engine both
      kre validate --root manifests/ --format json
      kre validate --charts

    Exit codes: 0 fine, 1 findings, 2 usage or configuration, 3 a tool failed.
    """
    from kre.cli.session import validated
    from kre.report.result import count

    made = validated(
        root_of(root),
        files=files,
        environments=env,
        engine=engine.value,
        since=changed_since,
        acknowledged=frozenset({"R7"} if acknowledge_radius else ()),
        charts=charts,
        use_cache=not no_cache,
    )
    if made is None:
        typer.echo("nothing to check: the files given are part of no environment")
        return
    typer.echo(_printed(made, output), nl=False)
    if count(made, "error"):
        raise typer.Exit(Exit.FINDINGS)
    if made["checked"]["objects"] == 0:
        typer.echo("kre: no object was checked: is this the right folder?", err=True)
        raise typer.Exit(Exit.USAGE)


def _printed(made: Result, output: ValidateFormat) -> str:
    """Each format is a module of kre.report with a function of its name."""
    from importlib import import_module

    return str(getattr(import_module(f"kre.report.{output}"), output)(made))
