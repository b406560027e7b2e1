"""X10: Falcosidekick posts to the very address, port and path where an EventSource listens, in its protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, urlsplit

from kre.load.values import Values, of_application
from kre.model.bundle import Bundle
from kre.model.resource import Resource, dig, each
from kre.rules.references import named, suggest
from kre.rules.registry import Hit, rule

PASSES_ON = "kre/passes-on-to"  # on a Service: <Service of the namespace>:<port>


@rule("X10", "Falcosidekick's webhook is an EventSource of this environment", "layout")
def webhook(bundle: Bundle) -> Iterator[Hit]:
    for environment in bundle.judged:
        world = tuple(bundle.of(environment.name))
        for application in world:
            for values in of_application(bundle, application):
                address = values.get("config", "webhook", "address")
                if values.chart != "falcosidekick" or not values.files or values.missing:
                    continue
                where = values.place("config", "webhook", "address")
                if not isinstance(address, str) or not address:
                    message = "Falcosidekick has no webhook address, so no alert reaches an EventSource"
                    yield Hit(where, message, "set config.webhook.address", (environment.name,))
                    continue
                for message, hint in _problems(world, values, urlsplit(address)):
                    yield Hit(where, f"webhook address {address}: {message}", hint, (environment.name,))


def _problems(world: tuple[Resource, ...], values: Values, address: SplitResult) -> Iterator[tuple[str, str]]:
    parts = (address.hostname or "").split(".")
    if len(parts) < 3 or parts[2] != "svc" or parts[3:] not in ([], ["cluster", "local"]):  # noqa: PLR2004
        yield "no Service of this cluster", "write http://<service>.<namespace>.svc:<port>/<path>"
        return
    name, namespace = parts[:2]
    service = named(world, "Service", namespace, name)
    wanted = address.port or (443 if address.scheme == "https" else 80)
    source, port = _listener(world, service, name, namespace, wanted)
    if source is None:
        known = [item.name for item in world if item.kind == "Service" and item.namespace == namespace]
        if name in known:
            yield f"Service {name} leads to no EventSource on port {wanted}", "compare its selector and ports"
        else:
            yield f"there is no Service {name} in namespace {namespace}", suggest(name, known)
        return
    listed = dig(source.body, "spec", "webhook")
    listed = listed.values() if isinstance(listed, Mapping) else ()
    hooks = [hook for hook in listed if str(dig(hook, "port")) == str(port)]
    paths = [str(dig(hook, "endpoint")) for hook in hooks]
    if not hooks:
        yield f"EventSource {source.name} has no webhook on port {port}", ""
    elif address.path not in paths:
        yield (
            f"EventSource {source.name} has no endpoint {address.path or '/'} on port {port}",
            suggest(address.path, paths),
        )
    speaks = {"https" if dig(hook, "serverCertSecret") else "http" for hook in hooks}
    if hooks and address.scheme not in speaks:
        wanted_scheme = min(speaks)
        yield f"EventSource {source.name} speaks {wanted_scheme} on port {port}", f"write {wanted_scheme}://"
    method = values.get("config", "webhook", "method") or "POST"
    if hooks and method not in [str(dig(hook, "method")) for hook in hooks]:
        yield f"EventSource {source.name} does not take {method}", "set config.webhook.method to the EventSource's"


def _listener(
    world: tuple[Resource, ...], service: Resource | None, name: str, namespace: str, port: int
) -> tuple[Resource | None, object]:
    """The EventSource behind a Service, and the port on which its pods are reached; its own Service or one apart. One
    whose pods pass alerts on says so by annotation, and is followed to where it says."""
    if service is None:
        source = named(world, "EventSource", namespace, name.removesuffix("-eventsource-svc"))
        made = [dig(entry, "port") for entry in each(source.body, "spec", "service", "ports")] if source else []
        return (source, port) if name.endswith("-eventsource-svc") and port in made else (None, None)
    targets = [
        dig(entry, "targetPort") or port for entry in each(service.body, "spec", "ports") if dig(entry, "port") == port
    ]
    if not targets:
        return None, None
    host, _, next_port = str(dig(service.body, "metadata", "annotations", PASSES_ON) or "").partition(":")
    if not host:
        selected = str(dig(service.body, "spec", "selector", "eventsource-name"))
        return named(world, "EventSource", namespace, selected), targets[0]
    following = named(world, "Service", namespace, host)
    if (
        following is service
        or following is None
        or not next_port.isdecimal()
        or not _served(world, service, targets[0])
    ):
        return None, None
    return _listener(world, following, host, namespace, int(next_port)) if not _passes_on(following) else (None, None)


def _passes_on(service: Resource) -> bool:
    return bool(dig(service.body, "metadata", "annotations", PASSES_ON))


def _served(world: tuple[Resource, ...], service: Resource, port: object) -> bool:
    """Whether a Deployment has the pods that the Service selects, with that port."""
    selector = dig(service.body, "spec", "selector")
    wanted = selector.items() if isinstance(selector, Mapping) and selector else ()
    for item in world:
        if item.kind == "Deployment" and item.namespace == service.namespace and wanted:
            labels = dig(item.body, "spec", "template", "metadata", "labels")
            ports = [
                known
                for container in each(item.body, "spec", "template", "spec", "containers")
                for entry in each(container, "ports")
                for known in (dig(entry, "containerPort"), dig(entry, "name"))
            ]
            if isinstance(labels, Mapping) and wanted <= labels.items() and port in ports:
                return True
    return False
