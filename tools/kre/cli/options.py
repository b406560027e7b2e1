"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How a command prints what it has to say."""

    TEXT = "text"
    JSON = "json"


Root = Annotated[
    Path | None,
    typer.Option(
        "--root", metavar="DIR", help="The repository, or a folder of manifests. Default: the one you are in."
    ),
]
Env = Annotated[list[str] | None, typer.Option("--env", metavar="ENV", help="Only this environment; repeatable.")]
Charts = Annotated[
    bool,
    typer.Option("--charts", help="With the RBAC of charts: fetched and rendered by helm, kept in the cache."),
]
Formatted = Annotated[Format, typer.Option("--format", help="How to print.")]


def root_of(given: Path | None) -> Path:
    """The folder to work on: as given, else the repository around the current one."""
    from kre.load.layout import find_root

    return given if given is not None else find_root(Path.cwd())
