"""What Workflows and their templates ask of the API server, and under whose name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from kre.load import embedded
from kre.load.scalars import Loader
from kre.model.resource import Body, Pointer, Resource, dig, each, walk
from kre.rbac.environment import DEFAULT
from kre.rbac.require.arguments import Arguments
from kre.rbac.require.events import about_object
from kre.rbac.require.model import Act, account
from kre.rbac.require.pods import MARK, container
from kre.rbac.require.scene import Scene
from kre.rbac.require.table import rows

_SPECS: dict[str, Pointer] = {
    "Workflow": ("spec",),
    "WorkflowTemplate": ("spec",),
    "ClusterWorkflowTemplate": ("spec",),
    "CronWorkflow": ("spec", "workflowSpec"),
}
_AGENT = ("http", "plugin")
_ARGOEXEC = ("resource", "data")  # the executor is the main container
_LATER = "kre__later"  # stands for a parameter in a manifest, where it has to be YAML


@dataclass(frozen=True, slots=True)
class _Run:
    """A Workflow's spec as it would run in a namespace: `by` says whose ServiceAccounts count where they are named."""

    item: Resource = field(repr=False)
    at: Pointer
    spec: Body
    namespace: str
    by: Body
    text: bool = False

    def named(self, *steps: str) -> str:
        """A field of the Workflow, else of the template that it takes its spec from."""
        return str(dig(self.by, *steps) or dig(self.spec, *steps) or "")

    def point(self, *steps: str | int) -> Pointer:
        return self.at if self.text else (*self.at, *steps)


def of_workflows(scene: Scene) -> Iterator[Act]:
    """What every Workflow does, and what those would do that are made from templates."""
    for item in scene.resources:
        steps = _SPECS.get(item.kind)
        spec = dig(item.body, *steps) if steps else None
        if steps and isinstance(spec, Mapping):
            for namespace in _spaces(scene, item, spec):
                yield from _run(scene, _Run(item, steps, spec, namespace, spec))
        for one in embedded.objects(item):
            spec = dig(one.body, "spec")
            if dig(one.body, "kind") in _SPECS and isinstance(spec, Mapping):
                at = one.at if one.text else (*one.at, "spec")
                yield from _run(scene, _Run(item, at, spec, embedded.namespace(one, item), spec, one.text))


def _spaces(scene: Scene, item: Resource, spec: Body) -> list[str]:
    """Where it runs: a template of the whole cluster wherever its ServiceAccount is."""
    if item.kind != "ClusterWorkflowTemplate":
        return [item.namespace or DEFAULT]
    name = dig(spec, "serviceAccountName")
    return sorted(known.namespace for known in scene.of("ServiceAccount") if known.name == name)


def _run(scene: Scene, run: _Run) -> Iterator[Act]:
    reference = dig(run.spec, "workflowTemplateRef")
    if isinstance(reference, Mapping):
        found = _template(scene, run.namespace, reference)
        if found is None:
            who = account(run.namespace, run.named("serviceAccountName") or DEFAULT)
            why = f"template {dig(reference, 'name')} is not here"
            yield Act(who, str(run.item), run.item, run.point("workflowTemplateRef"), unknown=why)
            return
        run = _Run(found, ("spec",), dig(found.body, "spec") or {}, run.namespace, run.spec)
    who = account(run.namespace, run.named("serviceAccountName") or DEFAULT)
    yield Act(who, str(run.item), run.item, run.point())  # whoever it is, even where only Argo's own containers run
    arguments = Arguments(run.spec)
    for at, template in _inside(run):
        yield from _of_template(scene, run, at, template, arguments)
    for other in _others(scene, run, set()):
        calls = Arguments(other.spec, outside=True)
        for at, template in _inside(other):
            yield from _of_template(scene, other, at, template, calls)
        yield from _lost(scene, other, who)
    yield from _lost(scene, run, who)
    yield from _artifact_gc(run)


def _template(scene: Scene, namespace: str, reference: object) -> Resource | None:
    cluster = bool(dig(reference, "clusterScope"))
    kind, space = ("ClusterWorkflowTemplate", "") if cluster else ("WorkflowTemplate", namespace)
    return scene.find(kind, space, str(dig(reference, "name")))


def _inside(run: _Run) -> Iterator[tuple[Pointer, Body]]:
    """The templates of a spec, those inside of steps and tasks as well."""
    for index, template in enumerate(each(run.spec, "templates")):
        for at, value in walk(template):
            if isinstance(value, Mapping) and (not at or at[-1] == "inline"):
                yield run.point("templates", index, *at), value


def _references(run: _Run) -> Iterator[tuple[Pointer, object]]:
    """Where steps and tasks name a template of another WorkflowTemplate, and what they name."""
    for at, value in walk(dig(run.spec, "templates")):
        if at and at[-1] == "templateRef":
            yield at, value


def _others(scene: Scene, run: _Run, seen: set[str]) -> Iterator[_Run]:
    """The other WorkflowTemplates whose templates run in it, wherever those lead; each once, with all that it has."""
    for _, reference in _references(run):
        found = _template(scene, run.namespace, reference)
        if found is not None and str(found) not in seen:
            seen.add(str(found))
            other = _Run(found, ("spec",), dig(found.body, "spec") or {}, run.namespace, _names(run))
            yield other
            yield from _others(scene, other, seen)


def _lost(scene: Scene, run: _Run, who: str) -> Iterator[Act]:
    """The templates of others that are not here: what they do under its name nobody can tell."""
    for at, reference in _references(run):
        if _template(scene, run.namespace, reference) is None:
            why = f"template {dig(reference, 'template')} of {dig(reference, 'name')} is not here"
            yield Act(who, str(run.item), run.item, run.point("templates", *at), unknown=why)


def _names(run: _Run) -> Body:
    """The ServiceAccounts of a Workflow, for a template of another that runs in it."""
    executor = {"serviceAccountName": run.named("executor", "serviceAccountName")}
    return {"serviceAccountName": run.named("serviceAccountName") or DEFAULT, "executor": executor}


def _of_template(scene: Scene, run: _Run, at: Pointer, template: Body, arguments: Arguments) -> Iterator[Act]:
    name = str(dig(template, "name") or "inline")
    what = f"{run.item}, template {name}"
    own = str(dig(template, "serviceAccountName") or run.named("serviceAccountName") or DEFAULT)
    pod = account(run.namespace, own)
    named = str(dig(template, "executor", "serviceAccountName") or run.named("executor", "serviceAccountName"))
    executor = account(run.namespace, named or own)
    bodies = list(_containers(template))
    if bodies or any(kind in template for kind in _ARGOEXEC):
        row = rows()["workflow.executor"]
        yield Act(executor, what, run.item, at, tuple(row.of(run.namespace)), source=row.source)
    said = template.get("automountServiceAccountToken", dig(run.spec, "automountServiceAccountToken"))
    token = scene.mounts_token(run.namespace, own, said)
    volumes = [*each(run.spec, "volumes"), *each(template, "volumes")]
    for where, body in bodies:
        known = Act(pod, what, run.item, (*at, *where))
        yield from container(scene, known, body, volumes, lambda text: arguments.possible(name, text), token=token)
    if isinstance(template.get("resource"), Mapping):
        # The executor's token is mounted into this main container too (newExecContainer of workflowpod.go there).
        yield from _resource(run, executor, what, (*at, "resource"), template)
    for kind in _AGENT:
        if kind in template:
            row, agent = rows()["workflow.agent"], account(run.namespace, run.named("serviceAccountName") or DEFAULT)
            yield Act(agent, what, run.item, (*at, kind), tuple(row.of(run.namespace)), source=row.source)


def _containers(template: Body) -> Iterator[tuple[Pointer, Body]]:
    for kind in ("container", "script"):
        if isinstance(template.get(kind), Mapping):
            yield (kind,), template[kind]
    for field_ in ("initContainers", "sidecars"):
        yield from (((field_, index), body) for index, body in enumerate(each(template, field_)))
    for index, body in enumerate(each(template, "containerSet", "containers")):
        yield ("containerSet", "containers", index), body


def _resource(run: _Run, who: str, what: str, at: Pointer, template: Body) -> Iterator[Act]:
    """A template that runs kubectl on a manifest."""
    body: Mapping[str, Any] = template["resource"]
    action = str(dig(body, "action") or "")
    row, about = rows().get(f"workflow.resource.{action}"), None
    try:
        manifest = yaml.load(MARK.sub(_LATER, str(dig(body, "manifest") or "")), Loader)
    except (yaml.YAMLError, ValueError):
        manifest = None
    about = about_object(manifest, run.namespace, re.compile(_LATER)) if isinstance(manifest, Mapping) else None
    if row is None or about is None:
        why = "its manifest's kind or namespace is not known before it runs" if row else f"no action is called {action}"
        yield Act(who, f"{what}: {action}", run.item, at, unknown=why)
        return
    what = f"{what}: {action} {about.resource}"
    yield Act(who, what, run.item, (*at, "action"), tuple(row.of(run.namespace, about)), source=row.source)
    asks = [dig(one, "valueFrom") for one in each(template, "outputs", "parameters")]
    if (
        dig(body, "successCondition")
        or dig(body, "failureCondition")
        or any(dig(one, key) for one in asks for key in ("jsonPath", "jqFilter"))
    ):
        row = rows()["workflow.resource.look"]
        yield Act(who, f"{what}, looks", run.item, at, tuple(row.of(run.namespace, about)), source=row.source)


def _artifact_gc(run: _Run) -> Iterator[Act]:
    """Whoever deletes artifacts afterwards: it is named beside the strategy, by the artifact or the Workflow."""
    row = rows()["workflow.artifact-gc"]
    general = dig(run.spec, "artifactGC")
    for at, value in walk(run.spec):
        strategy = dig(value, "strategy") if at and at[-1] == "artifactGC" else None
        if strategy and strategy != "Never":
            name = str(dig(value, "serviceAccountName") or dig(general, "serviceAccountName") or DEFAULT)
            who = account(run.namespace, name)
            what = f"{run.item}, artifactGC"
            yield Act(who, what, run.item, run.point(*at), tuple(row.of(run.namespace)), source=row.source)
