"""What is on the cluster before an environment is brought up: nothing of it, and Argo CD with or without the checks."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from e2e.argocd.argo import ArgoCD, commands
from e2e.argocd.forge import Fork
from e2e.kubectl import PROJECT, Cluster

CHECKS = PROJECT / "apps/argocd"
ENGINE = ("kre-pipeline", "kre-responses", "kre-demo")
CONTROLLERS = ("argo-events", "argo-workflows")
OWN = ("applications.argoproj.io", "applicationsets.argoproj.io", "appprojects.argoproj.io")  # Argo CD's own CRDs
WHOLE = "workflowtasksets.argoproj.io"
CRDS = 11  # of Argo Events and Argo Workflows
FREE = ("--type=merge", '--patch={"metadata": {"finalizers": null}}')


def crds(cluster: Cluster) -> list[dict[str, Any]]:
    """The CRDs of Argo Events and Argo Workflows, as they are on the cluster.

    One is as large as upstream makes it, too large for client-side apply. The others take any field: whole, they are
    ten megabytes more, and Argo CD reads the schemas of all anew for each of them, for longer than all else takes.
    """
    return [_copy(cluster.get("crd", name, "default")) for name in crd_names(cluster)]


def crd_names(cluster: Cluster) -> list[str]:
    """The names of those that are on the cluster."""
    found = [name.partition("/")[2] for name in cluster.run("get", "crds", "--output=name").split()]
    return [name for name in found if name.endswith(".argoproj.io") and name not in OWN]


def _copy(crd: dict[str, Any]) -> dict[str, Any]:
    """Without what the API server added."""
    copy = {"apiVersion": crd["apiVersion"], "kind": crd["kind"], "metadata": {"name": crd["metadata"]["name"]}}
    if crd["metadata"]["name"] == WHOLE:
        return copy | {"spec": crd["spec"]}
    anything = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return copy | {
        "spec": crd["spec"] | {"versions": [item | {"schema": anything} for item in crd["spec"]["versions"]]}
    }


def clear(argocd: ArgoCD) -> None:
    """Takes away what earlier tests left, and the controllers and CRDs that the cluster came with.

    Nobody waits for the controllers to let go of what they own: its namespaces go too.
    """
    cluster = argocd.cluster
    ours = ("kre-", "dev-", "staging-", "intruder")
    forget(cluster, *(name for name in argocd.applications() if name.startswith(ours)))
    known = crd_names(cluster)
    if known:
        for kinds, space in (("workflows", "kre-responses"), ("sensors,eventsources,eventbus", "kre-pipeline")):
            names = cluster.run("-n", space, "get", kinds, "--output=name", check=False).split()  # its CRD may be going
            _delete_at_once(cluster, space, names)
    spaces = [f"namespace/{name}" for name in (*ENGINE, *CONTROLLERS, "falco")]
    objects = [*spaces, *_clusterwide(cluster)]
    cluster.run("delete", *objects, "--ignore-not-found", "--wait=false")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda space: _end_pods(cluster, space.removeprefix("namespace/")), spaces))
    cluster.run("delete", *objects, "--ignore-not-found", "--timeout=200s")
    if known:  # after the namespaces, which ask for what is left of each kind; minutes, where they were just made
        cluster.run("delete", *(f"crd/{name}" for name in known), "--ignore-not-found", "--timeout=230s")


def _clusterwide(cluster: Cluster) -> list[str]:
    """What the engine has outside of namespaces, the walls of apps/ among it."""
    kinds = "clusterroles,validatingadmissionpolicies,validatingadmissionpolicybindings"
    names = cluster.run("get", kinds, "--output=name").split()
    walls = cluster.run("-n", "argocd", "get", "appprojects", "--output=name").split()
    if walls := [name for name in walls if "/kre-" in name]:
        cluster.run("-n", "argocd", "delete", *walls)
    return [name for name in names if "/kre-" in name]


def _end_pods(cluster: Cluster, space: str) -> None:
    """At once, without the grace that they ask for."""
    cluster.run("-n", space, "delete", "pods", "--all", "--force", "--grace-period=0", "--wait=false", check=False)


def forget(cluster: Cluster, *applications: str) -> None:
    """Deletes Applications, and nothing that they made."""
    if applications:
        cluster.run("-n", "argocd", "patch", "application", *applications, *FREE)
        cluster.run("-n", "argocd", "delete", "application", *applications)


def _delete_at_once(cluster: Cluster, space: str, names: list[str]) -> None:
    """Whatever finalizers they have. Those go last: to what is not being deleted, a controller gives them back."""
    if names:
        cluster.run("-n", space, "delete", *names, "--wait=false")
        cluster.run("-n", space, "patch", *names, *FREE, check=False)  # some are gone
        cluster.run("-n", space, "delete", *names, "--ignore-not-found", "--timeout=60s")


def add_checks(cluster: Cluster, folder: Path) -> None:
    """As docs/operate.md says for Kustomize: apps/argocd as a Component beside the argocd-cm that is there."""
    known = cluster.try_get("configmap", "argocd-cm", "argocd")
    assert known is not None
    there = {"name": "argocd-cm", "namespace": "argocd", "labels": known["metadata"].get("labels", {})}
    (folder / "argocd-cm.yaml").write_text(yaml.safe_dump(known | {"metadata": there}))
    kustomization = {"resources": ["argocd-cm.yaml"], "components": [os.path.relpath(CHECKS, folder)]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    cluster.run("apply", "--server-side", "--force-conflicts", "--kustomize", str(folder))


def remove_checks(cluster: Cluster) -> None:
    patch = yaml.safe_load((CHECKS / "patches/argocd-cm-patch.yaml").read_text())
    nothing = yaml.safe_dump({"data": dict.fromkeys(patch["data"])})
    cluster.run("-n", "argocd", "patch", "configmap", "argocd-cm", "--type=merge", f"--patch={nothing}")


def bring_up(fork: Fork) -> None:
    """The commands of the docs."""
    for line in commands("docs/operate.md", after="## Bring up"):
        fork.shell(line)


def remove(argocd: ArgoCD, fork: Fork) -> None:
    """The commands of the docs, and nothing is left but what the docs say."""
    names = fork.applications("dev")
    for line in commands("docs/operate.md", after="To remove an environment"):
        fork.shell(line)
    assert not [name for name in names if name in argocd.applications()]
    cluster = argocd.cluster
    bootstrap = [item for item in fork.render("apps/dev") if item["kind"] != "Environment"]
    assert not [item for item in bootstrap if cluster.try_get(item["kind"], item["metadata"]["name"], "argocd")]
    spaces = {item["metadata"]["name"] for item in cluster.list("namespaces", "default")}
    assert not spaces & {*ENGINE, *CONTROLLERS, "falco"}
    kinds = "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings"
    clusterwide = {item["metadata"]["name"] for item in cluster.list(kinds, "default")}
    assert not [name for name in clusterwide if name.startswith(("kre-", "argo-events-", "argo-workflows-"))]
    assert len(crd_names(cluster)) == CRDS
