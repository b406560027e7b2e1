"""What Argo CD is told: which folder or chart, where to, and that nobody's change on the cluster lasts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kre.model.resource import Resource, dig
from kre.model.resource import each as items
from safety.promise import World, each, exactly

EXACT = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
CHARTS = {"argo-events": "argo-events", "argo-workflows": "argo-workflows", "falco": "falco", "falcosidekick": "falco"}
# name -> (namespace, folder below leaves/, wave)
FOLDERS = {
    "argo-events-access": ("argo-events", "argo-events", 0),
    "argo-workflows-access": ("argo-workflows", "argo-workflows", 0),
    "demo": ("kre-demo", "demo", 0),
    "detection": ("falco", "detection", 0),
    "pipeline": ("kre-pipeline", "pipeline", 2),
    "responses": ("kre-responses", "responses", 3),
    "targets": ("kre-responses", "targets", 5),
}
SPACES = {name: name if name.startswith("argo") else "falco" for name in CHARTS}
SPACES |= {name: space for name, (space, _, _) in FOLDERS.items()}
CHART_WAVES = {"argo-events": 1, "argo-workflows": 1, "falcosidekick": 4, "falco": 5}
RETRY = {"limit": -1, "refresh": True, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m"}}
ROOT_RETRY = RETRY | {"backoff": {"duration": "5s", "factor": 2, "maxDuration": "30s"}}  # or mending commits wait
LATE = ("pipeline", "responses")  # their kinds come with an Application of an earlier wave


@each("Application")
def argo_cd_keeps_what_git_says(item: Resource, world: World) -> Iterator[str]:
    env, facts = world.environment.name, world.environment.spec
    name = item.name.removeprefix(f"{env}-")
    root, crds = item.name == f"kre-{env}-root", name == "argo-workflows-crds"
    project = f"kre-{env}-root" if root else f"kre-{env}"
    space = "argocd" if root else "argo-workflows" if crds else SPACES.get(name)
    spec = dig(item.body, "spec") or {}
    yield from exactly(dig(spec, "project"), project, "held by the walls of its project", "project")
    where = {"server": facts["cluster"]["server"], "namespace": space}
    yield from exactly(dig(spec, "destination"), where, "to its own namespace", "destination")
    automated: dict[str, Any] = {
        "prune": not crds,
        "selfHeal": True,
        **({"allowEmpty": True} if name == "targets" else {}),
    }
    options = ["ServerSideApply=true"] if crds else ["SkipDryRunOnMissingResource=true"] if name in LATE else None
    policy = {"automated": automated, "retry": ROOT_RETRY if root else RETRY}
    policy |= {"syncOptions": options} if options else {}
    yield from exactly(
        dig(spec, "syncPolicy"), policy, "a change by hand is undone, and a sync that failed tried again", "syncPolicy"
    )
    yield from exactly(
        sorted(set(spec) - {"source", "sources"}), ["destination", "project", "syncPolicy"], "nothing is ignored"
    )


@each("Application")
def argo_cd_takes_it_from_where_it_is_reviewed(item: Resource, world: World) -> Iterator[str]:
    env, facts = world.environment.name, world.environment.spec
    name, spec = item.name.removeprefix(f"{env}-"), dig(item.body, "spec") or {}
    git = {"repoURL": facts["repository"]["url"], "targetRevision": facts["repository"]["revision"]}
    why = "from the repository and revision of the environment"
    if name in CHARTS:
        chart, values = [*items(spec, "sources"), {}, {}][:2]
        files = [f"{facts['paths']['release']}/{name}", f"overlays/{env}/values"]
        wanted = {
            "chart": name,
            "repoURL": facts["charts"][CHARTS[name].partition("-")[0]],
            "targetRevision": dig(chart, "targetRevision"),
            "helm": {
                "releaseName": name,
                "valueFiles": [f"$values/{files[0]}/values.yaml", f"$values/{files[1]}/{name}.yaml"],
            },
        }
        yield from exactly(items(spec, "sources"), [wanted, {"ref": "values", **git}], why, "sources")
        if not EXACT.fullmatch(str(dig(chart, "targetRevision"))):
            yield "the chart is of no exact version"
        if "source" in spec or not values:
            yield "a source beside its sources"
        return
    if name == "argo-workflows-crds":
        found = dig(spec, "source") or {}
        crds = {"repoURL": facts["crds"]["argoWorkflows"], "path": "manifests/base/crds/full"}
        yield from exactly(found, {**crds, "targetRevision": dig(found, "targetRevision")}, why, "source")
        if not EXACT.fullmatch(str(dig(found, "targetRevision")).removeprefix("v")):
            yield "the CRDs are of no exact version"
        return
    path = (
        f"overlays/{env}"
        if item.name == f"kre-{env}-root"
        else f"overlays/{env}/leaves/{FOLDERS.get(name, ('', ''))[1]}"
    )
    yield from exactly(dig(spec, "source"), {"path": path, **git}, why, "source")
    if "sources" in spec:
        yield "sources beside its source"


@each("Application")
def applications_come_in_order_and_go_with_what_they_made(item: Resource, world: World) -> Iterator[str]:
    env = world.environment.name
    name = item.name.removeprefix(f"{env}-")
    if item.name == f"kre-{env}-root":
        reads = f"/overlays/{env};/base" if not world.environment.source else f"/overlays/{env}"
        wanted = {"argocd.argoproj.io/manifest-generate-paths": reads}
    else:
        wave = FOLDERS[name][2] if name in FOLDERS else CHART_WAVES.get(name, 0)
        wanted = {"argocd.argoproj.io/sync-wave": str(wave)}
    yield from exactly(
        item.metadata.get("annotations"), wanted, "rights before controllers, the way before Falco", "annotations"
    )
    stays = item.name == f"kre-{env}-root" or name == "argo-workflows-crds"  # with its CRDs all records would go
    finalizers = None if stays else ["resources-finalizer.argocd.argoproj.io"]
    yield from exactly(
        item.metadata.get("finalizers"), finalizers, "what is taken out of Git is taken off the cluster", "finalizers"
    )
