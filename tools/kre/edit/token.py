"""The webhook's token, as the two Secrets that carry it. Pure but for the random bits."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any

from kre.errors import UsageError

# The names are those of base/pipeline (EventSource `falco`, authSecret) and of base/falcosidekick (existingSecret).
EVENTSOURCE = ("kre-pipeline", "falco-webhook-token")
FALCOSIDEKICK = ("falco", "falcosidekick-webhook")
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


def token_objects(token: str) -> Iterator[dict[str, Any]]:
    """The two Secrets that carry a token, each with its namespace, which the first sync may not have made yet."""
    for (namespace, name), data in (
        (EVENTSOURCE, {"token": token}),
        (FALCOSIDEKICK, {"WEBHOOK_CUSTOMHEADERS": f"Authorization:Bearer {token}"}),
    ):
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        metadata = {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": "kre"}}
        yield {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "stringData": data}


def external_objects(store: str, key: str) -> Iterator[dict[str, Any]]:
    """The same as ExternalSecrets (external-secrets.io/v1): the token stays in a store, under `key`."""
    for (namespace, name), target, template in (
        (EVENTSOURCE, "token", "{{ .token }}"),
        (FALCOSIDEKICK, "WEBHOOK_CUSTOMHEADERS", "Authorization:Bearer {{ .token }}"),
    ):
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        yield {
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": "kre"}},
            "spec": {
                "refreshInterval": "1h",
                "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
                "target": {"name": name, "template": {"data": {target: template}}},
                "data": [{"secretKey": "token", "remoteRef": {"key": key}}],
            },
        }
