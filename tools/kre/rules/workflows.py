"""X05, X06: a Workflow names a template that is there, with the arguments that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kre.load.provenance import place
from kre.model.bundle import Bundle
from kre.model.finding import Related
from kre.model.resource import Body, Pointer, Resource, dig, walk
from kre.rules.references import missing, named, suggest
from kre.rules.registry import Hit, hit, rule
from kre.schema import embedded

_TEMPLATES = ("WorkflowTemplate", "ClusterWorkflowTemplate")
_SUPPLIED = ("value", "default", "valueFrom", "enum")


@dataclass(frozen=True, slots=True)
class _Use:
    """A Workflow's spec, wherever it stands: in an object of its own, a CronWorkflow, or a Sensor's trigger."""

    by: Resource
    at: Pointer
    spec: Body
    namespace: str


def _uses(world: tuple[Resource, ...]) -> Iterator[_Use]:
    for resource in world:
        if resource.kind in ("Workflow", *_TEMPLATES):
            yield _Use(resource, ("spec",), dig(resource.body, "spec") or {}, resource.namespace)
        elif resource.kind == "CronWorkflow":
            spec = dig(resource.body, "spec", "workflowSpec") or {}
            yield _Use(resource, ("spec", "workflowSpec"), spec, resource.namespace)
        for at, body, _ in embedded.objects(resource):
            if dig(body, "kind") == "Workflow" and at[-1] == "resource":
                namespace = str(dig(body, "metadata", "namespace") or resource.namespace)
                yield _Use(resource, (*at, "spec"), dig(body, "spec") or {}, namespace)


def _template(world: tuple[Resource, ...], use: _Use, reference: object) -> tuple[str, str | None, Resource | None]:
    """(kind, namespace, object) that a workflowTemplateRef or templateRef means."""
    cluster = bool(dig(reference, "clusterScope"))
    kind, namespace = _TEMPLATES[cluster], None if cluster else use.namespace
    return kind, namespace, named(world, kind, namespace, str(dig(reference, "name")))


@rule("X05", "the template that a Workflow names is in its namespace", "world")
def templates(bundle: Bundle) -> Iterator[Hit]:
    for _, world in bundle.worlds:
        for use in _uses(world):
            for pointer, reference in walk(use.spec):
                name = dig(reference, "name")
                if (
                    pointer[-1:] not in (("workflowTemplateRef",), ("templateRef",))
                    or not isinstance(name, str)
                    or "{{" in name
                ):
                    continue
                kind, namespace, found = _template(world, use, reference)
                at = (*use.at, *pointer)
                inner = dig(reference, "template")
                if found is None:
                    yield from missing(bundle, world, use.by, (*at, "name"), (kind, namespace, name))
                elif isinstance(inner, str) and "{{" not in inner and inner not in _names(found.body):
                    message = f"{use.by} names template {inner} of {kind} {name}, which has none of that name"
                    related = (Related(place(bundle, found, ("spec", "templates")), f"the {kind}"),)
                    yield hit(bundle, use.by, (*at, "template"), message, suggest(inner, _names(found.body)), related)


@rule("X06", "a Workflow passes the arguments that its template takes, and its entry points exist", "world")
def arguments(bundle: Bundle) -> Iterator[Hit]:
    for _, world in bundle.worlds:
        for use in _uses(world):
            reference = dig(use.spec, "workflowTemplateRef")
            found = _template(world, use, reference)[2] if reference else None
            if found is not None:
                yield from _parameters(bundle, use, found)
            if found is not None or not reference:
                yield from _entry_points(bundle, use, found)


def _parameters(bundle: Bundle, use: _Use, template: Resource) -> Iterator[Hit]:
    """What is passed is declared, read by name, or an input of the entry point (which gets arguments of its name)."""
    declared = {str(dig(entry, "name")): entry for entry in dig(template.body, "spec", "arguments", "parameters") or ()}
    entry_point = dig(use.spec, "entrypoint") or dig(template.body, "spec", "entrypoint")
    inputs = {str(dig(entry, "name")): entry for entry in _inputs(template.body, entry_point)}
    needed = {**inputs, **declared}
    passed = [str(dig(entry, "name")) for entry in dig(use.spec, "arguments", "parameters") or ()]
    at = (*use.at, "arguments", "parameters")
    related = (Related(place(bundle, template, ("spec", "arguments")), "the template takes these"),)
    for index, name in enumerate(passed):
        if name not in needed and f"workflow.parameters.{name}" not in str(template.body):
            message = f"{use.by} passes argument {name}, which {template} does not take"
            yield hit(bundle, use.by, (*at, index, "name"), message, suggest(name, needed), related)
    for name, entry in needed.items():
        if name not in passed and not any(key in entry for key in _SUPPLIED):
            message = f"{use.by} does not pass argument {name}, which {template} needs"
            yield hit(bundle, use.by, at, message, f"add a parameter {name}", related)


def _inputs(body: Body, name: object) -> list[Body]:
    for template in dig(body, "spec", "templates") or ():
        if dig(template, "name") == name:
            return dig(template, "inputs", "parameters") or []
    return []


def _entry_points(bundle: Bundle, use: _Use, template: Resource | None) -> Iterator[Hit]:
    """entrypoint and onExit name a template; without a workflowTemplateRef one of the Workflow's own."""
    known = _names({"spec": use.spec}) + (_names(template.body) if template else [])
    for field in ("entrypoint", "onExit"):
        name = dig(use.spec, field)
        if isinstance(name, str) and "{{" not in name and known and name not in known:
            message = f"{use.by}: {field} {name} is no template of it"
            yield hit(bundle, use.by, (*use.at, field), message, suggest(name, known))


def _names(body: Body) -> list[str]:
    return [str(dig(entry, "name")) for entry in dig(body, "spec", "templates") or ()]
