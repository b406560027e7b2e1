"""kre init."""

from __future__ import annotations

from typing import Annotated

import typer

from kre.cli.options import Format, Formatted, Root, root_of


def command(
    repo_url: Annotated[
        str | None,
        typer.Option("--repo-url", metavar="URL", help="Your repository's URL. Default: that of the remote origin."),
    ] = None,
    revision: Annotated[
        str | None, typer.Option("--revision", metavar="REV", help="The branch that Argo CD follows.")
    ] = None,
    root: Root = None,
    output: Formatted = Format.TEXT,
) -> None:
    """Set your fork's URL in the facts of every environment, all at once.

    Everything else takes it from there. Only the values change: comments and layout stay.

    \b
    Examples:
      kre init --repo-url https://git.example.org/security/kre.git
      kre init --repo-url https://git.example.org/security/kre.git --revision production
    """
    from kre.doors import files, git
    from kre.edit.facts import facts_files, new_facts
    from kre.edit.splice import splice
    from kre.report.json import json

    folder = root_of(root)
    values = new_facts(repo_url or git.origin(folder), revision)
    contents = {path: splice(path.name, files.read(path), values) for path in facts_files(folder)}
    changed = {path: content for path, content in contents.items() if content != path.read_bytes()}
    files.write_all(changed)
    names = [path.relative_to(folder).as_posix() for path in contents]
    if output is Format.JSON:
        typer.echo(json({"version": 1, "files": names, "changed": len(changed)}), nl=False)
        return
    for path in contents:
        typer.echo(f"{'changed' if path in changed else 'as it was':<10} {path.relative_to(folder).as_posix()}")
    if changed:
        typer.echo("next: commit and push, then `kre token | kubectl apply -f -` and `kubectl apply -k apps/<env>`")
