"""E07, E08: what workflow controllers hold Workflows to, and Workflows that they would not take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kre.load import embedded
from kre.model.bundle import Bundle
from kre.model.resource import Body, Pointer, Resource, dig
from kre.rbac.reach.controllers import STRICT, Controller
from kre.rbac.reach.floors import CHECKED
from kre.rbac.reach.model import Node
from kre.rules.hops import Known, known
from kre.rules.registry import Hit, hit, rule

# docs/workflow-restrictions.md of argo-workflows: what a Workflow may say beside the template that it names.
ALLOWED = frozenset(
    "activeDeadlineSeconds archiveLogs arguments artifactGC entrypoint metrics podGC priority shutdown suspend "
    "ttlStrategy volumeClaimGC workflowMetadata workflowTemplateRef".split()
)


@rule("E07", "the workflow controller holds Workflows to their templates, in a version that does", "world")
def controller(bundle: Bundle) -> Iterator[Hit]:
    for one in known(bundle):
        for found in one.ground.controllers:
            creators = _creators(one, found)
            if found.mode not in STRICT and creators:
                says = f"is {found.mode}" if found.mode else "is not set"
                message = f"templateReferencing {says}, and {creators[0]} may create Workflows: of any content"
                hint = "set controller.workflowRestrictions.templateReferencing: Strict"
                yield Hit(found.mode_place, message, hint, one.environments())
            for floor in found.faults:
                fixed = " or ".join(f"v{'.'.join(map(str, version))}" for version in sorted(floor.fixed.values()))
                message = f"Argo Workflows {found.version} has {floor.id} of {floor.published}: {floor.means}"
                hint = f"take {fixed} at least (as known on {CHECKED})"
                yield Hit(found.version_place, message, hint, one.environments())


def _creators(one: Known, found: Controller) -> list[str]:
    """Everybody who may create a Workflow that this controller would run."""
    return [
        str(who)
        for who in one.people
        if not one.by_chart(who)
        for held in one.reach.held(Node(who)).of("create", "argoproj.io", "workflows")
        if not held.namespace or found.manages(held.namespace)
    ]


@rule("E08", "a Workflow says what a controller that is Strict takes, and no more", "world")
def refused(bundle: Bundle) -> Iterator[Hit]:
    for one in known(bundle):
        for item in one.world.resources:
            for at, spec, namespace in _specs(item):
                strict = [it for it in one.ground.controllers if it.manages(namespace) and it.mode in STRICT]
                if strict:
                    yield from _too_much(bundle, item, at, spec, strict[0])


def _specs(item: Resource) -> Iterator[tuple[Pointer, Body, str]]:
    """(pointer, spec, namespace) of each Workflow that is made of an object. Inside of text there are no pointers."""
    steps: Pointer | None = {"Workflow": ("spec",), "CronWorkflow": ("spec", "workflowSpec")}.get(item.kind)
    if steps and isinstance(spec := dig(item.body, *steps), Mapping):
        yield steps, spec, item.namespace
    for inner in embedded.objects(item):
        spec = dig(inner.body, "spec")
        if inner.whole and dig(inner.body, "kind") == "Workflow" and isinstance(spec, Mapping):
            yield (() if inner.text else (*inner.at, "spec")), spec, embedded.namespace(inner, item)


def _too_much(bundle: Bundle, item: Resource, at: Pointer, spec: Body, strict: Controller) -> Iterator[Hit]:
    allowed = ALLOWED | set(strict.overrides)
    mode = f"a controller with templateReferencing: {strict.mode}"
    for field in (str(name) for name, value in spec.items() if name not in allowed and value is not None):
        message = f"a Workflow of {item} sets {field}, which {mode} refuses"
        yield hit(bundle, item, (*at, field) if at else (), message, "say it in the WorkflowTemplate")
    if not dig(spec, "workflowTemplateRef", "name"):
        message = f"a Workflow of {item} names no template, which {mode} refuses"
        yield hit(bundle, item, at, message, "name one: workflowTemplateRef")
