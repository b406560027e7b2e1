"""kre token."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from kre.cli.options import Root, root_of
from kre.errors import UsageError


class TokenFormat(StrEnum):
    """As which objects the tokens are printed."""

    SECRET = "secret"  # noqa: S105 - a format
    EXTERNAL = "external-secret"


def command(
    output: Annotated[TokenFormat, typer.Option("--format", help="As which objects.")] = TokenFormat.SECRET,
    response: Annotated[
        str | None, typer.Option("--response", metavar="R", help="Only the token of this response.")
    ] = None,
    stdin: Annotated[
        bool,
        typer.Option(
            "--stdin", help="Take the token (the webhook's, or that of --response) from standard input, not a new one."
        ),
    ] = False,
    store: Annotated[
        str | None, typer.Option("--store", metavar="NAME", help="external-secret: the ClusterSecretStore.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="KEY",
            help="external-secret: the token's key there. "
            "Default: kre/webhook-token, and kre/R-dispatch-token for each response.",
        ),
    ] = None,
    root: Root = None,
) -> None:
    """Print the tokens as Secrets: the webhook's in two, and one for each response that alerts start.

    The EventSource asks for the webhook's, Falcosidekick sends it. A response's Sensor sends its own, the dispatcher
    asks for it. New tokens each time; they are printed and kept nowhere. After a rotation restart Falcosidekick: it
    reads its environment once. For a response that was added later, or to rotate one, name it.

    \b
    Examples:
      kre token | kubectl apply -f -
      kre token --response isolate-pod | kubectl apply -f -
      kre token | kubeseal --format yaml > sealed-token.yaml
      kre token --format external-secret --store vault | kubectl apply -f -
    """
    import yaml

    from kre.edit.token import check_token

    if output is TokenFormat.EXTERNAL and not store:
        raise UsageError("--format external-secret needs --store NAME")
    folder = root_of(root)
    names = _responses(folder, response, required=root is not None or response is not None)
    if output is TokenFormat.EXTERNAL and store:
        objects = _external(names, store, key, webhook=response is None)
    else:
        objects = _secrets(names, check_token(sys.stdin.readline().strip()) if stdin else None, webhook=not response)
    typer.echo("---\n".join(yaml.safe_dump(item, sort_keys=False) for item in objects), nl=False)
    if not names:
        typer.echo("kre: no responses were found here: the tokens of the responses are left out", err=True)
        typer.echo("     run it in a clone of the repository, or name it with --root", err=True)


def _responses(root: Path, response: str | None, *, required: bool) -> list[str]:
    """The responses to make tokens for. Raises UsageError for an unknown one, or no repository where `required`."""
    from kre.edit.repository import require_repository, require_sensor, with_sensor

    if required:
        require_repository(root)
    if response is None:
        return with_sensor(root)
    require_sensor(root, response)
    return [response]


def _secrets(responses: list[str], given: str | None, *, webhook: bool) -> Iterator[dict[str, Any]]:
    """A token of its own for everything; a given one is the webhook's, or that of the one response without it."""
    from kre.edit.token import PIPELINE, make_token, namespace_object, response_object, token_objects

    if webhook:
        yield from token_objects(given or make_token())
    else:
        yield namespace_object(PIPELINE)
    for name in responses:
        yield response_object(name, given if given and not webhook else make_token())


def _external(responses: list[str], store: str, key: str | None, *, webhook: bool) -> Iterator[dict[str, Any]]:
    from kre.edit.token import PIPELINE, external_objects, external_response_object, namespace_object, response_key

    if webhook:
        yield from external_objects(store, key or "kre/webhook-token")
    else:
        yield namespace_object(PIPELINE)
    for name in responses:
        yield external_response_object(name, store, key if key and not webhook else response_key(name))
