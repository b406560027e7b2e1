"""kre approve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kre.cli.branching import Dry, Environment, Push, finish, opened
from kre.cli.options import Format, Formatted, Root
from kre.errors import UsageError

if TYPE_CHECKING:
    from kre.promote.view import View


def command(
    environment: Environment,
    component: Annotated[str, typer.Argument(metavar="COMPONENT", help="What may enter.", show_default=False)],
    key: Annotated[
        str,
        typer.Option("--key", metavar="FILE", help="The SSH key to sign with. Default: git config user.signingKey."),
    ] = "",
    digest: Annotated[
        str,
        typer.Option("--digest", metavar="DIGEST", help="Exactly these bytes. Default: what would be promoted now."),
    ] = "",
    push: Push = "",
    dry_run: Dry = False,
    root: Root = None,
    output: Formatted = Format.TEXT,
) -> None:
    """Sign that a component may enter an environment with the bytes that would be promoted now.

    A commit on branch approve/ENV/COMPONENT/KEY with the signature as a file; it counts from its merge on. Only whom
    overlays/allowed-signers names on the default branch can approve, and nobody their own promotion.

    \b
    Examples:
      kre approve prod falco --push origin
      kre approve prod falco --key ~/.ssh/id_ed25519 --dry-run
    """
    from datetime import UTC, datetime

    from kre.promote import approve

    with opened(root, environment) as (view, step):
        now = datetime.now(UTC)
        known = approve.digest_of(view, step, component, now)
        if digest and digest != known:
            message = f"{component} would enter {environment} with {known}, not with {digest}"
            raise UsageError(message, "look at what changed: kre promote --dry-run")
        made = approve.approve(view, step, component, known, _key(view, key), now, push)
        change = approve.change(view, step, made)
        facts = {"environment": environment, "component": component, "digest": known, "by": made.by.names[0]}
        if made.merged:
            raise UsageError(f"{made.by.names[0]} has approved {component} {known[:19]}... already: {made.path}")
        finish(view, change, facts, output=output, dry_run=dry_run, push=push)


def _key(view: View, given: str) -> str:
    """The key to sign with: as given, else the one that Git signs with. Raises UsageError where there is none."""
    if given:
        return given
    from kre.doors.git.plumbing import Plumbing

    git = Plumbing(view.objects.folder)
    form, key = git.setting("gpg.format"), git.setting("user.signingKey")
    if form != "ssh" or not key:
        raise UsageError("Git signs with no SSH key here", "name one: --key FILE")
    return key.removeprefix("key::")
