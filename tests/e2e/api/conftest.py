"""An API server, its CRDs, and what of dev needs nothing more."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest

from e2e.api import leaves
from e2e.api.door import Door, door
from e2e.api.responder import Responder
from e2e.api.rest import Rest
from e2e.http import Http
from e2e.kubectl import PROJECT, Cluster, wait
from kre.load.bundle import load
from kre.model.bundle import Bundle

ENGINE = ("EventBus", "EventSource", "Sensor", "Workflow", "WorkflowTemplate", "WorkflowTaskResult")
DELIVERY = ("Application", "AppProject")
ARGO = "argoproj.io/v1alpha1"


@pytest.fixture(scope="session")
def http(cluster: Cluster) -> Iterator[Http]:
    """The one way to the server; only after it has said that it may be used."""
    with Http() as opened:
        yield opened


@pytest.fixture(scope="session")
def rest(cluster: Cluster, http: Http) -> Rest:
    """What the server serves; the engine's kinds at least. KRE_E2E_CRDS names a folder of CRDs for one without."""
    known = cluster.list("customresourcedefinitions", "")
    folder = os.environ.get("KRE_E2E_CRDS")
    if folder and not any(crd["spec"]["group"] == ARGO.partition("/")[0] for crd in known):
        cluster.run("apply", "--server-side", f"--filename={folder}")
        known = cluster.list("customresourcedefinitions", "")
    there = {crd["spec"]["names"]["kind"] for crd in known}
    if missing := [kind for kind in ENGINE if kind not in there]:
        how = "install Argo Events and Argo Workflows, or name a folder with their CRDs in KRE_E2E_CRDS"
        pytest.fail(f"this cluster does not know {', '.join(missing)} of {ARGO}: {how}", pytrace=False)
    # A server that is busy serves them only some seconds after it has taken them.
    wait(f"{ARGO} to be served", lambda: all(Rest(http).serves(ARGO, kind) for kind in ENGINE))
    return Rest(http)


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """Everything that this repository renders."""
    return load(PROJECT)


@pytest.fixture(scope="session")
def dev(cluster: Cluster, rest: Rest, bundle: Bundle) -> None:
    """dev's namespaces, identities, rights, policies and settings are on the server."""
    leaves.put(cluster, rest, bundle.resources)


@pytest.fixture(scope="module")
def opened(http: Http, dev: None) -> Iterator[Door]:
    """What a program of the engine asks, on its way to the server."""
    with door(http) as made:
        yield made


@pytest.fixture(scope="module")
def responder(opened: Door, tmp_path_factory: pytest.TempPathFactory) -> Responder:
    """Responders, behind that."""
    return Responder(opened, tmp_path_factory.mktemp("responder"))


@pytest.fixture(scope="session")
def elsewhere(cluster: Cluster) -> Iterator[str]:
    """A namespace that nothing else knows. Never a name again: without controllers one that is deleted stays."""
    name = f"kre-rendered-{secrets.token_hex(3)}"
    cluster.run("create", "namespace", name)
    yield name
    cluster.run("delete", "namespace", name, "--wait=false")
