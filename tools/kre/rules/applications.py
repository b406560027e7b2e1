"""X17, CD01, CD07, CD08, E15: Applications point at what is there, inside closed projects."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kre.load.objects import cluster_scoped
from kre.load.provenance import place
from kre.model.bundle import Bundle, Environment
from kre.model.finding import Related
from kre.model.resource import Pointer, Resource, Root, dig, each, sources, synced_paths
from kre.rules import project as projects
from kre.rules.registry import Hit, hit, rule

_ANY = re.compile(r"\*+(/\**)*")


@rule(
    "CD01",
    "an AppProject is closed: no * for repositories, destinations or kinds",
    "object",
    peers=("checkov CKV_ARGO", "kyverno"),
)
def closed_project(bundle: Bundle) -> Iterator[Hit]:
    for project in bundle.resources:
        for pointer, message, hint in _openings(project) if project.kind == "AppProject" else ():
            yield hit(bundle, project, pointer, f"{project} {message}", hint)


def _openings(project: Resource) -> Iterator[tuple[Pointer, str, str]]:
    """(pointer, what it opens, what to do) for everything in a project that lets anything through."""
    for index, repository in enumerate(each(project.body, "spec", "sourceRepos")):
        if _any(repository):
            yield ("spec", "sourceRepos", index), "takes any repository", "name them"
    for index, destination in enumerate(each(project.body, "spec", "destinations")):
        for field in ("server", "name", "namespace"):
            if _any(dig(destination, field)):
                yield ("spec", "destinations", index, field), f"may go to any {field}", "name each destination"
    for field in ("clusterResourceWhitelist", "namespaceResourceWhitelist"):
        for index, kind in enumerate(each(project.body, "spec", field)):
            if _any(dig(kind, "kind")) or _any(dig(kind, "group")):
                message = f"allows {dig(kind, 'group') or 'core'}/{dig(kind, 'kind')}"
                yield ("spec", field, index), message, "list the kinds that are really applied"
    yield from _doors(project)
    if dig(project.body, "spec", "namespaceResourceWhitelist") is None:
        hint = "list the kinds that are really applied; [] allows none"
        yield ("spec",), "has no namespaceResourceWhitelist, which allows every kind in a namespace", hint


def _doors(project: Resource) -> Iterator[tuple[Pointer, str, str]]:
    """Who may use the project: namespaces of Applications, roles, and the ServiceAccounts that are acted as."""
    for index, space in enumerate(each(project.body, "spec", "sourceNamespaces")):
        if _any(space):
            yield ("spec", "sourceNamespaces", index), "takes Applications from any namespace", "name them"
    for index, entry in enumerate(each(project.body, "spec", "destinationServiceAccounts")):
        for field in ("server", "namespace"):
            if _any(dig(entry, field)):
                at: Pointer = ("spec", "destinationServiceAccounts", index, field)
                yield at, f"acts as {dig(entry, 'defaultServiceAccount')} in any {field}", "name each"
    for index, role in enumerate(each(project.body, "spec", "roles")):
        for number, policy in enumerate(each(role, "policies")):
            words = [word.strip() for word in str(policy).split(",")]  # p, SUBJECT, RESOURCE, ACTION, OBJECT, EFFECT
            if words[-1] == "allow" and "*" in words[2:4]:
                at = ("spec", "roles", index, "policies", number)
                yield at, f"lets role {dig(role, 'name')} do anything", "name the resource and the actions"


def _any(pattern: object) -> bool:
    return isinstance(pattern, str) and bool(_ANY.fullmatch(pattern))


@rule("CD07", "no Application is in project default", "object", peers=("kyverno application-prevent-default-project",))
def own_project(bundle: Bundle) -> Iterator[Hit]:
    for application in bundle.resources:
        if application.kind == "Application" and dig(application.body, "spec", "project") in ("default", "", None):
            message = f"{application} is in project default, which as a rule allows everything"
            yield hit(bundle, application, ("spec", "project"), message, "make it a member of a closed AppProject")


@rule("CD08", "no Application has both source and sources", "object")
def one_way(bundle: Bundle) -> Iterator[Hit]:
    for application in bundle.resources:
        spec = dig(application.body, "spec") if application.kind == "Application" else None
        if dig(spec, "source") and dig(spec, "sources"):
            message = f"{application} has source and sources: Argo CD ignores source"
            hint = "a replacement with options.create makes the other one unasked"
            yield hit(bundle, application, ("spec", "sources"), message, hint)


@rule("X17", "every path that an Application names is there; no object has two owners; no leaf is forgotten", "layout")
def paths(bundle: Bundle) -> Iterator[Hit]:
    for environment in bundle.environments:
        named: set[str] = set()
        own = dig(environment.spec, "repository", "url")
        for application in bundle.of(environment.name, "Application"):
            for pointer, path in synced_paths(application):
                if dig(application.body, *pointer[:-1], "repoURL") != own:
                    continue
                named.add(path)
                if bundle.root_at(path) is None:
                    message = f"{application} syncs {path}, where nothing is rendered"
                    yield hit(bundle, application, pointer, message, "add the folder, or mend the path")
        for root in bundle.roots:
            forgotten = root.environment == environment.name and root.role == "leaf" and root.path not in named
            if forgotten and root.path in bundle.kustomizations:
                where = bundle.kustomizations[root.path].source.at(())
                message = f"no Application of {environment.name} syncs {root.path}"
                yield Hit(where, message, "add one to overlays/<env>, or remove the leaf", (environment.name,))
        yield from _owners(bundle, environment)


def _owners(bundle: Bundle, environment: Environment) -> Iterator[Hit]:
    owners: dict[tuple[str, str, str, str], Resource] = {}
    for resource in bundle.of(environment.name):
        key = (resource.group, resource.kind, resource.namespace, resource.name)
        other = owners.setdefault(key, resource)
        if other.root != resource.root:
            related = (Related(place(bundle, other), f"{other.root} renders it too"),)
            message = (
                f"{resource} is rendered by {resource.root} and {other.root}: two Applications would fight over it"
            )
            yield hit(bundle, resource, ("metadata", "name"), message, "keep one", related)


@rule("E15", "a project allows what its Applications render, and where", "layout")
def project_allows(bundle: Bundle) -> Iterator[Hit]:
    for environment in bundle.environments:
        known = {project.name: project for project in bundle.of(environment.name, "AppProject")}
        for application in bundle.of(environment.name, "Application"):
            name = str(dig(application.body, "spec", "project"))
            if name not in known:
                message = f"{application} is in project {name}, which apps/{environment.name} does not make"
                hint = f"there is: {', '.join(sorted(known))}" if known else ""
                yield hit(bundle, application, ("spec", "project"), message, hint)
                continue
            yield from _destination(bundle, application, known[name])
            for at, source in sources(application):
                url = dig(source, "repoURL")
                if isinstance(url, str) and not projects.repository(known[name].body, url):
                    message = f"{application} reads {url}, which project {name} does not allow"
                    yield hit(bundle, application, (*at, "repoURL"), message, "add it to sourceRepos, if it is meant")
            for _, path in synced_paths(application):
                if root := bundle.root_at(path):
                    yield from _objects(bundle, application, root, known[name])


def _destination(bundle: Bundle, application: Resource, project: Resource) -> Iterator[Hit]:
    """Argo CD compares nothing for an Application whose own destination is not allowed, whatever it renders."""
    at: Pointer = ("spec", "destination")
    cluster, namespace = dig(application.body, *at) or {}, dig(application.body, *at, "namespace")
    if projects.destination(project.body, cluster, str(namespace or "")):
        return
    if namespace:
        message = f"project {project.name} has no destination {namespace}: Argo CD would refuse {application}"
        yield hit(bundle, application, (*at, "namespace"), message, "add it to the destinations, if it is meant")
    else:
        message = f"{application} names no namespace, which is no destination of project {project.name}"
        yield hit(bundle, application, at, message, "name one that is, even where every object has its own or none")


def _objects(bundle: Bundle, application: Resource, root: Root, project: Resource) -> Iterator[Hit]:
    cluster = dig(application.body, "spec", "destination") or {}
    for resource in root.resources:
        if not projects.kind(project.body, resource):
            field = "clusterResourceWhitelist" if cluster_scoped(resource) else "namespaceResourceWhitelist"
            message = f"project {project.name} does not allow {resource}: Argo CD would refuse to apply it"
            yield hit(bundle, resource, ("kind",), message, f"add it to {field}, if it is meant")
        elif resource.namespace and not projects.destination(project.body, cluster, resource.namespace):
            message = f"project {project.name} has no destination {resource.namespace}: Argo CD would refuse {resource}"
            yield hit(
                bundle, resource, ("metadata", "namespace"), message, "add it to the destinations, if it is meant"
            )
