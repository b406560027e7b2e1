"""kre doctor."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kre import __version__
from kre.cli.options import Format, Formatted, Root, root_of
from kre.errors import Exit, UsageError

if TYPE_CHECKING:
    from kre.cluster.result import Result
    from kre.model.bundle import Bundle


def command(
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Examine the cluster of kubectl's context, and send a test alert.")
    ] = False,
    env: Annotated[
        str | None,
        typer.Option("--env", metavar="ENV", help="The environment of the cluster. Default: as its Argo CD says."),
    ] = None,
    context: Annotated[
        str | None, typer.Option("--context", metavar="CTX", help="The context of kubectl. Default: the current one.")
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="S", min=1, help="How long to wait for each hop, in seconds.")
    ] = 30.0,
    send: Annotated[bool, typer.Option("--send/--no-send", help="Whether to send the test alert.")] = True,
    root: Root = None,
    output: Formatted = Format.TEXT,
) -> None:
    """Say which tools were found, and how to install what is missing; with --cluster, what ails an environment.

    The test alert is about a pod that is not there: in no mode does a response act on it. It leaves a Workflow, which
    goes after a day. Nothing else is changed.

    \b
    Examples:
      kre doctor
      kre doctor --cluster --env dev
      kre doctor --cluster --env prod --context prod --no-send --format json
    """
    if cluster:
        _examine(root_of(root), env, context or "", timeout if send else None, output)
        return
    if env or context or not send:
        raise UsageError("--env, --context and --no-send are about a cluster", "add --cluster")
    _tools(output)


def _tools(output: Format) -> None:
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


def _examine(root: Path, env: str | None, context: str, timeout: float | None, output: Format) -> None:
    """Prints what was found, line by line on the way. `timeout` is None where no alert is to be sent."""
    from kre.cli.session import progress
    from kre.cluster.doctor import environment_of, examine
    from kre.cluster.wanted import wanted
    from kre.doors.kubectl import Kubectl
    from kre.report import cluster as report
    from kre.report.json import json
    from kre.report.printable import printable

    kubectl = Kubectl(context)
    with kubectl.proxy() as api:
        server = kubectl.server()
        name = environment_of(root, env, api, server)
        with progress(f"rendering {name}"):
            bundle = _rendered(root, name)
        if output is Format.TEXT:
            typer.echo(printable(f"{name} on {server}"))
        found: list[Result] = []
        for line in report.lines(_kept(examine(wanted(bundle, name), kubectl, api, server, timeout), found)):
            if output is Format.TEXT:
                typer.echo(line, nl=False)
    if output is Format.JSON:
        typer.echo(json(report.as_json(name, server, found)), nl=False)
    else:
        typer.echo(report.summary(found), nl=False)
    if any(result.status == "failed" for result in found):
        raise typer.Exit(Exit.FINDINGS)


def _kept(results: Iterable[Result], found: list[Result]) -> Iterator[Result]:
    """The results as they come, each added to `found` on the way."""
    for result in results:
        found.append(result)
        yield result


def _rendered(root: Path, name: str) -> Bundle:
    """The environment. Ends the program where it can't be rendered, with why."""
    from kre.load.bundle import load
    from kre.report.printable import printable

    bundle = load(root, [name])
    failed = [problem for problem in bundle.problems if problem.environments]
    for problem in failed:
        typer.echo(printable(f"{problem.place}: {problem.rule}: {problem.message}"), err=True)
    if failed:
        raise typer.Exit(Exit.USAGE)
    return bundle
