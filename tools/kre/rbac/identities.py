"""Every ServiceAccount that something runs as, wherever it is named: pods and what makes them, all kinds of Argo,
Workflows inside of Sensors, executors, patches in text, and the values of charts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kre.load import embedded
from kre.load.provenance import place
from kre.load.values import of_application
from kre.model.bundle import Bundle
from kre.model.finding import Place
from kre.model.once import once
from kre.model.resource import Pointer, Resource, dig, each, walk
from kre.rbac.environment import DEFAULT, world
from kre.rbac.model import User, account

_MADE_BY: Pointer = ("spec", "template", "spec")
PODS: dict[str, Pointer] = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "Sensor": ("spec", "template"),
    "EventSource": ("spec", "template"),
    "Deployment": _MADE_BY,
    "DaemonSet": _MADE_BY,
    "StatefulSet": _MADE_BY,
    "ReplicaSet": _MADE_BY,
    "ReplicationController": _MADE_BY,
    "Job": _MADE_BY,
}
BUSES: tuple[Pointer, ...] = (("spec", "jetstream"), ("spec", "nats", "native"))
# A Workflow that takes its spec from a template has its ServiceAccount from there.
_WORKFLOWS: dict[str, Pointer] = {
    "Workflow": ("spec",),
    "WorkflowTemplate": ("spec",),
    "CronWorkflow": ("spec", "workflowSpec"),
}
_FIELD = "serviceAccountName"
_IN_TEXT = re.compile(rf"""\b{_FIELD}["']?\s*:\s*["']?([^\s"',}}]+)""")
_TEXTS = ("podSpecPatch", "manifest", "inline")
_MARK = "{{"


@dataclass(frozen=True, slots=True)
class Use:
    """Something that runs as a ServiceAccount, and where it says so, or would. `implied`: it names none."""

    resource: Resource = field(repr=False)
    pointer: Pointer
    implied: bool = False
    values: Place | None = None

    def place(self, bundle: Bundle) -> Place:
        """The line that says it."""
        return self.values or place(bundle, self.resource, self.pointer)


@dataclass(frozen=True, slots=True)
class Identity:
    """A ServiceAccount with all that runs as it. With a parameter in its name it may be any (`parameterised`)."""

    namespace: str
    name: str
    uses: tuple[Use, ...] = field(repr=False, default=())

    @property
    def parameterised(self) -> bool:
        return _MARK in self.name

    @property
    def user(self) -> User:
        return account(self.namespace, self.name)

    def __str__(self) -> str:
        return f"ServiceAccount {self.namespace}/{self.name}"


def identities(bundle: Bundle, resources: Iterable[Resource]) -> tuple[Identity, ...]:
    """Every ServiceAccount that something among these objects runs as, sorted.

    A template of the whole cluster runs in any namespace, so its names count in each that has such a ServiceAccount.
    """
    known = list(resources)
    found: dict[tuple[str, str], list[Use]] = {}
    accounts = [(item.namespace, item.name) for item in known if item.kind == "ServiceAccount"]
    for item in known:
        for name, namespace, use in _uses(bundle, item):
            spaces = [space for space, other in accounts if other == name] if namespace is None else [namespace]
            for space in spaces:
                found.setdefault((space or DEFAULT, name), []).append(use)
    return tuple(Identity(space, name, tuple(uses)) for (space, name), uses in sorted(found.items()))


@once
def running(bundle: Bundle, environment: str | None) -> tuple[Identity, ...]:
    """Those of everything in an environment, or in a folder without any; with its charts where they are rendered."""
    return identities(bundle, world(bundle, environment).resources)


def _uses(bundle: Bundle, item: Resource) -> Iterator[tuple[str, str | None, Use]]:
    """(name, namespace, use) of an object; the namespace is None for any."""
    own = None if item.kind == "ClusterWorkflowTemplate" else item.namespace
    inner = list(embedded.objects(item))
    for pointer, value in walk(item.body):
        if pointer and isinstance(value, str) and value:
            space = next((embedded.namespace(one, item) for one in inner if pointer[: len(one.at)] == one.at), own)
            named = [value] if pointer[-1] == _FIELD else []
            for name in named or (_IN_TEXT.findall(value) if pointer[-1] in _TEXTS else ()):
                yield name, space, Use(item, pointer)
    yield from ((name, item.namespace, use) for name, use in _of_pods(item))
    for at, body, space in [((), item.body, item.namespace), *((one.at, one.body, _space(one, item)) for one in inner)]:
        if isinstance(body, dict) and _implies(body):
            yield DEFAULT, space, Use(item, at, implied=True)
    if item.kind == "AppProject":
        yield from _of_project(item)
    if item.kind == "Application":
        yield from _of_values(bundle, item)


def _space(one: embedded.Embedded, holder: Resource) -> str:
    return embedded.namespace(one, holder)


def _of_pods(item: Resource) -> Iterator[tuple[str, Use]]:
    """Pods that name nobody are `default`'s; `serviceAccount` is the field's old name."""
    at = [PODS[item.kind]] if item.kind in PODS else []
    if item.kind == "EventBus":
        at = [steps for steps in BUSES if isinstance(dig(item.body, *steps), dict)]
    for steps in at:
        if not dig(item.body, *steps, _FIELD):
            old = dig(item.body, *steps, "serviceAccount")
            if isinstance(old, str) and old:
                yield old, Use(item, (*steps, "serviceAccount"))
            else:
                yield DEFAULT, Use(item, steps, implied=True)


def _implies(body: dict[str, object]) -> bool:
    """Whether an object is a Workflow of whatever kind that runs as `default`, for it names nobody."""
    steps = _WORKFLOWS.get(str(body.get("kind")))
    if steps is None or not isinstance(dig(body, *steps), dict):
        return False
    return not dig(body, *steps, _FIELD) and not dig(body, *steps, "workflowTemplateRef")


def _of_project(item: Resource) -> Iterator[tuple[str, str | None, Use]]:
    """Whom Argo CD acts as in a destination: NAME, or NAMESPACE:NAME."""
    for index, entry in enumerate(each(item.body, "spec", "destinationServiceAccounts")):
        value = dig(entry, "defaultServiceAccount")
        if isinstance(value, str) and value:
            space, _, name = value.rpartition(":")
            use = Use(item, ("spec", "destinationServiceAccounts", index, "defaultServiceAccount"))
            yield name, space or str(dig(entry, "namespace") or ""), use


def _of_values(bundle: Bundle, item: Resource) -> Iterator[tuple[str, str | None, Use]]:
    """The names in the values of a chart: `serviceAccountName`, and `name` of a `serviceAccount`."""
    space = str(dig(item.body, "spec", "destination", "namespace") or "")
    for values in of_application(bundle, item):
        for source in values.files:
            for pointer, value in walk(source.documents[0].value if source.documents else None):
                named = pointer[-1:] == (_FIELD,) or pointer[-2:] == ("serviceAccount", "name")
                if named and isinstance(value, str) and value and values.get(*map(str, pointer)) == value:
                    yield value, space, Use(item, (), values=source.at(pointer))
