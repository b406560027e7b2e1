"""X17, CD01, CD07, CD08, E15: Applications point at what is there, inside closed projects."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from kre.load.objects import cluster_scoped
from kre.load.provenance import place
from kre.model.bundle import Bundle, Environment
from kre.model.finding import Related
from kre.model.resource import Resource, Root, dig
from kre.rules.registry import Hit, hit, rule


@rule(
    "CD01",
    "an AppProject is closed: no * for repositories, destinations or kinds",
    "object",
    peers=("checkov CKV_ARGO", "kyverno"),
)
def closed_project(bundle: Bundle) -> Iterator[Hit]:
    for project in bundle.resources:
        if project.kind != "AppProject":
            continue
        for index, repository in enumerate(dig(project.body, "spec", "sourceRepos") or ()):
            if repository == "*":
                yield hit(
                    bundle, project, ("spec", "sourceRepos", index), f"{project} takes any repository", "name them"
                )
        for index, destination in enumerate(dig(project.body, "spec", "destinations") or ()):
            for field in ("server", "name", "namespace"):
                if dig(destination, field) == "*":
                    at = ("spec", "destinations", index, field)
                    yield hit(bundle, project, at, f"{project} may go to any {field}", "name each destination")
        for field in ("clusterResourceWhitelist", "namespaceResourceWhitelist"):
            for index, kind in enumerate(dig(project.body, "spec", field) or ()):
                if dig(kind, "kind") == "*" or dig(kind, "group") == "*":
                    message = f"{project} allows {dig(kind, 'group') or 'core'}/{dig(kind, 'kind')}"
                    yield hit(
                        bundle, project, ("spec", field, index), message, "list the kinds that are really applied"
                    )


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
        for application in bundle.of(environment.name, "Application"):
            path = dig(application.body, "spec", "source", "path")
            if dig(application.body, "spec", "source", "repoURL") != dig(environment.spec, "repository", "url"):
                continue
            named.add(str(path).strip("/"))
            if isinstance(path, str) and bundle.root_at(path.strip("/")) is None:
                message = f"{application} syncs {path}, where nothing is rendered"
                yield hit(bundle, application, ("spec", "source", "path"), message, "add the folder, or mend the path")
        for root in bundle.roots:
            if (
                root.environment == environment.name
                and root.role == "leaf"
                and root.path not in named
                and not root.failed
            ):
                where = bundle.kustomizations[root.path].source.at(())
                yield Hit(where, f"no Application of {environment.name} syncs {root.path}", "", (environment.name,))
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
        projects = {project.name: project for project in bundle.of(environment.name, "AppProject")}
        for application in bundle.of(environment.name, "Application"):
            name = str(dig(application.body, "spec", "project"))
            path = str(dig(application.body, "spec", "source", "path")).strip("/")
            if name not in projects:
                message = f"{application} is in project {name}, which apps/{environment.name} does not make"
                yield hit(bundle, application, ("spec", "project"), message)
                continue
            yield from _repositories(bundle, application, projects[name])
            if root := bundle.root_at(path):
                yield from _objects(bundle, root, projects[name])


def _repositories(bundle: Bundle, application: Resource, project: Resource) -> Iterator[Hit]:
    allowed = [str(entry) for entry in dig(project.body, "spec", "sourceRepos") or ()]
    single = [(("spec", "source"), dig(application.body, "spec", "source"))]
    listed = [
        (("spec", "sources", index), entry)
        for index, entry in enumerate(dig(application.body, "spec", "sources") or ())
    ]
    for at, source in (*single, *listed):
        url = dig(source, "repoURL")
        if isinstance(url, str) and not any(fnmatchcase(url, pattern) for pattern in allowed):
            message = f"{application} reads {url}, which project {project.name} does not allow"
            yield hit(bundle, application, (*at, "repoURL"), message, "add it to sourceRepos, if it is meant")


def _objects(bundle: Bundle, root: Root, project: Resource) -> Iterator[Hit]:
    """As `AppProject.IsResourcePermitted` (argo-cd v3.4, pkg/apis/application/v1alpha1/app_project_types.go)."""
    spaces = [str(dig(entry, "namespace")) for entry in dig(project.body, "spec", "destinations") or ()]
    for resource in root.resources:
        field = "clusterResourceWhitelist" if cluster_scoped(resource) else "namespaceResourceWhitelist"
        if not any(_permits(entry, resource) for entry in dig(project.body, "spec", field) or ()):
            message = f"project {project.name} does not allow {resource}: Argo CD would refuse to apply it"
            yield hit(bundle, resource, ("kind",), message, f"add it to {field}, if it is meant")
        elif resource.namespace and not any(fnmatchcase(resource.namespace, space) for space in spaces):
            message = f"project {project.name} has no destination {resource.namespace}: Argo CD would refuse {resource}"
            yield hit(
                bundle, resource, ("metadata", "namespace"), message, "add it to the destinations, if it is meant"
            )


def _permits(entry: object, resource: Resource) -> bool:
    group, kind, name = dig(entry, "group") or "", dig(entry, "kind") or "", dig(entry, "name")
    named = name is None or not cluster_scoped(resource) or fnmatchcase(resource.name, name)
    return fnmatchcase(resource.group, group) and fnmatchcase(resource.kind, kind) and named
