"""F01-F05: the facts of an environment arrive where they should, agree with each other, and clash with no other's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kre.edit.pattern import pattern_of
from kre.model.bundle import Bundle, Environment
from kre.model.finding import Place, Related
from kre.model.resource import Pointer, dig, each, synced_paths, walk
from kre.rules.registry import Hit, hit, rule

NAMESPACE = r"body.output_fields.k8s\.ns\.name"
IN_CLUSTER = "https://kubernetes.default.svc"
_PLACEHOLDER = re.compile(r"(?<![A-Za-z-])(PROJECT|CLUSTER|REPOSITORY|REVISION|ROOT|RELEASE|CHARTS|CRDS)(?![A-Za-z])")


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
                names = ", ".join(map(str, listed)) or "(none)"
                where = facts_place(bundle, environment, "targetPattern")
                message = f"targetPattern does not match the targets {names}, and no others"
                yield Hit(where, message, f"write {wanted}", (environment.name,))


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
        stated = dig(resource.metadata, "annotations", key)
        for _, path in synced_paths(resource) if isinstance(stated, str) else ():
            named = [_absolute(part, path) for part in str(stated).split(";") if part]
            root = bundle.root_at(path)
            unnamed = [folder for folder in sorted(root.folders if root else ()) if not _below(folder, named)]
            if unnamed:
                message = f"{path} reads {unnamed[0]}, which is not named here: Argo CD would not see a change there"
                hint = f"add ;/{unnamed[0].split('/')[0]}"
                yield hit(bundle, resource, ("metadata", "annotations", key), message, hint)


def _below(folder: str, named: list[str]) -> bool:
    return any(name in ("", folder) or folder.startswith(f"{name}/") for name in named)


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
        for sensor in bundle.of(environment.name, "Sensor"):
            for index, dependency in enumerate(each(sensor.body, "spec", "dependencies")):
                at: Pointer = ("spec", "dependencies", index)
                for steps, message, hint in _loopholes(dependency, dig(environment.spec, "targetPattern")):
                    yield hit(bundle, sensor, (*at, *steps), f"{sensor}: {message}", hint)


def _loopholes(dependency: object, wanted: object) -> Iterator[tuple[Pointer, str, str]]:
    """Every way in which an alert from outside of the targets would get through (argo-events.md's S1-S14: filters are
    joined by and only where nothing else is said, a template or a transform puts another value in a field's place)."""
    first: Pointer = ("filters", "data", 0)
    if dig(dependency, *first, "path") != NAMESPACE:
        message = f"the first data filter is not {NAMESPACE}: the targets would be put elsewhere"
        yield (*first, "path"), message, "move the filter on the namespace to the top"
    elif dig(dependency, *first, "value") != [wanted]:
        hint = "let environment/kustomization.yaml set it"
        yield (*first, "value"), f"the first data filter is not the environment's targets, {wanted}", hint
    for steps, allowed in (
        ((*first, "type"), ("string",)),
        ((*first, "comparator"), (None, "", "=")),
        ((*first, "template"), (None, "")),
        (("filters", "dataLogicalOperator"), (None, "", "and")),
        (("filtersLogicalOperator",), (None, "", "and")),
        (("transform",), (None,)),
    ):
        if dig(dependency, *steps) not in allowed:
            message = f"{steps[-1]} lets alerts through that the filter on the namespace would stop"
            yield steps, message, "remove it"
