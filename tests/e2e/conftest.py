"""A cluster that has opted in, with the engine of dev on it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from e2e.afterwards import look
from e2e.beside import Beside
from e2e.controllers import confine, confined
from e2e.engine import DEMO, PIPELINE, RESPONSES, VICTIMS, Engine, deployment, pod_spec
from e2e.kubectl import PROJECT, Cluster, wait

RIGHTS = ("argo-events", "argo-workflows")  # the leaves with those of the controllers
LEAVES = ("detection", "demo", "pipeline", "responses", "targets")
FOREVER = ["python3", "-c", "import time; time.sleep(1e6)"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is not marked `api` needs a node."""
    for item in items:
        if item.get_closest_marker("e2e") and not item.get_closest_marker("api"):
            item.add_marker("node")


def pytest_collection_finish(session: pytest.Session) -> None:
    """A group runs what was asked for, and nothing else."""
    Beside.only({item.function for item in session.items if isinstance(item, pytest.Function)})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """One that failed on a node says what is to be seen there."""
    report = yield
    if report.failed and item.get_closest_marker("node") and "cluster" in getattr(item, "fixturenames", ()):
        report.sections.append(("the cluster", look()))
    return report


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The cluster of KUBECONFIG. Nothing is touched before it has said that it may be."""
    known = Cluster()
    asked = ("-n", "kube-system", "get", "configmap", "kre-e2e", "--output=name", "--ignore-not-found")
    if not known.run(*asked, check=False).strip():
        pytest.fail("this cluster has no ConfigMap kre-e2e in kube-system: see tests/e2e/README.md", pytrace=False)
    return known


@pytest.fixture(scope="session")
def up(cluster: Cluster) -> Iterator[Engine]:
    """dev's leaves applied as they are rendered, everything up, and nothing left of an earlier run."""
    token = subprocess.run([sys.executable, "-m", "kre", "token"], check=True, capture_output=True, text=True).stdout
    cluster.apply("---\n".join([token, *rendered(cluster, *RIGHTS)]))
    confine(cluster)
    cluster.apply("---\n".join(rendered(cluster, *LEAVES)))
    confined(cluster)
    cluster.run("-n", RESPONSES, "delete", "workflows", "--all")
    for name in ("falcosidekick", "stranger"):  # one with Falcosidekick's label, and a neighbour with its Secret alone
        cluster.run("-n", "falco", "delete", "pod", name, "--ignore-not-found", "--grace-period=0", "--force")
        cluster.apply(json.dumps(_sender(name)))
    cluster.apply(json.dumps(deployment("victim", VICTIMS, FOREVER)))
    for kind, names in (("eventbus", ["default"]), ("eventsource", ["falco"]), ("sensor", _sensors(cluster))):
        for name in names:
            wait(f"{kind} {name}", lambda kind=kind, name=name: cluster.conditions(kind, name, PIPELINE))
    for namespace in (PIPELINE, DEMO, "falco"):
        cluster.run("-n", namespace, "wait", "--for=condition=Ready", "pods", "--all", "--timeout=180s")
    engine = Engine(cluster)
    engine.forget()
    yield engine
    cluster.run("-n", "falco", "delete", "pod", "falcosidekick", "stranger", "--grace-period=0", "--force")


def rendered(cluster: Cluster, *leaves: str) -> list[str]:
    """Each leaf of dev as Kustomize renders it."""
    folders = [str(PROJECT / "overlays/dev/leaves" / leaf) for leaf in leaves]
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda folder: cluster.run("kustomize", folder), folders))


@pytest.fixture
def engine(up: Engine) -> Engine:
    """The same, with a count of its own, and nothing left of the test before."""
    up.forget()
    up.rest()
    return up


def _sensors(cluster: Cluster) -> list[str]:
    return [item["metadata"]["name"] for item in cluster.list("sensors", PIPELINE, "kre/response")]


def _sender(name: str) -> dict[str, object]:
    spec = pod_spec(FOREVER)
    spec["containers"][0]["envFrom"] = [{"secretRef": {"name": "falcosidekick-webhook"}}]
    metadata = {"name": name, "namespace": "falco", "labels": {"app.kubernetes.io/name": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
