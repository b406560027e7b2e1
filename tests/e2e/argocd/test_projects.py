"""The projects hold: nothing gets out of them, and nothing of another one gets in by way of the root."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from e2e.argocd import stage
from e2e.argocd.argo import Application, ArgoCD
from e2e.argocd.forge import FOREIGN, FORK, Fork

pytestmark = pytest.mark.e2e

CLUSTER = "https://kubernetes.default.svc"


INTRUDERS = {  # name -> project, namespace, repository, path, and the message that it is refused with
    "argocds-namespace": (
        ("kre-dev", "argocd", FORK, "overlays/dev/leaves/demo"),
        "namespace 'argocd' do not match any of the allowed",
    ),
    "foreign-repository": (
        ("kre-dev", "kre-demo", FOREIGN, "overlays/dev/leaves/demo"),
        f"application repo {FOREIGN} is not permitted",
    ),
    "the-walls-themselves": (
        ("kre-dev-root", "argocd", FORK, "apps/dev"),
        "resource argoproj.io:AppProject is not permitted",
    ),
}


@pytest.fixture(scope="module")
def intruders(dev: ArgoCD) -> Iterator[None]:
    """All of them at once."""
    made = [application(f"intruder-{name}", *where) for name, (where, _) in INTRUDERS.items()]
    dev.cluster.apply(yaml.safe_dump_all(made))
    yield
    stage.forget(dev.cluster, *(item["metadata"]["name"] for item in made))


@pytest.mark.parametrize("name", INTRUDERS)
@pytest.mark.usefixtures("intruders")
def test_the_projects_are_closed(dev: ArgoCD, name: str) -> None:
    dev.expect_word(f"intruder-{name}", INTRUDERS[name][1])


def test_the_root_makes_no_application_of_another_project(dev: ArgoCD, fork: Fork) -> None:
    """Not even where `default` allows everything, as that of a new Argo CD does."""
    everything: dict[str, Any] = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    }
    default = application("default", "", "", "", "") | {"kind": "AppProject", "spec": everything}
    dev.cluster.apply(yaml.safe_dump(default))
    intruder = application("intruder", "default", "kube-system", FORK, "overlays/dev/leaves/demo")
    entry = fork.with_entries("overlays/dev/kustomization.yaml", resources=["intruder-application.yaml"])
    files = {"overlays/dev/intruder-application.yaml": yaml.safe_dump(intruder)} | entry
    with fork.pushed("an Application in project default", files):
        dev.refresh("kre-dev-root")
        dev.expect_word("kre-dev-root", "kre-dev-root may make Applications of project kre-dev only")
        assert "dev-intruder" not in dev.applications()


def application(name: str, project: str, namespace: str, repository: str, path: str) -> Application:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": project,
            "destination": {"server": CLUSTER, "namespace": namespace},
            "source": {"repoURL": repository, "targetRevision": "main", "path": path},
            "syncPolicy": {"automated": {}},
        },
    }
