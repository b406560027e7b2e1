"""kre token."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from kre.errors import UsageError


class TokenFormat(StrEnum):
    """As which objects the token is printed."""

    SECRET = "secret"  # noqa: S105 - a format
    EXTERNAL = "external-secret"


def command(
    output: Annotated[TokenFormat, typer.Option("--format", help="As which objects.")] = TokenFormat.SECRET,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Take the token from standard input instead of a new one.")
    ] = False,
    store: Annotated[
        str | None, typer.Option("--store", metavar="NAME", help="external-secret: the ClusterSecretStore.")
    ] = None,
    key: Annotated[
        str, typer.Option("--key", metavar="KEY", help="external-secret: the token's key there.")
    ] = "kre/webhook-token",
) -> None:
    """Print the two Secrets of the webhook's token: what the EventSource asks for, what Falcosidekick sends.

    A new token each time; it is printed as Secrets and kept nowhere. After a rotation restart Falcosidekick: it
    reads its environment once.

    \b
    Examples:
      kre token | kubectl apply -f -
      kre token | kubeseal --format yaml > sealed-token.yaml
      kre token --format external-secret --store vault | kubectl apply -f -
    """
    import yaml

    from kre.edit.token import check_token, external_objects, make_token, token_objects

    if output is TokenFormat.EXTERNAL:
        if not store:
            raise UsageError("--format external-secret needs --store NAME")
        objects = external_objects(store, key)
    else:
        objects = token_objects(check_token(sys.stdin.readline().strip()) if stdin else make_token())
    typer.echo("---\n".join(yaml.safe_dump(item, sort_keys=False) for item in objects), nl=False)
