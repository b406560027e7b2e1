"""What should be on the cluster: an environment as it is rendered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kre.model.bundle import Bundle, Environment
from kre.model.resource import Body, Resource, dig, each, sources, walk

PIPELINE, RESPONSES, FALCO = "kre-pipeline", "kre-responses", "falco"
IN_CLUSTER = "https://kubernetes.default.svc"
CONTROLLERS = ("argo-events", "argo-workflows")  # their charts, and the namespaces that they are shipped for
SETTINGS, DISPATCHER = "settings", "dispatcher"


@dataclass(frozen=True)
class Wanted:
    """An environment: what an admin applies (`bootstrap`), what its Applications sync (`leaves`), and those."""

    environment: Environment
    bootstrap: tuple[Resource, ...] = field(repr=False, default=())
    applications: tuple[Resource, ...] = field(repr=False, default=())
    leaves: tuple[Resource, ...] = field(repr=False, default=())

    @property
    def name(self) -> str:
        return self.environment.name

    @property
    def targets(self) -> list[str]:
        """The namespaces in which it may act."""
        return [str(name) for name in each(self.environment.spec, "targets")]

    @property
    def sensors(self) -> dict[str, Resource]:
        """The Sensor of each response that is enabled."""
        return {item.name: item for item in self.of("Sensor")}

    @property
    def eventsource(self) -> Resource | None:
        return next(self.of("EventSource"), None)

    @property
    def root(self) -> Resource | None:
        """The Application that keeps the others in step with Git."""
        return next((item for item in self.bootstrap if item.kind == "Application"), None)

    @property
    def elsewhere(self) -> bool:
        """Whether Argo CD is told to reach this cluster by a URL, as a hub does."""
        return bool(dig(self.environment.spec, "cluster", "server") != IN_CLUSTER)

    def of(self, *kinds: str) -> Iterator[Resource]:
        """The objects of these kinds in the leaves."""
        return (item for item in self.leaves if item.kind in kinds)

    def controllers(self) -> dict[str, tuple[str, str]]:
        """Chart -> (namespace, version) of the two controllers."""
        found = dict.fromkeys(CONTROLLERS, ("", ""))
        for item in self.applications:
            for _, source in sources(item):
                if source.get("chart") in found:
                    namespace = str(dig(item.body, "spec", "destination", "namespace") or "")
                    found[str(source["chart"])] = (namespace, str(source.get("targetRevision", "")))
        return {chart: (namespace or chart, version) for chart, (namespace, version) in found.items()}


def wanted(bundle: Bundle, environment: str) -> Wanted:
    """That of an environment of a Bundle that was rendered without problems."""
    roots = [root for root in bundle.roots if root.environment == environment]
    by_role = {
        role: tuple(item for root in roots if root.role == role for item in root.resources)
        for role in ("bootstrap", "applications", "leaf")
    }
    known = bundle.environment(environment)
    return Wanted(known, by_role["bootstrap"], by_role["applications"], by_role["leaf"])


def webhook(eventsource: Resource) -> Body:
    """The first webhook of an EventSource: port, endpoint, authSecret, and its certificate where it has one."""
    found = dig(eventsource.body, "spec", "webhook")
    return next(iter(found.values()), {}) if isinstance(found, dict) else {}


def dispatch_secret(sensor: Resource) -> tuple[str, str]:
    """(Secret, key) of the token that a Sensor sends."""
    for pointer, value in walk(sensor.body):
        if pointer[-1:] == ("secretKeyRef",):
            return str(dig(value, "name")), str(dig(value, "key"))
    return f"{sensor.name}-dispatch-token", "authorization"
