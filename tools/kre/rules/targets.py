"""F06-F08: a target namespace is one everywhere, has all that the responses need there, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from kre.compare.waiting import holders
from kre.model.bundle import Bundle, Environment
from kre.model.resource import Resource, dig, each
from kre.rbac.model import Subject
from kre.rules.facts import facts_place
from kre.rules.project import destination
from kre.rules.registry import Hit, hit, rule

QUARANTINE = "kre-quarantine"
_CUT_OFF = {"podSelector": {"matchLabels": {"kre/quarantine": "true"}}, "policyTypes": ["Ingress", "Egress"]}


def _targets(environment: Environment) -> list[str]:
    return [str(name) for name in each(environment.spec, "targets")]


def _there(bundle: Bundle, environment: Environment) -> tuple[Resource, ...] | None:
    """What leaves/targets renders; None where that is not known."""
    root = bundle.root_at(f"{environment.folder}/leaves/targets")
    return None if root is None or root.failed else root.resources


@rule("F06", "targets agree: facts, RoleBindings, and the project's destinations", "layout")
def targets_agree(bundle: Bundle) -> Iterator[Hit]:
    for environment in bundle.environments:
        targets, there = set(_targets(environment)), _there(bundle, environment)
        bound = targets if there is None else {item.namespace for item in there if item.kind == "RoleBinding"}
        projects = [project.body for project in bundle.of(environment.name, "AppProject")]
        where = facts_place(bundle, environment, "targets")
        for name in sorted(targets ^ bound):
            lack = "has no RoleBinding in leaves/targets" if name in targets else "is bound there, but is no target"
            yield Hit(where, f"namespace {name} {lack}", "add what is missing, or remove the rest", (environment.name,))
        cluster = {"server": dig(environment.spec, "cluster", "server")}
        for name in sorted(targets):
            if not any(destination(project, cluster, name) for project in projects):
                message = f"target {name} is no destination of a project in apps/{environment.name}"
                yield Hit(where, message, "add it: Argo CD would refuse to apply anything there", (environment.name,))


@rule("F07", "leaves/targets renders what makes a namespace a target, nothing else", "layout")
def only_targets(bundle: Bundle) -> Iterator[Hit]:
    for environment in bundle.environments:
        root = bundle.root_at(f"{environment.folder}/leaves/targets")
        for resource in root.resources if root else ():
            if not _belongs(resource, _targets(environment)):
                message = f"{resource} among the targets: there stand RoleBindings and {QUARANTINE} only"
                yield hit(
                    bundle, resource, ("kind",), message, "move it to another leaf, or write it as F07's page has it"
                )


def _belongs(resource: Resource, targets: list[str]) -> bool:
    body = resource.body
    if resource.kind == "NetworkPolicy":
        return resource.name == QUARANTINE and resource.namespace in targets and body.get("spec") == _CUT_OFF
    return resource.kind == "RoleBinding"


@rule("F08", "each enabled response is bound in each target, to its own ClusterRole and nothing else", "layout")
def targets_complete(bundle: Bundle) -> Iterator[Hit]:
    for environment in bundle.judged:
        there, targets = _there(bundle, environment), _targets(environment)
        wanted = holders(bundle, environment)
        for item in there or ():
            if item.kind == "RoleBinding" and item.namespace in targets:
                yield from _binding(bundle, item, wanted)
        for target in targets if there is not None else ():
            mine = [item for item in there or () if item.namespace == target]
            bound = {str(dig(item.body, "roleRef", "name")) for item in mine if item.kind == "RoleBinding"}
            lacks = [f"RoleBinding {name}" for name in sorted(wanted.keys() - bound)]
            if not any((item.kind, item.name) == ("NetworkPolicy", QUARANTINE) for item in mine):
                lacks.append(f"NetworkPolicy {QUARANTINE}")
            for lack in lacks if bound else ():  # F06 says so of one that is not bound at all
                message = f"target {target} has no {lack} in leaves/targets"
                yield Hit(facts_place(bundle, environment, "targets"), message, "add it there", (environment.name,))


def _binding(bundle: Bundle, item: Resource, wanted: dict[str, Subject]) -> Iterator[Hit]:
    kind, name = dig(item.body, "roleRef", "kind"), str(dig(item.body, "roleRef", "name"))
    if kind != "ClusterRole" or name not in wanted:
        message = f"{item} binds {kind} {name}, which is of no response that is enabled here"
        known = ", ".join(sorted(wanted)) or "none"
        yield hit(bundle, item, ("roleRef", "name"), message, f"remove it; a target may bind {known}")
        return
    one = wanted[name]
    if item.body.get("subjects") != [{"kind": one.kind, "name": one.name, "namespace": one.namespace}]:
        message = f"{item} gives {name} to another than {one.name} of {one.namespace}, or to more"
        hint = f"name ServiceAccount {one.name} of namespace {one.namespace}, and no other"
        yield hit(bundle, item, ("subjects",), message, hint)
