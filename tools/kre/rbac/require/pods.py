"""What containers do: a program that declares it, kubectl in a command, or nobody knows what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kre.model.resource import Body, Resource, dig, each
from kre.rbac.environment import DEFAULT
from kre.rbac.identities import PODS as EVERY
from kre.rbac.require import programs
from kre.rbac.require.kubectl import commands
from kre.rbac.require.model import Act, account
from kre.rbac.require.programs import Possible, Resolve
from kre.rbac.require.scene import Scene

PODS = {kind: at for kind, at in EVERY.items() if kind not in ("Sensor", "EventSource")}
MARK = re.compile(r"\{\{.*?\}\}", re.DOTALL)  # a parameter of a Workflow


def literal(text: str) -> Possible:
    """The values of a text outside of a Workflow."""
    return frozenset((text,))


def of_pods(scene: Scene) -> Iterator[Act]:
    """What the pods of Deployments and the like do."""
    for item in scene.of(*PODS):
        at = PODS[item.kind]
        spec = dig(item.body, *at)
        if isinstance(spec, dict):
            name = str(dig(spec, "serviceAccountName") or dig(spec, "serviceAccount") or DEFAULT)
            token = scene.mounts_token(item.namespace or DEFAULT, name, dig(spec, "automountServiceAccountToken"))
            for field in ("initContainers", "containers"):
                for index, entry in enumerate(each(spec, field)):
                    where = (*at, field, index)
                    known = Act(account(item.namespace or DEFAULT, name), str(item), item, where)
                    yield from container(scene, known, entry, each(spec, "volumes"), literal, token=token)


def container(
    scene: Scene, known: Act, body: Body, volumes: list[Any], resolve: Resolve, *, token: bool = True
) -> Iterator[Act]:
    """What one container does; without a token it asks the API server nothing."""
    who = known.who
    if not token and not _projects(volumes):
        yield Act(who, f"{known.what}, without a token", known.resource, known.pointer)
        return
    namespace = who.partition(" ")[2].partition("/")[0]
    found = programs.program(scene, namespace, body, volumes)
    if found is not None and found.declared is not None:
        yield from programs.acts(scene, who, known, body, volumes, resolve, found.declared)
        return
    asked = list(commands(text_of(body), namespace))
    for what, needs, unknown in asked:
        yield Act(who, f"{known.what}: {what}", known.resource, known.pointer, needs, unknown, guessed=True)
    if found is not None:
        why = f"{found.file} declares nothing: {programs.FILE} beside its code could"
        yield Act(who, known.what, known.resource, known.pointer, unknown=why)
    elif not asked:
        why = f"what {dig(body, 'image') or 'its image'} asks of the API server nobody can tell"
        yield Act(who, known.what, known.resource, known.pointer, unknown=why)


def text_of(body: Body) -> str:
    """The words of a container's command, as one text."""
    words = [str(word) for field in ("command", "args") for word in each(body, field)]
    source = dig(body, "source")
    return "\n".join([" ".join(words), source if isinstance(source, str) else ""])


def _projects(volumes: list[Any]) -> bool:
    """Whether a volume brings a token of its own."""
    return any(dig(one, "serviceAccountToken") for volume in volumes for one in each(volume, "projected", "sources"))


def runs_as(item: Resource, *at: str | int) -> str:
    """The ServiceAccount that a Sensor and its like name for their pods."""
    return str(dig(item.body, *at, "serviceAccountName") or DEFAULT)
