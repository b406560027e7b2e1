"""The way of an alert to the Sensors: only with the token, only from Falcosidekick, kept by three."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from kre.model.resource import Resource, dig
from safety.promise import World, each, exactly, without

EVENTSOURCE = {"eventsource-name": "falco"}
BUS = {"controller": "eventbus-controller", "eventbus-name": "default"}
DISPATCHER = {"app.kubernetes.io/name": "dispatcher"}
INTAKE = {"app.kubernetes.io/name": "intake"}
STREAM = {
    "replicas": 3,
    "maxMsgs": 50000,
    "maxAge": "72h",
    "maxBytes": "256MB",
    "duplicates": "300s",
    "retention": 0,
    "discard": 0,
}
DISK = {"accessMode": "ReadWriteOnce", "volumeSize": "10Gi"}


@each("EventSource")
def an_alert_comes_with_the_token(item: Resource, _: World) -> Iterator[str]:
    wanted = {
        "alerts": {
            "authSecret": {"name": "falco-webhook-token", "key": "token"},
            "endpoint": "/falco",
            "maxPayloadSize": 65536,
            "method": "POST",
            "port": "12000",
        }
    }
    yield from exactly(
        dig(item.body, "spec", "webhook"), wanted, "nobody without the token sends an alert, and no huge one"
    )


@each("EventSource")
def the_way_in_is_two(item: Resource, _: World) -> Iterator[str]:
    spec = without(dig(item.body, "spec") or {}, "webhook", "template")
    yield from exactly(spec, {"replicas": 2}, "one is always there; and it does nothing but take alerts")
    template = dig(item.body, "spec", "template") or {}
    found = without(template, "securityContext", "container")
    yield from exactly(found, {"serviceAccountName": "eventsource"}, "an identity that is bound to nothing")
    container = without(dig(template, "container") or {}, "securityContext", "resources")
    yield from exactly(container, {}, "its image and arguments are the controller's")


@each("EventBus")
def alerts_outlive_a_node(item: Resource, world: World) -> Iterator[str]:
    spec = dig(item.body, "spec") or {}
    yield from exactly(without(spec, "jetstream"), {}, "one bus")
    bus = dig(spec, "jetstream") or {}
    listed = (
        "streamConfig",
        "securityContext",
        "containerTemplate",
        "metricsContainerTemplate",
        "reloaderContainerTemplate",
    )
    wanted: dict[str, object] = {"replicas": 3, "version": "2.10.10", "serviceAccountName": "eventbus"}
    if world.environment.source:  # dev keeps what it has in memory; whoever comes after it, on disk
        wanted["persistence"] = DISK
    yield from exactly(without(bus, *listed), wanted, "what was taken is kept by three, and on disk outside of dev")
    try:
        stream = yaml.safe_load(str(dig(bus, "streamConfig")))
    except yaml.YAMLError:
        stream = None
    why = "each message by three; bounded; a redelivery is known; the oldest goes first"
    yield from exactly(stream, STREAM, why, "streamConfig")
    for name in ("containerTemplate", "metricsContainerTemplate", "reloaderContainerTemplate"):
        found = without(dig(bus, name) or {}, "securityContext", "resources")
        yield from exactly(found, {}, "its image and arguments are the controller's")


@each("PodDisruptionBudget")
def a_drained_node_takes_one_at_most(item: Resource, _: World) -> Iterator[str]:
    selected = {"default-eventbus": BUS, "dispatcher": DISPATCHER, "falco-eventsource": EVENTSOURCE, "intake": INTAKE}
    wanted = {"maxUnavailable": 1, "selector": {"matchLabels": selected.get(item.name, {})}}
    yield from exactly(dig(item.body, "spec"), wanted, "while nodes are drained the rest still works")


@each("Service")
def a_service_leads_to_its_own_pods(item: Resource, world: World) -> Iterator[str]:
    webhook = {"selector": EVENTSOURCE, "ports": [{"name": "http", "port": 12000, "targetPort": 12000}]}
    wanted = {
        "dispatcher": {
            "selector": DISPATCHER,
            "ports": [
                {"name": "respond", "port": 8080, "targetPort": "respond"},
                {"name": "status", "port": 8081, "targetPort": "status"},
            ],
        },
        "falco-eventsource": {**webhook, "selector": INTAKE} if world.intake else webhook,
        "falco-webhook": webhook,
    }.get(item.name)
    yield from exactly(dig(item.body, "spec"), wanted, "inside the cluster, to the pods that are meant; no NodePort")
