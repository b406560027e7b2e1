"""X05, X06: a Workflow names a template that is there, with the arguments that it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kre.load import embedded
from kre.load.provenance import place
from kre.model.bundle import Bundle
from kre.model.finding import Related
from kre.model.resource import Body, Pointer, Resource, dig, each, walk
from kre.rules.references import missing, named, suggest
from kre.rules.registry import Hit, hit, rule

_TEMPLATES = ("WorkflowTemplate", "ClusterWorkflowTemplate")
_REFERENCES = ("workflowTemplateRef", "templateRef")
_SUPPLIED = ("value", "default", "valueFrom", "enum")


@dataclass(frozen=True, slots=True)
class _Use:
    """A Workflow's spec, wherever it stands: an object of its own, inside a CronWorkflow or WorkflowEventBinding, in
    a Sensor's trigger; there as `text` it has no places inside."""

    by: Resource
    at: Pointer
    spec: Body
    namespace: str
    text: bool = False

    def point(self, *steps: str | int) -> Pointer:
        """The pointer, in `by`, of a place in the spec."""
        return self.at if self.text else (*self.at, *steps)


_SPECS: dict[str, Pointer] = {
    "Workflow": ("spec",),
    "WorkflowTemplate": ("spec",),
    "ClusterWorkflowTemplate": ("spec",),
    "CronWorkflow": ("spec", "workflowSpec"),
    "WorkflowEventBinding": ("spec", "submit"),
}


def _uses(world: tuple[Resource, ...]) -> Iterator[_Use]:
    for resource in world:
        steps = _SPECS.get(resource.kind)
        if steps and isinstance(spec := dig(resource.body, *steps), Mapping):
            yield _Use(resource, steps, spec, resource.namespace)
        for item in embedded.objects(resource):
            spec = dig(item.body, "spec")
            if dig(item.body, "kind") == "Workflow" and isinstance(spec, Mapping):
                at = item.at if item.text else (*item.at, "spec")
                yield _Use(resource, at, spec, embedded.namespace(item, resource), item.text)


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
                if pointer and pointer[-1] in _REFERENCES and _literal(dig(reference, "name")):
                    yield from _reference(bundle, world, use, pointer, reference)


def _reference(
    bundle: Bundle, world: tuple[Resource, ...], use: _Use, pointer: Pointer, reference: object
) -> Iterator[Hit]:
    kind, namespace, found = _template(world, use, reference)
    name, inner = str(dig(reference, "name")), dig(reference, "template")
    if found is None:
        yield from missing(bundle, world, use.by, use.point(*pointer, "name"), (kind, namespace, name))
    elif _literal(inner) and inner not in _names(found.body):
        message = f"{use.by} names template {inner} of {kind} {name}, which has none of that name"
        related = (Related(place(bundle, found, ("spec", "templates")), f"the {kind}"),)
        hint = suggest(str(inner), _names(found.body))
        yield hit(bundle, use.by, use.point(*pointer, "template"), message, hint, related)


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
    declared = _by_name(each(template.body, "spec", "arguments", "parameters"))
    entry_point = dig(use.spec, "entrypoint") or dig(template.body, "spec", "entrypoint")
    inputs = [entry for entry in each(template.body, "spec", "templates") if dig(entry, "name") == entry_point]
    needed = {**_by_name(each(inputs, 0, "inputs", "parameters")), **declared}
    passed = [str(dig(entry, "name")) for entry in each(use.spec, "arguments", "parameters")]
    related = (Related(place(bundle, template, ("spec", "arguments")), "the template takes these"),)
    for index, name in enumerate(passed):
        read = re.search(rf"workflow\.parameters\.{re.escape(name)}(?![\w-])", str(template.body))
        if name not in needed and not read:
            message = f"{use.by} passes argument {name}, which {template} does not take"
            at = use.point("arguments", "parameters", index, "name")
            yield hit(bundle, use.by, at, message, suggest(name, needed), related)
    for name, entry in needed.items():
        if name not in passed and not any(key in entry for key in _SUPPLIED):
            message = f"{use.by} does not pass argument {name}, which {template} needs"
            at = use.point("arguments", "parameters")
            yield hit(bundle, use.by, at, message, f"add a parameter {name}", related)


def _by_name(entries: list[object]) -> dict[str, Body]:
    return {str(entry["name"]): entry for entry in entries if isinstance(entry, Mapping) and "name" in entry}


def _entry_points(bundle: Bundle, use: _Use, template: Resource | None) -> Iterator[Hit]:
    """entrypoint and onExit name a template; without a workflowTemplateRef one of the Workflow's own."""
    known = _names({"spec": use.spec}) + (_names(template.body) if template else [])
    for field in ("entrypoint", "onExit"):
        name = dig(use.spec, field)
        if _literal(name) and known and name not in known:
            message = f"{use.by}: {field} {name} is no template of it"
            yield hit(bundle, use.by, use.point(field), message, suggest(str(name), known))


def _names(body: Body) -> list[str]:
    return [str(dig(entry, "name")) for entry in each(body, "spec", "templates")]


def _literal(name: object) -> bool:
    """Whether a name says what it means: a template tag is only filled in when it runs."""
    return isinstance(name, str) and bool(name) and "{{" not in name
