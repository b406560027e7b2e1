"""What is on the cluster before an environment is brought up: nothing of it, and Argo CD with or without the checks."""

from __future__ import annotations

import os
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
WHOLE = "workflows.argoproj.io"
CRDS = 11  # of Argo Events and Argo Workflows


def crds(cluster: Cluster) -> list[dict[str, Any]]:
    """The CRDs of Argo Events and Argo Workflows, as they are on the cluster.

    One is as large as upstream makes it, too large for client-side apply. The others take any field: whole, they are
    eight megabytes more, on which each bring-up would spend most of its time.
    """
    found = [crd for crd in cluster.list("crds", "default") if crd["spec"]["group"] == "argoproj.io"]
    return [_copy(crd) for crd in found if crd["metadata"]["name"] not in OWN]


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

    The controllers must outlive what they have finalizers on, and so must their rights, which are in its namespaces.
    """
    cluster = argocd.cluster
    for name in argocd.applications():
        if name.startswith(("kre-", "dev-", "staging-", "intruder")):
            forget(cluster, name)
    for kinds, space in (("workflows", "kre-responses"), ("sensors,eventsources,eventbus", "kre-pipeline")):
        cluster.run("-n", space, "delete", kinds, "--all", "--timeout=60s", check=False)  # the CRDs may not be there
    _delete(cluster, *(f"namespace/{name}" for name in ENGINE))
    rest = [f"namespace/{name}" for name in (*CONTROLLERS, "falco")]
    _delete(cluster, *rest, *(f"crd/{crd['metadata']['name']}" for crd in crds(cluster)))


def _delete(cluster: Cluster, *objects: str) -> None:
    """All at once, without grace for pods, and waits for the end."""
    cluster.run("delete", *objects, "--ignore-not-found", "--wait=false")
    for name in objects:
        if name.startswith("namespace/"):
            space = name.removeprefix("namespace/")
            cluster.run("-n", space, "delete", "pods", "--all", "--force", "--grace-period=0", check=False)
    cluster.run("delete", *objects, "--ignore-not-found", "--timeout=120s")


def forget(cluster: Cluster, application: str) -> None:
    """Deletes an Application, and nothing that it made."""
    keep = '{"metadata": {"finalizers": null}}'
    cluster.run("-n", "argocd", "patch", "application", application, "--type=merge", f"--patch={keep}")
    cluster.run("-n", "argocd", "delete", "application", application)


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
    left = [item for item in bootstrap if cluster.try_get(item["kind"], item["metadata"]["name"], "argocd")]
    assert not left
    spaces = {item["metadata"]["name"] for item in cluster.list("namespaces", "default")}
    assert not spaces & {*ENGINE, *CONTROLLERS, "falco"}
    roles = {item["metadata"]["name"] for item in cluster.list("clusterroles,clusterrolebindings", "default")}
    assert not [name for name in roles if name.startswith(("kre-", "argo-events-", "argo-workflows-"))]
    assert len(crds(cluster)) == CRDS
