"""What Sensors, EventSources and event buses ask of the API server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kre.load import embedded
from kre.model.resource import Body, Pointer, Resource, dig, each, walk
from kre.rbac.environment import DEFAULT
from kre.rbac.identities import BUSES
from kre.rbac.require.kinds import of_version, plural
from kre.rbac.require.model import Act, account
from kre.rbac.require.pods import MARK, runs_as
from kre.rbac.require.scene import Scene
from kre.rbac.require.table import Object, Row, rows
from kre.rbac.words import scope

ARGO, TEMPLATES, CLUSTER_TEMPLATES = "argoproj.io", "workflowtemplates", "clusterworkflowtemplates"
_ELECTION = "events.argoproj.io/leader-election"
# Of these one replica acts at a time (RecreateStrategyEventSources of argo-events pkg/apis/events/v1alpha1/const.go).
_ALONE = frozenset(
    "amqp calendar kafka pubSub azureEventsHub azureServiceBus nats mqtt minio emitter nsq pulsar redis redisStream "
    "resource hdfs file sftp generic".split()
)
_NO_KIND = frozenset("eventBusName template service replicas".split())


def of_events(scene: Scene) -> Iterator[Act]:
    """What everything of Argo Events does."""
    for item in scene.of("Sensor"):
        yield from _sensor(scene, item)
    for item in scene.of("EventSource"):
        yield from _source(scene, item)
    for item in scene.of("EventBus"):
        for at in BUSES:
            if isinstance(dig(item.body, *at), Mapping):
                who = account(item.namespace or DEFAULT, runs_as(item, *at))
                yield _act(who, f"{item}", item, at, rows()["eventbus"], item.namespace)


def _act(who: str, what: str, item: Resource, at: Pointer, row: Row, own: str, about: Object | None = None) -> Act:
    return Act(who, what, item, at, tuple(row.of(own, about)), source=row.source)


def _sensor(scene: Scene, item: Resource) -> Iterator[Act]:
    own = item.namespace or DEFAULT
    who = account(own, runs_as(item, "spec", "template"))
    if _elects(scene, item):
        yield _act(who, f"{item}, leader election", item, ("metadata",), rows()["leader-election"], own)
    for at, trigger in embedded.triggers(item.body):
        name = dig(trigger, "template", "name")
        for kind in embedded.TRIGGERS:
            body = dig(trigger, "template", kind)
            if isinstance(body, Mapping):
                where = (*at, "template", kind)
                yield from _trigger(item, own, who, f"{item}, trigger {name}", kind, where, body, trigger)
        if not any(dig(trigger, "template", kind) for kind in embedded.TRIGGERS):
            row = rows()["trigger.elsewhere"]
            yield _act(who, f"{item}, trigger {name}", item, (*at, "template"), row, own)


def _trigger(
    item: Resource, own: str, who: str, what: str, kind: str, at: Pointer, body: Body, trigger: Body
) -> Iterator[Act]:
    """One k8s or argoWorkflow trigger."""
    operation = str(dig(body, "operation") or ("create" if kind == "k8s" else "submit"))
    what, where = f"{what}: {kind} {operation}", (*at, "operation") if "operation" in body else at
    row = rows().get(f"trigger.{kind}.{operation}")
    inner = next((one for one in embedded.objects(item) if one.at[: len(at)] == at), None)
    if row is None or inner is None or not isinstance(inner.body, Mapping):
        why = "its object is not in the Sensor" if row else f"no operation is called {operation}"
        yield Act(who, what, item, where, unknown=f"what it asks for is not known: {why}")
        return
    filled = {str(dig(one, "dest")) for one in each(body, "parameters")}
    filled |= {str(dig(one, "dest")).removeprefix(f"{kind}.source.resource.") for one in each(trigger, "parameters")}
    about = about_object(inner.body, own)
    if filled & {"metadata.namespace", "kind", "apiVersion"} or about is None:
        yield Act(who, what, item, where, unknown="its kind or namespace comes with the event")
        return
    what = f"{what} {about.resource}"
    yield _act(who, what, item, where, row, own, about)
    if dig(trigger, "policy", "k8s"):
        yield _act(who, f"{what}, policy", item, where, rows()["trigger.k8s.policy"], own, about)
    if kind == "argoWorkflow" and operation in ("submit", "submit-from", "resubmit"):
        for used in _templates(inner.body, about.namespace):
            yield _act(who, f"{what}, {used.resource}", item, where, rows()["trigger.argoWorkflow.template"], own, used)


def about_object(body: Body, own: str, mark: re.Pattern[str] = MARK) -> Object | None:
    """What an object's manifest is about; None where its kind or namespace is a parameter (`mark` in it)."""
    kind, version = str(dig(body, "kind") or ""), str(dig(body, "apiVersion") or "")
    namespace = str(dig(body, "metadata", "namespace") or own)
    if not kind or not version or any(mark.search(text) for text in (kind, version, namespace)):
        return None
    group, resource = of_version(version), plural(kind)
    return Object(group, resource, "" if scope(group, resource) == "cluster" else namespace)


def _templates(body: Body, namespace: str) -> Iterator[Object]:
    """The kinds of templates that a Workflow refers to."""
    found = [value for at, value in walk(body) if at and at[-1] in ("workflowTemplateRef", "templateRef")]
    for cluster in sorted({bool(dig(one, "clusterScope")) for one in found}):
        yield Object(ARGO, CLUSTER_TEMPLATES, "") if cluster else Object(ARGO, TEMPLATES, namespace)


def _source(scene: Scene, item: Resource) -> Iterator[Act]:
    own = item.namespace or DEFAULT
    who = account(own, runs_as(item, "spec", "template"))
    spec: Any = dig(item.body, "spec")
    listed = spec.items() if isinstance(spec, Mapping) else ()
    kinds = {kind: value for kind, value in listed if kind not in _NO_KIND and isinstance(value, Mapping)}
    if _ALONE & set(kinds) and _elects(scene, item):
        yield _act(who, f"{item}, leader election", item, ("metadata",), rows()["leader-election"], own)
    for kind, events in kinds.items():
        for name, event in events.items():
            at, what = ("spec", kind, str(name)), f"{item}, {kind} {name}"
            if kind == "resource":
                yield from _watches(item, who, what, at, event)
            elif kind == "calendar" and dig(event, "persistence", "configMap"):
                yield _act(who, what, item, at, rows()["eventsource.calendar.persistence"], own)
            elif kind == "generic":
                yield Act(who, what, item, at)  # a server elsewhere makes the events
            else:
                yield _act(who, what, item, at, rows()["eventsource.elsewhere"], own)


def _watches(item: Resource, who: str, what: str, at: Pointer, event: object) -> Iterator[Act]:
    resource, group = dig(event, "resource"), dig(event, "group")
    if not isinstance(resource, str):
        yield Act(who, what, item, at, unknown="what it watches is not known")
        return
    about = Object(str(group or ""), resource, str(dig(event, "namespace") or ""))  # none: all of them
    yield _act(who, f"{what}: {resource}", item, at, rows()["eventsource.resource"], item.namespace, about)


def _elects(scene: Scene, item: Resource) -> bool:
    """Whether replicas agree on a leader by a Lease: where they are told to, and EventSources on a Kafka bus."""
    annotations = [item.metadata.get("annotations"), dig(item.body, "spec", "template", "metadata", "annotations")]
    named = {str(dig(one, _ELECTION) or "").lower() for one in annotations}
    for entry in each(item.body, "spec", "template", "container", "env"):
        named |= {str(dig(entry, "value")).lower()} if dig(entry, "name") == "LEADER_ELECTION" else set()
    bus = scene.find("EventBus", item.namespace, str(dig(item.body, "spec", "eventBusName") or "default"))
    kafka = bus is not None and dig(bus.body, "spec", "kafka") is not None
    return not (kafka and item.kind == "Sensor") and ("k8s" in named or kafka)
