"""`kre`: finds the command, runs it, and turns whatever goes wrong into one line and an exit code."""

from __future__ import annotations

import os
import signal
import sys

import typer

from kre import __version__
from kre.cli import (
    approve,
    diff,
    doctor,
    hold,
    init,
    promote,
    rbac,
    record,
    render,
    report,
    response,
    rollback,
    rule,
    rules,
    schemas,
    status,
    target,
    token,
    validate,
)
from kre.doors import command
from kre.errors import Exit, KreError
from kre.report.printable import printable

app = typer.Typer(
    name="kre",
    help="Keeps a repository of Falco, Argo Events and Argo Workflows correct. Reference: docs/ in the repository.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        typer.echo(f"kre {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        raise typer.Exit(Exit.USAGE)


app.command("validate")(validate.command)
app.command("render")(render.command)
app.command("diff")(diff.command)
app.command("report")(report.command)
app.command("rules")(rules.list_command)
app.command("explain")(rules.explain_command)
app.command("init")(init.command)
app.add_typer(rule.app, name="rule")
app.add_typer(response.app, name="response")
app.add_typer(target.app, name="target")
app.command("status")(status.command)
app.command("promote")(promote.command)
app.command("rollback")(rollback.command)
app.command("hold")(hold.hold_command)
app.command("unhold")(hold.unhold_command)
app.command("approve")(approve.command)
app.command("token")(token.command)
app.command("doctor")(doctor.command)
app.add_typer(record.app, name="record")
app.add_typer(rbac.app, name="rbac")
app.add_typer(schemas.app, name="schemas")


def _interrupt(*_: object) -> None:
    """First the tools, then kre: Python drops an exception that comes up inside of some of its callbacks."""
    command.stop_all()
    raise KeyboardInterrupt


def main() -> int:
    """Runs the command of sys.argv. Returns the exit code (kre.errors.Exit)."""
    signal.signal(signal.SIGINT, _interrupt)
    try:
        app(prog_name="kre")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        return _fail("interrupted", "", Exit.INTERRUPTED) if code == Exit.INTERRUPTED else code
    except KeyboardInterrupt:
        return _fail("interrupted", "", Exit.INTERRUPTED)
    except KreError as error:
        return _fail(str(error), error.hint, error.exit)
    except BrokenPipeError:  # somebody downstream had enough: `kre rules | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except Exception as error:
        if os.environ.get("KRE_DEBUG"):
            raise
        hint = "this is a fault of kre: please report it, with what KRE_DEBUG=1 prints"
        return _fail(f"{type(error).__name__}: {error}", hint, Exit.TOOL)
    return Exit.OK


def _fail(message: str, hint: str, code: Exit) -> Exit:
    sys.stdout.flush()
    for line in message.splitlines():
        typer.echo(f"kre: {printable(line)}", err=True)
    if hint:
        typer.echo(f"     {printable(hint)}", err=True)
    return code
