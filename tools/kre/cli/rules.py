"""kre rules, kre explain."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from kre.cli.options import Format, Formatted
from kre.errors import UsageError


class RulesFormat(StrEnum):
    """How the list of rules is printed."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def list_command(
    output: Annotated[RulesFormat, typer.Option("--format", help="How to print.")] = RulesFormat.TEXT,
) -> None:
    """List every rule: id, severity, where it applies, what it asks.

    \b
    Example:
      kre rules
    """
    from kre.report.json import json
    from kre.report.register import as_json, as_markdown, as_text
    from kre.rules.registry import all_rules

    known = all_rules()
    if output is RulesFormat.JSON:
        typer.echo(json(as_json(known)), nl=False)
    else:
        typer.echo((as_text if output is RulesFormat.TEXT else as_markdown)(known), nl=False)


def explain_command(
    name: Annotated[str, typer.Argument(metavar="ID", help="A rule's id, such as R1.", show_default=False)],
    output: Formatted = Format.TEXT,
) -> None:
    """Explain a rule: why it is there, a bad and a good example, how to mend it, what peers call it.

    \b
    Example:
      kre explain X01
    """
    from difflib import get_close_matches

    from kre.report.json import json
    from kre.report.register import as_json, page
    from kre.rules.registry import all_rules, get

    rule = get(name)
    if rule is None:
        near = get_close_matches(name.upper(), [known.id for known in all_rules()], 3)
        raise UsageError(f"there is no rule {name}", f"did you mean {', '.join(near)}?" if near else "see: kre rules")
    typer.echo(json(as_json([rule], pages=True)) if output is Format.JSON else page(rule), nl=False)
