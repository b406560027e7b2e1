"""E14: an AppProject allows what its Applications render, and no more."""

from __future__ import annotations

from collections.abc import Iterator

from kre.model.bundle import Bundle, Environment
from kre.model.resource import Pointer, Resource, Root, dig, each, sources, synced_paths
from kre.rules import project as projects
from kre.rules.registry import Hit, hit, rule

# What keeps others within bounds: whoever may write these may loosen them.
_GUARDS = (("", "ResourceQuota"), ("", "LimitRange"), ("networking.k8s.io", "NetworkPolicy"))


@rule(
    "E14",
    "an AppProject allows no more than its Applications render",
    "layout",
    peers=("kyverno application-field-validation",),
)
def closely(bundle: Bundle) -> Iterator[Hit]:
    """CD01 has the stars. Charts are not rendered here: where one is part of a project, nobody knows its kinds."""
    for environment in bundle.judged:
        for project in bundle.of(environment.name, "AppProject"):
            members = [
                item
                for item in bundle.of(environment.name, "Application")
                if dig(item.body, "spec", "project") == project.name
            ]
            if members:
                rendered = tuple(_rendered(bundle, environment, members))
                if dig(project.body, "spec", "namespaceResourceWhitelist") is not None:  # else CD01 says so
                    yield from _guards(bundle, project, rendered)
                yield from _destinations(bundle, project, members, rendered)
                if all(_known(bundle, item) for item in members):
                    yield from _kinds(bundle, project, rendered)


def _roots(bundle: Bundle, members: list[Resource]) -> Iterator[Root]:
    for item in members:
        for _, path in synced_paths(item):
            if root := bundle.root_at(path):
                yield root


def _rendered(bundle: Bundle, environment: Environment, members: list[Resource]) -> Iterator[Resource]:
    """What the Applications of a project would apply in an environment."""
    for root in _roots(bundle, members):
        yield from (item for item in root.resources if item.environment in (None, environment.name))
        if root.path == f"{environment.folder}/leaves/targets":  # comes with the first target
            yield _made("networking.k8s.io", "NetworkPolicy")


def _made(group: str, kind: str) -> Resource:
    return Resource({"apiVersion": f"{group}/v1" if group else "v1", "kind": kind}, "", "", namespace="x")


def _known(bundle: Bundle, application: Resource) -> bool:
    """Whether all that an Application applies is rendered here."""
    charts = any(dig(source, "chart") for _, source in sources(application))
    return not charts and all(bundle.root_at(path) for _, path in synced_paths(application))


def _guards(bundle: Bundle, project: Resource, rendered: tuple[Resource, ...]) -> Iterator[Hit]:
    for group, kind in _GUARDS:
        if projects.kind(project.body, _made(group, kind)) and not any(
            (it.group, it.kind) == (group, kind) for it in rendered
        ):
            message = f"{project} allows {kind}, which bounds others, and none of its Applications renders one"
            fix = "take it out of namespaceResourceWhitelist, or name it in namespaceResourceBlacklist"
            yield hit(bundle, project, _listed(project, kind), message, fix)


def _listed(project: Resource, kind: str) -> Pointer:
    """Where a kind is allowed; the whole spec where a pattern does it."""
    field = "namespaceResourceWhitelist"
    found = [n for n, entry in enumerate(each(project.body, "spec", field)) if dig(entry, "kind") == kind]
    return ("spec", field, found[0]) if found else ("spec",)


def _destinations(
    bundle: Bundle, project: Resource, members: list[Resource], rendered: tuple[Resource, ...]
) -> Iterator[Hit]:
    spaces = {item.namespace for item in rendered if item.body.get("metadata")} | {
        str(dig(item.body, "spec", "destination", "namespace") or "") for item in members
    }
    for index, entry in enumerate(each(project.body, "spec", "destinations")):
        pattern = str(dig(entry, "namespace") or "")
        if not pattern.startswith("!") and not any(projects.glob(pattern, space) for space in spaces if space):
            message = f"{project} may go to {pattern or 'no namespace'}, where none of its Applications does"
            yield hit(bundle, project, ("spec", "destinations", index), message, "take it out")


def _kinds(bundle: Bundle, project: Resource, rendered: tuple[Resource, ...]) -> Iterator[Hit]:
    for field in ("clusterResourceWhitelist", "namespaceResourceWhitelist"):
        for index, entry in enumerate(each(project.body, "spec", field)):
            group, kind = str(dig(entry, "group") or ""), str(dig(entry, "kind") or "")
            if not any(projects.glob(group, it.group) and projects.glob(kind, it.kind) for it in rendered):
                message = f"{project} allows {kind}, and none of its Applications renders one"
                yield hit(bundle, project, ("spec", field, index), message, "take it out")
