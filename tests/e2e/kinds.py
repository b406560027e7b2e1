"""Where an API server serves a kind: what `kubectl api-resources` knows, asked once."""

from __future__ import annotations

from dataclasses import dataclass

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

    def get(self, name: str) -> Kind | None:
        """None where no such kind is served: a CRD may come and go."""
        if name.lower() not in self._known:
            self._known = self._ask()
        return self._known.get(name.lower())

    def _ask(self) -> dict[str, Kind]:
        found: dict[str, Kind] = {}
        for root in ("/api", "/apis"):
            answer = self._http.ask("GET", root, headers=[("Accept", AGGREGATED)])
            for item in answer.body["items"]:
                group = item["metadata"].get("name", "")
                for version in item["versions"][:1]:
                    served = "/".join(filter(None, (group, version["version"])))
                    for resource in version["resources"]:
                        kind = Kind(
                            f"{root}/{served}",
                            resource["resource"],
                            resource["scope"] == "Namespaced",
                            served,
                            resource["responseKind"]["kind"],
                        )
                        short = (resource.get("singularResource"), kind.kind.lower(), *resource.get("shortNames", ()))
                        for name in (kind.resource, *filter(None, short)):
                            found.setdefault(name, kind)  # the core group comes first, as with kubectl
                            found.setdefault(f"{name}.{group}", kind)
        return found
