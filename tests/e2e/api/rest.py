"""Where an object lives on an API server, and server-side apply as a question about it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote

from e2e.http import APPLY, Http, Question
from e2e.kubectl import Object

# Of whom nothing is: with force, a dry run is judged as if the whole object were new or changed.
MANAGER = "kre-e2e"


class Rest:
    """The kinds that a server serves."""

    def __init__(self, http: Http) -> None:
        self.http = http
        self._kinds = cache(self._discovered)

    def _discovered(self, version: str) -> Mapping[str, tuple[str, bool]]:
        """kind -> (plural, namespaced) of an apiVersion; nothing where it is not served."""
        reply = self.http.ask("GET", f"/{_prefix(version)}")
        listed = reply.body["resources"] if reply.status == 200 else []
        return {item["kind"]: (item["name"], item["namespaced"]) for item in listed if "/" not in item["name"]}

    def serves(self, version: str, kind: str) -> bool:
        return kind in self._kinds(version)

    def namespaced(self, body: Mapping[str, Any]) -> bool:
        return self._kinds(body["apiVersion"])[body["kind"]][1]

    def path(self, body: Mapping[str, Any]) -> str:
        """The path of an object of a kind that is served; one without a usable name is called `nameless`."""
        version, (plural, namespaced) = body["apiVersion"], self._kinds(body["apiVersion"])[body["kind"]]
        head = body["metadata"] if isinstance(body.get("metadata"), Mapping) else {}
        name, namespace = (head.get(key) if isinstance(head.get(key), str) else "" for key in ("name", "namespace"))
        place = f"namespaces/{quote(namespace or 'default', safe='')}/" if namespaced else ""
        return f"/{_prefix(version)}/{place}{plural}/{quote(name or 'nameless', safe='')}"

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


def _prefix(version: str) -> str:
    return f"apis/{version}" if "/" in version else f"api/{version}"
