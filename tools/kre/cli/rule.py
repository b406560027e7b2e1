"""kre rule add, kre rule remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kre.cli.editing import Dry, finish
from kre.cli.options import Format, Formatted, Root, root_of

if TYPE_CHECKING:
    from kre.edit.draft import Draft

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Which Falco rules a response answers to.")

Rule = Annotated[
    str, typer.Argument(metavar="RULE", help="A rule's name, as Falco writes it in an alert.", show_default=False)
]
Response = Annotated[
    str, typer.Option("--response", metavar="R", help="The response, a folder of base/responses/options.")
]


@app.command("add")
def add_command(
    rule: Rule, response: Response, dry_run: Dry = False, root: Root = None, output: Formatted = Format.TEXT
) -> None:
    """Let a response answer to one more rule, in base/: dev runs it next, other environments after a promotion.

    A rule has one response. A name that Falco's stable rules and the customRules of base/falco/values.yaml do not
    have is taken, with a warning.

    \b
    Examples:
      kre rule add "Terminal shell in container" --response delete-pod
      kre rule add "Netcat Remote Code Execution in Container" --response label-pod --dry-run
    """
    from kre.edit.draft import Draft
    from kre.edit.repository import require_repository
    from kre.edit.rules import add_rule

    draft = Draft(root_of(root))
    require_repository(draft.root)
    _finish(draft, response, add_rule(draft, response, rule), output, dry_run=dry_run)


@app.command("remove")
def remove_command(
    rule: Rule, response: Response, dry_run: Dry = False, root: Root = None, output: Formatted = Format.TEXT
) -> None:
    """Let a response answer to a rule no more, in base/. Without any rule its Sensor lets no alert through.

    \b
    Example:
      kre rule remove "Terminal shell in container" --response delete-pod
    """
    from kre.edit.draft import Draft
    from kre.edit.repository import require_repository
    from kre.edit.rules import remove_rule

    draft = Draft(root_of(root))
    require_repository(draft.root)
    _finish(draft, response, remove_rule(draft, response, rule), output, dry_run=dry_run)


def _finish(draft: Draft, response: str, warnings: list[str], output: Format, *, dry_run: bool) -> None:
    from kre.edit.rules import rules_of

    rules = rules_of(draft, response)
    said = ", ".join(f'"{name}"' for name in rules) or "no rule: its Sensor lets no alert through"
    steps = [f"`kre validate`, commit and push; {response} answers to {said}"]
    facts = {"response": response, "rules": rules}
    finish(draft, facts, output=output, dry_run=dry_run, warnings=warnings, steps=steps)
