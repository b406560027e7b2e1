"""kre record close."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from kre.cli.options import Format, Formatted
from kre.errors import Exit, UsageError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The engine's record: whether it closes.")


@app.callback()
def _group() -> None:
    """The engine's record: whether it closes."""


@app.command("close")
def close_command(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...", help="Logs of intakes, dispatchers and recorders; - is standard input."),
    ] = None,
    cluster: Annotated[bool, typer.Option("--cluster", help="Read the logs of kubectl's context.")] = False,
    context: Annotated[
        str | None, typer.Option("--context", metavar="CTX", help="The context of kubectl. Default: the current one.")
    ] = None,
    sent: Annotated[
        str | None,
        typer.Option("--sent", metavar="FILE", help="What was sent: a uuid a line, or objects with uuid and status."),
    ] = None,
    grace: Annotated[
        float, typer.Option("--grace", metavar="S", min=0, help="How long a Workflow may take to end, in seconds.")
    ] = 4200,
    output: Formatted = Format.TEXT,
) -> None:
    """Count what became of every alert, and name those that the record has lost. 1 where it does not close.

    \b
    Examples:
      kre record close --cluster
      kubectl -n kre-pipeline logs -l 'app.kubernetes.io/name in (intake,dispatcher,recorder)' > log
      kre record close log
      kre record close records.jsonl --sent sent.jsonl --format json
    """
    from kre.record.account import close, parse, parse_sent
    from kre.report import record as report
    from kre.report.json import json

    if bool(files) is cluster:
        raise UsageError("name files, - for standard input, or --cluster", "kre record close --help")
    lines, unreadable = parse(_of_cluster(context or "") if cluster else _of_files(files or []))
    if not lines:
        raise UsageError("there is no record in it: nothing was counted", "logs of intakes, dispatchers and recorders")
    try:
        known = None if sent is None else parse_sent(_of_files([sent]))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{sent}: {error}", "a uuid a line, or objects with uuid and status") from None
    account = close(lines, known, time.time(), grace, unreadable)
    typer.echo(json(report.as_json(account)) if output is Format.JSON else report.as_text(account), nl=False)
    if account.gaps or unreadable:
        raise typer.Exit(Exit.FINDINGS)


def _of_files(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        try:
            text = typer.get_text_stream("stdin").read() if name == "-" else Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{name}: {error}") from None
        yield from text.splitlines()


def _of_cluster(context: str) -> list[str]:
    from kre.doors.kubectl import Kubectl
    from kre.record.logs import lines

    with Kubectl(context).proxy(timeout=60) as api:
        return list(lines(api))
