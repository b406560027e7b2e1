"""The tokens, as the Secrets that carry them: the webhook's in two, each response's in one.

A response's token is its name towards the dispatcher: its Sensor sends it, the dispatcher holds it against its own.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any, TypeAlias

from kre.errors import UsageError

Object: TypeAlias = dict[str, Any]

# The names are those of base/pipeline (EventSource `falco`, authSecret) and of base/falcosidekick (existingSecret).
EVENTSOURCE = ("kre-pipeline", "falco-webhook-token")
FALCOSIDEKICK = ("falco", "falcosidekick-webhook")
PIPELINE = "kre-pipeline"  # where the Sensors are, and the dispatcher
# Falcosidekick splits headers at commas and drops one with a second colon (config.go): neither may be in a token.
_TOKEN = re.compile(r"[A-Za-z0-9_.~+/=-]{16,512}")


def make_token() -> str:
    """A new token of 256 random bits, in letters that fit in a header, a Secret and a shell."""
    return secrets.token_urlsafe(32)


def check_token(token: str) -> str:
    """A given token, if it can be one. Raises UsageError that does not repeat it."""
    if not _TOKEN.fullmatch(token):
        hint = "16 to 512 letters, digits and _ . ~ + / = - (with a colon or comma Falcosidekick would drop the header)"
        raise UsageError("the token can't be used", hint)
    return token


def token_objects(token: str) -> Iterator[Object]:
    """The two Secrets that carry the webhook's token, each with its namespace, which the first sync may not have made
    yet."""
    for (namespace, name), data in (
        (EVENTSOURCE, {"token": token}),
        (FALCOSIDEKICK, {"WEBHOOK_CUSTOMHEADERS": f"Authorization:Bearer {token}"}),
    ):
        yield namespace_object(namespace)
        yield _secret(namespace, name, data)


def external_objects(store: str, key: str) -> Iterator[Object]:
    """The same as ExternalSecrets (external-secrets.io/v1): the token stays in a store, under `key`."""
    for (namespace, name), data in (
        (EVENTSOURCE, {"token": "{{ .token }}"}),
        (FALCOSIDEKICK, {"WEBHOOK_CUSTOMHEADERS": "Authorization:Bearer {{ .token }}"}),
    ):
        yield namespace_object(namespace)
        yield _external(namespace, name, data, store, key)


def response_object(response: str, token: str) -> Object:
    """The Secret with the token of a response."""
    return _secret(PIPELINE, _name(response), {"authorization": f"Bearer {token}"}, response)


def external_response_object(response: str, store: str, key: str) -> Object:
    """The same as an ExternalSecret; the token is in the store under `key`."""
    return _external(PIPELINE, _name(response), {"authorization": "Bearer {{ .token }}"}, store, key, response)


def response_key(response: str) -> str:
    """Where a store has the token of a response, unless something else is said."""
    return f"kre/{_name(response)}"


def namespace_object(namespace: str) -> Object:
    """A Namespace, as plain as that of the bundle lets it be."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}


def _name(response: str) -> str:
    return f"{response}-dispatch-token"


def _metadata(namespace: str, name: str, response: str) -> Object:
    labels = {"app.kubernetes.io/part-of": "kre"} | ({"kre/response": response} if response else {})
    return {"name": name, "namespace": namespace, "labels": labels}


def _secret(namespace: str, name: str, data: dict[str, str], response: str = "") -> Object:
    metadata = _metadata(namespace, name, response)
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "stringData": data}


def _external(namespace: str, name: str, data: dict[str, str], store: str, key: str, response: str = "") -> Object:
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": _metadata(namespace, name, response),
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
            "target": {"name": name, "template": {"data": data}},
            "data": [{"secretKey": "token", "remoteRef": {"key": key}}],
        },
    }
