"""Where an API server serves a kind: what `kubectl api-resources` knows, asked once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from e2e.http import Http

AGGREGATED = "application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList"


@dataclass(frozen=True)
class Kind:
    """A kind by the resource that serves it."""

    prefix: str  # /api/v1, /apis/argoproj.io/v1alpha1
    resource: str
    namespaced: bool
    api_version: str
    kind: str

    def path(self, namespace: str, name: str = "") -> str:
        place = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{self.prefix}{place}/{self.resource}" + (f"/{name}" if name else "")


class Kinds:
    """By every name that kubectl takes for them: plural, singular, short, with the group behind it or without."""

    def __init__(self, http: Http) -> None:
        self._http, self._known = http, dict[str, Kind]()
        self._versions: dict[tuple[str, str], Kind] = {}

    def get(self, name: str) -> Kind | None:
        """None where no such kind is served: a CRD may come and go."""
        if name.lower() not in self._known:
            self._known = self._ask()
        return self._known.get(name.lower())

    def of(self, version: str, kind: str) -> Kind | None:
        """The one of an apiVersion, None where it was not served when this was first asked."""
        if not self._versions:
            self._known = self._ask()
        return self._versions.get((version, kind))

    def _ask(self) -> dict[str, Kind]:
        found: dict[str, Kind] = {}
        for kind, group, names in self._served():
            self._versions.setdefault((kind.api_version, kind.kind), kind)
            for name in names:
                found.setdefault(name, kind)  # the core group comes first, and a group's own favourite version
                found.setdefault(f"{name}.{group}", kind)
        return found

    def _served(self) -> Iterator[tuple[Kind, str, tuple[str, ...]]]:
        """Every kind, with its group and its names, in the order that the server prefers."""
        for root in ("/api", "/apis"):
            answer = self._http.ask("GET", root, headers=[("Accept", AGGREGATED)])
            for item in answer.body["items"]:
                group = item["metadata"].get("name", "")
                for version in item["versions"]:
                    served = "/".join(filter(None, (group, version["version"])))
                    for resource in version["resources"]:
                        yield _kind(root, served, resource), group, _names(resource)


def _kind(root: str, served: str, resource: dict[str, Any]) -> Kind:
    namespaced = resource["scope"] == "Namespaced"
    return Kind(f"{root}/{served}", resource["resource"], namespaced, served, resource["responseKind"]["kind"])


def _names(resource: dict[str, Any]) -> tuple[str, ...]:
    found = (resource["resource"], resource.get("singularResource"), resource["responseKind"]["kind"].lower())
    return tuple(filter(None, (*found, *resource.get("shortNames", ()))))
