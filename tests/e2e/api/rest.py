"""Where an object lives on an API server, and server-side apply as a question about it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from e2e.http import APPLY, Http, Question
from e2e.kinds import Kind, Kinds
from e2e.kubectl import Object

# Of whom nothing is: with force, a dry run is judged as if the whole object were new or changed.
MANAGER = "kre-e2e"


class Rest:
    """The kinds that a server serves."""

    def __init__(self, http: Http) -> None:
        self.http, self._kinds = http, Kinds(http)

    def serves(self, version: str, kind: str) -> bool:
        return self._kinds.of(version, kind) is not None

    def namespaced(self, body: Mapping[str, Any]) -> bool:
        return self._kind(body).namespaced

    def _kind(self, body: Mapping[str, Any]) -> Kind:
        found = self._kinds.of(body["apiVersion"], body["kind"])
        assert found is not None, f"{body['kind']} of {body['apiVersion']} is not served"
        return found

    def path(self, body: Mapping[str, Any]) -> str:
        """The path of an object of a kind that is served; one without a usable name is called `nameless`."""
        head = body["metadata"] if isinstance(body.get("metadata"), Mapping) else {}
        name, namespace = (head.get(key) if isinstance(head.get(key), str) else "" for key in ("name", "namespace"))
        return self._kind(body).path(quote(namespace or "default", safe=""), quote(name or "nameless", safe=""))

    def dry_run(self, body: Mapping[str, Any]) -> Question:
        """Server-side apply that changes nothing and passes over nothing."""
        query = f"dryRun=All&fieldManager={MANAGER}&force=true&fieldValidation=Strict"
        return Question("PATCH", f"{self.path(body)}?{query}", body, APPLY)


def moved(body: Mapping[str, Any], namespace: str) -> Object:
    """The same object in another namespace, if its metadata can say so."""
    made: Object = copy.deepcopy(dict(body))
    if isinstance(made.get("metadata"), dict):
        made["metadata"]["namespace"] = namespace
    return made
