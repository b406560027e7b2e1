"""kre diff."""

from __future__ import annotations

import contextlib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kre.cli.options import Root, root_of

if TYPE_CHECKING:
    from kre.compare.content import FileDelta
    from kre.model.bundle import Bundle
    from kre.model.comparison import Comparison

Found = list[tuple["Comparison", tuple["FileDelta", ...]]]


class DiffFormat(StrEnum):
    """How differences are printed."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def command(
    before: Annotated[
        str,
        typer.Argument(metavar="A", help="An environment, a revision, or REVISION:ENVIRONMENT.", show_default=False),
    ],
    after: Annotated[
        str, typer.Argument(metavar="[B]", help="The same. Default: what is in the work tree.", show_default=False)
    ] = "",
    root: Root = None,
    env: Annotated[
        list[str] | None, typer.Option("--env", metavar="ENV", help="Of revisions only this environment; repeatable.")
    ] = None,
    summary: Annotated[bool, typer.Option("--summary", help="Without the objects line by line.")] = False,
    output: Annotated[DiffFormat, typer.Option("--format", help="How to print.")] = DiffFormat.TEXT,
) -> None:
    """Compare two environments, or the same ones at two revisions: files, objects, rights, responses, risks.

    What two environments are called differently is no difference. Values of Secrets are never printed.

    \b
    Examples:
      kre diff staging prod
      kre diff main
      kre diff v1.2:prod v1.3:prod --summary
      kre diff HEAD~1 HEAD --env prod --format markdown

    Exit codes: 0 fine, differing or not; 2 usage or configuration, 3 a tool failed.
    """
    from kre.cli.session import progress

    with progress("rendering and comparing"):
        found = _compared(root_of(root), before, after, env)
    typer.echo(_printed(found, output, diff=not summary), nl=False)


def _printed(found: Found, output: DiffFormat, *, diff: bool) -> str:
    if output is DiffFormat.JSON:
        from kre.report.difference import as_json
        from kre.report.json import json

        return json({"version": 1, "environments": [as_json(one, files, diff=diff) for one, files in found]})
    if output is DiffFormat.MARKDOWN:
        from kre.report.difference_markdown import as_markdown
        from kre.report.markdown import capped

        lines = [line for one, files in found for line in as_markdown(one, files, diff=diff)]
        return capped(lines, "Cut here: `kre diff --format text` has all of it.")
    from kre.report.difference import as_text

    return "\n".join(as_text(one, files, diff=diff) for one, files in found)


def _compared(root: Path, before: str, after: str, env: list[str] | None) -> Found:
    from kre.compare.content import content
    from kre.compare.environment import compare
    from kre.compare.objects import side
    from kre.load.layout import environments
    from kre.load.revision import at
    from kre.load.sources import Sources

    known = [environment.name for environment in environments(Sources(root))]
    (old, old_name), (new, new_name) = (_named(text, known) for text in (before, after))
    old_name, new_name = old_name or new_name, new_name or old_name
    if old == new and old_name == new_name:
        _same(before)
    with contextlib.ExitStack() as stack:
        if old == new:
            first = second = stack.enter_context(at(root, old, _only([old_name, new_name], env)))
        else:
            first = stack.enter_context(at(root, old, _only([old_name], env)))
            second = stack.enter_context(at(root, new, _only([new_name], env)))
        pairs = [(old_name, new_name)] if old_name else [(name, name) for name in _names(first, second)]
        return [
            (compare(first, second, one, other), content(side(first, one), side(second, other))) for one, other in pairs
        ]


def _same(name: str) -> None:
    from kre.errors import UsageError

    raise UsageError(f"{name} is compared with itself", "name another environment, or a revision: kre diff --help")


def _only(names: list[str], env: list[str] | None) -> list[str] | None:
    wanted = [name for name in names if name]
    return wanted or env


def _names(*bundles: Bundle) -> list[str]:
    """The environments that were rendered on either side, in the order of the newer."""
    found: dict[str, None] = {}
    for bundle in reversed(bundles):
        rendered = {root.environment for root in bundle.roots}
        found.update((item.name, None) for item in bundle.environments if item.name in rendered)
    return list(found)


def _named(text: str, known: list[str]) -> tuple[str, str]:
    """(revision, environment) of an argument; "" for the work tree, and for all of them."""
    if text in known or not text:
        return "", text
    revision, colon, name = text.rpartition(":")
    return (revision, name) if colon and revision else (text, "")
