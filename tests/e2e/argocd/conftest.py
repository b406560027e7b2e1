"""Argo CD and, beside it, a Git server with a user's fork of this repository and a chart repository."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.argocd import stage
from e2e.argocd.argo import ArgoCD
from e2e.argocd.charts import pack_all
from e2e.argocd.forge import FOREIGN, FORK, WORKFLOWS, Forge, Fork, git
from e2e.kubectl import PROJECT, Cluster

HERE = Path(__file__).parent
EVENTS = ("eventbus.argoproj.io", "eventsources.argoproj.io", "sensors.argoproj.io")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These come last: they take away the controllers that other tests use, so that Argo CD brings up its own."""
    items.sort(key=lambda item: HERE in item.path.parents)


@pytest.fixture(scope="session")
def argocd(cluster: Cluster) -> ArgoCD:
    if cluster.try_get("deployment", "argocd-repo-server", "argocd") is None:
        message = "Argo CD is not on this cluster: NOT TESTED that it converges. See tests/e2e/README.md"
        if os.environ.get("KRE_E2E_ARGOCD") == "required":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    return ArgoCD(cluster)


@pytest.fixture(scope="session")
def fork(argocd: ArgoCD, tmp_path_factory: pytest.TempPathFactory) -> Fork:
    """The stand-ins in their places, and this repository in the Git server."""
    crds = stage.crds(argocd.cluster)
    assert len(crds) > len(EVENTS), "there are no CRDs to copy: bring Argo CD up again, which installs them"
    forge = Forge(argocd.cluster)
    for url in (FORK, FOREIGN, WORKFLOWS):
        forge.create(url)
    forge.upload(pack_all([crd for crd in crds if crd["metadata"]["name"] in EVENTS]))
    workflows = [crd for crd in crds if crd["metadata"]["name"] not in EVENTS]
    _push_crds(forge, tmp_path_factory.mktemp("workflows"), workflows)
    fork = Fork(forge, tmp_path_factory.mktemp("fork"))
    forge.push(fork.folder, FOREIGN, "main")
    return fork


def _push_crds(forge: Forge, folder: Path, crds: list[dict[str, Any]]) -> None:
    """A repository with the CRDs in the folder, and under the tag, where Argo Workflows has them."""
    source = yaml.safe_load((PROJECT / "base/argo-workflows/crds-application.yaml").read_text())["spec"]["source"]
    place = folder / source["path"]
    place.mkdir(parents=True)
    names = [f"argoproj.io_{crd['spec']['names']['plural']}.json" for crd in crds]
    for name, crd in zip(names, crds, strict=True):
        (place / name).write_text(json.dumps(crd))
    (place / "kustomization.yaml").write_text(yaml.safe_dump({"resources": names}))
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "CRDs")
    git(folder, "tag", source["targetRevision"])
    forge.push(folder, WORKFLOWS, "main", source["targetRevision"])


@pytest.fixture(scope="session")
def dev(argocd: ArgoCD, fork: Fork, tmp_path_factory: pytest.TempPathFactory) -> ArgoCD:
    """dev with apps/argocd, from an empty cluster to all Synced and Healthy. The files here come in the order of
    their names: what takes it away again is the last that uses it."""
    stage.clear(argocd)
    stage.add_checks(argocd.cluster, tmp_path_factory.mktemp("argocd-cm"))
    stage.bring_up(fork)
    argocd.converge(fork.applications("dev"), seconds=240)
    return argocd
