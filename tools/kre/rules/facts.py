"""F01-F07: the facts of an environment arrive where they should, agree with each other, and clash with no other's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kre.model.bundle import Bundle, Environment
from kre.model.finding import Place, Related
from kre.model.resource import Body, Resource, dig, walk
from kre.rules.registry import Hit, hit, rule

NEVER = "$.^"  # as RE2: the end, then a character, then the start
NAMESPACE = r"body.output_fields.k8s\.ns\.name"
IN_CLUSTER = "https://kubernetes.default.svc"
_PLACEHOLDER = re.compile(r"(?<![A-Za-z-])(PROJECT|CLUSTER|REPOSITORY|REVISION|ROOT|RELEASE|CHARTS|CRDS)(?![A-Za-z])")


def pattern_of(targets: list[str]) -> str:
    """The anchored pattern (RE2) that matches these namespaces and no others; one that never matches for none."""
    return f"^({'|'.join(re.escape(name) for name in targets)})$".replace(r"\-", "-") if targets else NEVER


def facts_place(bundle: Bundle, environment: Environment, *steps: str) -> Place:
    """Where a fact is written."""
    path = f"{environment.folder}/environment/environment.yaml"
    source = bundle.sources.get(path)
    return source.at(("spec", *steps)) if source else Place(path)


@rule("F01", "every fact reaches its place", "layout")
def no_placeholder(bundle: Bundle) -> Iterator[Hit]:
    for resource in bundle.resources:
        for pointer, value in walk(resource.body) if resource.kind in ("Application", "AppProject") else ():
            if isinstance(value, str) and (left := _PLACEHOLDER.search(value)):
                message = f"{left[0]} was never filled in: no replacement of the environment reaches {resource}"
                yield hit(
                    bundle, resource, pointer, message, "compare its kre/* labels with environment/kustomization.yaml"
                )


@rule("F02", "the target pattern says exactly the targets", "layout")
def pattern_agrees(bundle: Bundle) -> Iterator[Hit]:
    for environment in bundle.environments:
        listed = dig(environment.spec, "targets")
        if isinstance(listed, list):
            wanted = pattern_of([str(name) for name in listed])
            if dig(environment.spec, "targetPattern") != wanted:
                message = (
                    f"targetPattern does not match the targets {', '.join(map(str, listed)) or '(none)'}, and no others"
                )
                yield Hit(
                    facts_place(bundle, environment, "targetPattern"), message, f"write {wanted}", (environment.name,)
                )


@rule("F03", "no two environments share a cluster", "layout")
def own_cluster(bundle: Bundle) -> Iterator[Hit]:
    for fact in ("name", "server"):
        seen: dict[str, Environment] = {}
        for environment in bundle.environments:
            value = dig(environment.spec, "cluster", fact)
            other = seen.setdefault(str(value), environment)
            if other is not environment and value and value != IN_CLUSTER:
                where = facts_place(bundle, environment, "cluster", fact)
                related = (Related(facts_place(bundle, other, "cluster", fact), f"{other.name} has it"),)
                message = (
                    f"{environment.name} and {other.name} both go to cluster {fact} {value}: each would undo the other"
                )
                yield Hit(where, message, "give each environment a cluster of its own", (environment.name,), related)


@rule("F04", "manifest-generate-paths names every folder that is read", "layout")
def generate_paths(bundle: Bundle) -> Iterator[Hit]:
    key = "argocd.argoproj.io/manifest-generate-paths"
    for resource in bundle.resources:
        stated = dig(resource.metadata, "annotations", key) if resource.kind == "Application" else None
        path = str(dig(resource.body, "spec", "source", "path"))
        root = bundle.root_at(path)
        if stated is None or root is None:
            continue
        named = [_absolute(part, path) for part in str(stated).split(";") if part]
        for folder in sorted(root.folders):
            if not any(folder == name or folder.startswith(f"{name}/") for name in named):
                message = f"{path} reads {folder}, which is not named here: Argo CD would not see a change there"
                yield hit(bundle, resource, ("metadata", "annotations", key), message, f"add ;/{folder.split('/')[0]}")
                break


def _absolute(part: str, path: str) -> str:
    if part.startswith("/"):
        return part.strip("/")
    steps: list[str] = path.split("/")
    for step in part.split("/"):
        if step == "..":
            steps = steps[:-1]
        elif step not in ("", "."):
            steps.append(step)
    return "/".join(steps)


@rule("F05", "a Sensor filters by namespace first, and by the environment's targets", "layout")
def namespace_filter(bundle: Bundle) -> Iterator[Hit]:
    for environment in bundle.environments:
        wanted = dig(environment.spec, "targetPattern")
        for sensor in bundle.of(environment.name, "Sensor"):
            for index, dependency in enumerate(dig(sensor.body, "spec", "dependencies") or ()):
                first = dig(dependency, "filters", "data", 0)
                at = ("spec", "dependencies", index, "filters", "data", 0)
                if dig(first, "path") != NAMESPACE:
                    message = (
                        f"the first data filter of {sensor} is not {NAMESPACE}: the targets would be put elsewhere"
                    )
                    yield hit(bundle, sensor, (*at, "path"), message, "move the filter on the namespace to the top")
                elif (
                    dig(first, "value") != [wanted]
                    or dig(first, "type") != "string"
                    or dig(first, "comparator") not in (None, "", "=")
                ):
                    message = f"{sensor} does not filter by the environment's targets, {wanted}"
                    yield hit(bundle, sensor, (*at, "value"), message, "let environment/kustomization.yaml set it")
        yield from _responders(bundle, environment)


def _responders(bundle: Bundle, environment: Environment) -> Iterator[Hit]:
    """The same facts, as the responders are told them."""
    facts = {"KRE_TARGETS": dig(environment.spec, "targetPattern"), "KRE_MODE": dig(environment.spec, "mode")}
    for template in bundle.of(environment.name, "WorkflowTemplate"):
        for pointer, value in walk(template.body):
            name = dig(value, "name") if pointer[-2:-1] == ("env",) else None
            if name in facts and dig(value, "value") != facts[str(name)]:
                message = f"{template} is told {name}={dig(value, 'value')}, the environment says {facts[str(name)]}"
                yield hit(bundle, template, (*pointer, "value"), message, "let environment/kustomization.yaml set it")


@rule("F06", "targets agree: facts, RoleBindings, and the project's destinations", "layout")
def targets_agree(bundle: Bundle) -> Iterator[Hit]:
    for environment in bundle.environments:
        targets = {str(name) for name in dig(environment.spec, "targets") or ()}
        root = bundle.root_at(f"{environment.folder}/leaves/targets")
        bound = {resource.namespace for resource in root.resources} if root and not root.failed else targets
        reachable = _destinations(bundle.of(environment.name, "AppProject"))
        where = facts_place(bundle, environment, "targets")
        for name in sorted(targets ^ bound):
            lack = (
                "has no RoleBinding in leaves/targets"
                if name in targets
                else "is bound in leaves/targets, but no target"
            )
            yield Hit(where, f"namespace {name} {lack}", "add what is missing, or remove the rest", (environment.name,))
        for name in sorted(targets - reachable):
            message = (
                f"target {name} is no destination of an AppProject in apps/{environment.name}: Argo CD would refuse it"
            )
            yield Hit(where, message, "add it to the destinations", (environment.name,))


def _destinations(projects: Iterator[Resource]) -> set[str]:
    bodies: list[Body] = [project.body for project in projects]
    return {str(dig(entry, "namespace")) for body in bodies for entry in dig(body, "spec", "destinations") or ()}


@rule("F07", "leaves/targets renders RoleBindings in target namespaces, nothing else", "layout")
def only_bindings(bundle: Bundle) -> Iterator[Hit]:
    for environment in bundle.environments:
        root = bundle.root_at(f"{environment.folder}/leaves/targets")
        for resource in root.resources if root else ():
            if resource.kind != "RoleBinding":
                message = (
                    f"{resource} among the targets: what stands there is meant to grant rights in a namespace only"
                )
                yield hit(bundle, resource, ("kind",), message, "move it to another leaf")
