"""Every pod that is ours runs without root, without rights on its node, within bounds, from an image that is pinned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kre.model.resource import Resource, dig, walk
from kre.model.resource import each as items
from safety.promise import VALUES, World, each, exactly

WALLS = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
SECCOMP = {"seccompProfile": {"type": "RuntimeDefault"}}
PINNED = re.compile(r"[a-z0-9.-]+(/[a-z0-9._-]+)+:[\w.-]+@sha256:[0-9a-f]{64}")
MEMORY = re.compile(r"[1-9][0-9]*Mi")
CPU = re.compile(r"[1-9][0-9]*m")
ON_THE_NODE = {"hostPath", "hostNetwork", "hostPID", "hostIPC", "hostPort", "hostAliases", "privileged", "nodeName"}


def person(user: int, group: int | None = None) -> dict[str, Any]:
    """A pod's securityContext for one without root."""
    alone: dict[str, Any] = {"runAsNonRoot": True, "runAsUser": user, **SECCOMP}
    return alone if group is None else {**alone, "runAsGroup": group, "fsGroup": group}


def locked(item: Resource) -> Iterator[tuple[str, Any, Any]]:
    """(where, what stands there, what must stand there) for every securityContext that an object has to have."""
    body = item.body
    if item.kind == "Deployment":
        users = {"dispatcher": 8737, "recorder": 8737, "intake": 8738}
        user = person(own, own) if (own := users.get(item.name)) else person(10001)
        yield "pod", dig(body, "spec", "template", "spec", "securityContext"), user
        for index, container in enumerate(items(body, "spec", "template", "spec", "containers")):
            yield f"container {index}", dig(container, "securityContext"), WALLS
    elif item.kind in ("Sensor", "EventSource"):
        yield "pod", dig(body, "spec", "template", "securityContext"), person(9731, 9731)
        yield "container", dig(body, "spec", "template", "container", "securityContext"), WALLS
    elif item.kind == "EventBus":
        yield "pod", dig(body, "spec", "jetstream", "securityContext"), person(65532, 65532)
        for name in ("containerTemplate", "metricsContainerTemplate", "reloaderContainerTemplate"):
            yield name, dig(body, "spec", "jetstream", name, "securityContext"), WALLS
    elif item.kind == "WorkflowTemplate":
        yield "pod", dig(body, "spec", "securityContext"), person(8737, 8737)
        for template in items(body, "spec", "templates"):
            if dig(template, "container") is not None:
                yield str(dig(template, "name")), dig(template, "container", "securityContext"), WALLS
    elif item.name == "argo-events":
        yield "pod", dig(body, "values", "global", "securityContext"), person(9731, 9731)
        yield "container", dig(body, "values", "controller", "containerSecurityContext"), WALLS
    elif item.name == "argo-workflows":
        yield "pod", dig(body, "values", "controller", "podSecurityContext"), person(8737)
        yield "executor", dig(body, "values", "executor", "securityContext"), {**person(8737), **WALLS}
    elif item.name == "falcosidekick":
        yield "pod", dig(body, "values", "podSecurityContext"), {**person(1234), "fsGroup": 1234}
        yield "container", dig(body, "values", "securityContext"), WALLS


@each("Deployment", "Sensor", "EventSource", "EventBus", "WorkflowTemplate", VALUES)
def runs_without_root(item: Resource, _: World) -> Iterator[str]:
    for where, found, wanted in locked(item):
        yield from exactly(
            found, wanted, "a pod of ours has no more rights than it needs", f"securityContext of {where}"
        )


@each("Deployment", "Sensor", "EventSource", "EventBus", "WorkflowTemplate", VALUES)
def keeps_off_the_node(item: Resource, _: World) -> Iterator[str]:
    for pointer, value in walk(item.body):
        if pointer and pointer[-1] in ON_THE_NODE and item.name != "falco":
            yield f"{pointer}: {value!r} reaches the node"


@each("Deployment", "WorkflowTemplate")
def images_are_pinned(item: Resource, _: World) -> Iterator[str]:
    found = [value for pointer, value in walk(item.body) if pointer and pointer[-1] == "image"]
    if len(found) != (2 if item.kind == "WorkflowTemplate" else 1):
        yield f"{len(found)} images"
    for pointer, value in walk(item.body):
        if pointer and pointer[-1] == "image" and not PINNED.fullmatch(str(value)):
            yield f"{pointer}: {value} can change under its tag"


@each("Deployment", "Sensor", "EventSource", "EventBus", "WorkflowTemplate", VALUES)
def is_bounded(item: Resource, _: World) -> Iterator[str]:
    """Requests of both, a limit of memory: a storm takes nobody else's, and the scheduler knows what it needs."""
    found = [
        value
        for pointer, value in walk(item.body)
        if pointer and pointer[-1] == "resources" and isinstance(value, dict)
    ]
    wanted = {"Deployment": 1, "Sensor": 1, "EventSource": 1, "EventBus": 1, "WorkflowTemplate": 2}.get(item.kind)
    if wanted is None:
        wanted = {"argo-events": 1, "argo-workflows": 2, "falcosidekick": 1}.get(item.name, 0)
    if len(found) != wanted:
        yield f"{len(found)} containers have resources, {wanted} must"
    for each_ in found:
        shape = {name: sorted(values) if isinstance(values, dict) else values for name, values in each_.items()}
        yield from exactly(
            shape, {"requests": ["cpu", "memory"], "limits": ["memory"]}, "bounded in memory, known in CPU"
        )
        for name in ("requests", "limits"):
            memory, cpu = dig(each_, name, "memory"), dig(each_, name, "cpu")
            if not MEMORY.fullmatch(str(memory)) or (cpu is not None and not CPU.fullmatch(str(cpu))):
                yield f"{name}: {memory}, {cpu} is no amount"
