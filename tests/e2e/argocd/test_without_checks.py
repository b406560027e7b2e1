"""The commands of the docs on an Argo CD as it comes: everything comes up."""

from __future__ import annotations

import pytest
import yaml

from e2e.argocd import stage
from e2e.argocd.argo import ArgoCD
from e2e.argocd.forge import Fork
from e2e.kubectl import Cluster

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def plain(argocd: ArgoCD, fork: Fork) -> ArgoCD:
    """An empty cluster, then the two commands."""
    stage.clear(argocd)
    stage.remove_checks(argocd.cluster)
    stage.bring_up(fork)
    return argocd


def test_everything_comes_up(plain: ArgoCD, fork: Fork) -> None:
    plain.converge(fork.applications("dev"), seconds=240)


def test_the_values_of_both_folders_reach_the_charts(plain: ArgoCD) -> None:
    falco = content(plain.cluster, "configmap", "falco", "falco")
    assert falco["driver"] == "modern_ebpf"
    assert yaml.safe_load(falco["falco.yaml"])["priority"] == "notice"
    controller = content(plain.cluster, "configmap", "argo-workflows-workflow-controller-configmap", "argo-workflows")
    assert yaml.safe_load(controller["workflowRestrictions"]) == {"templateReferencing": "Strict"}


def test_a_new_token_takes_nothing_from_the_namespaces(plain: ArgoCD, fork: Fork) -> None:
    before = [marks(plain.cluster, name) for name in ("kre-pipeline", "falco")]
    fork.shell("kre token | kubectl apply -f -")
    assert [marks(plain.cluster, name) for name in ("kre-pipeline", "falco")] == before


def content(cluster: Cluster, kind: str, name: str, namespace: str) -> dict[str, str]:
    found = cluster.try_get(kind, name, namespace)
    assert found is not None, f"there is no {kind} {name} in {namespace}"
    return dict(found["data"])


def marks(cluster: Cluster, namespace: str) -> dict[str, str]:
    """A namespace's labels and annotations, but for kubectl's own."""
    found = cluster.try_get("namespace", namespace, "default")
    assert found is not None
    metadata = found["metadata"]
    marked = metadata.get("labels", {}) | metadata.get("annotations", {})
    return {key: value for key, value in marked.items() if not key.startswith("kubectl.kubernetes.io/")}
