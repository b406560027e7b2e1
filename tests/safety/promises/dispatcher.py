"""The dispatcher: two of it, which come and go without an alert being lost; and what it is given to read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kre.model.resource import Resource, dig
from kre.model.resource import each as items
from safety.promise import World, each, exactly, without

NAME = {"app.kubernetes.io/name": "dispatcher"}
COMMAND = ["python3", "-EsB", "/opt/kre/dispatcher.py"]


def probe(**numbers: int) -> dict[str, Any]:
    return {"httpGet": {"path": "/healthz", "port": "status"}, **numbers}


def spread(key: str, labels: Mapping[str, str] = NAME) -> dict[str, Any]:
    selected = {"labelSelector": {"matchLabels": labels}}
    return {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway", **selected}


def unhashed(volume: Any) -> Any:
    """A volume of a ConfigMap whose name has a hash, with -HASH in its place."""
    if not isinstance(volume, dict) or not isinstance(volume.get("configMap"), dict):
        return volume
    name = re.sub(r"-[a-z0-9]{10}$", "-HASH", str(volume["configMap"].get("name")))
    return {**volume, "configMap": {**volume["configMap"], "name": name}}


def token(response: str, secret: str = "") -> dict[str, Any]:
    """A response's token as a source of the volume: optional, so that a missing one stops no other response."""
    named = {"name": f"{secret or response}-dispatch-token", "optional": True}
    return {"secret": {**named, "items": [{"key": "authorization", "path": response}]}}


@each("Deployment")
def the_dispatcher_is_two(item: Resource, _: World) -> Iterator[str]:
    if item.name != "dispatcher":
        return
    spec = dig(item.body, "spec")
    wanted = {
        "replicas": 2,
        "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "selector": {"matchLabels": NAME},
        "template": {},
    }
    yield from exactly({**spec, "template": {}}, wanted, "never fewer than two, while it is rolled as well")
    labels = {"metadata": {"labels": NAME}, "spec": {}}
    yield from exactly(
        {**spec.get("template", {}), "spec": {}}, labels, "its Service and its policy know it by this label"
    )


@each("Deployment")
def the_dispatcher_stops_late_and_starts_ready(item: Resource, _: World) -> Iterator[str]:
    if item.name != "dispatcher":
        return
    spec = dig(item.body, "spec", "template", "spec") or {}
    wanted = {
        "serviceAccountName": "dispatcher",
        "terminationGracePeriodSeconds": 30,
        "topologySpreadConstraints": [spread("kubernetes.io/hostname"), spread("topology.kubernetes.io/zone")],
    }
    found = without(spec, "containers", "volumes", "securityContext")
    yield from exactly(found, wanted, "its own identity; what it has taken is answered; not both on one node")
    containers = items(spec, "containers")
    if len(containers) != 1:
        yield "a second container would read its tokens"
    made = {
        "name": "dispatcher",
        "command": COMMAND,
        "ports": [{"name": "respond", "containerPort": 8080}, {"name": "status", "containerPort": 8081}],
        "readinessProbe": probe(periodSeconds=2, timeoutSeconds=2),
        "livenessProbe": probe(initialDelaySeconds=5, periodSeconds=10, timeoutSeconds=5, failureThreshold=6),
        "volumeMounts": [
            {"name": "tokens", "mountPath": "/etc/kre/tokens", "readOnly": True},
            {"name": "settings", "mountPath": "/etc/kre/settings", "readOnly": True},
            {"name": "code", "mountPath": "/opt/kre", "readOnly": True},
        ],
    }
    for container in containers:
        found = without(container, "image", "resources", "securityContext")
        yield from exactly(
            found, made, "it runs the code of Git, isolated from its environment, and says when it is ready"
        )


@each("Deployment")
def the_dispatcher_has_the_tokens_of_the_enabled_responses(item: Resource, world: World) -> Iterator[str]:
    if item.name != "dispatcher":
        return
    tokens, *others = items(item.body, "spec", "template", "spec", "volumes") or [{}]
    sources = sorted(items(tokens, "projected", "sources"), key=str)
    wanted = sorted([token("no-response"), *map(token, world.responses)], key=str)
    yield from exactly(sources, wanted, "a token for each response, under its name, and none besides")
    rest = {**tokens, "projected": {**(dig(tokens, "projected") or {}), "sources": []}} if tokens else {}
    yield from exactly(
        rest, {"name": "tokens", "projected": {"sources": []}}, "options add to this volume by its index"
    )
    mounts = [
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "code", "configMap": {"name": "dispatcher-code-HASH"}},
    ]
    yield from exactly([unhashed(one) for one in others], mounts, "settings are read anew, and new code rolls it")


@each("Deployment")
def the_demo_is_a_pod_that_may_be_lost(item: Resource, _: World) -> Iterator[str]:
    """It stands for a user's: responses are tried on it, so it has to have replicas and no rights."""
    if item.name in ("dispatcher", "intake", "recorder"):
        return
    label = {"app.kubernetes.io/name": "shop"}
    spec = dig(item.body, "spec") or {}
    wanted = {"replicas": 2, "selector": {"matchLabels": label}, "template": {}}
    yield from exactly({**spec, "template": {}}, wanted, "one of two may go")
    template = dig(spec, "template") or {}
    yield from exactly({**template, "spec": {}}, {"metadata": {"labels": label}, "spec": {}}, "its selector finds it")
    pod = dig(template, "spec") or {}
    found = without(pod, "containers", "securityContext")
    own = {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1}
    yield from exactly(found, own, "no token for whoever gets into it")
    command = ["python3", "-m", "http.server", "8080", "--directory", "/usr/share"]
    made = [{"name": "shop", "command": command, "ports": [{"containerPort": 8080}]}]
    listed = [without(one, "image", "resources", "securityContext") for one in items(pod, "containers")]
    yield from exactly(listed, made, "it serves files that are in its image")
