"""Self-heal: it puts back what Git says, and leaves alone what the engine has done meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from e2e.argocd.argo import ArgoCD, expect
from e2e.engine import DEMO, PIPELINE, RESPONSES, Engine
from e2e.kubectl import Cluster, Object, alert, wait
from e2e.test_responses import release, state

pytestmark = pytest.mark.e2e
# Every Application with something in a namespace that a response touches.
HEALED = ("dev-demo", "dev-targets", "dev-responses", "dev-pipeline")


@dataclass(frozen=True)
class Isolated:
    """A pod that the engine has isolated, and what was there right after."""

    name: str
    uid: str
    labels: Object  # before
    workflow: str
    sensors: dict[str, str]
    traces: Object


@pytest.fixture(scope="module")
def isolated(dev: ArgoCD) -> Isolated:
    """An isolated pod, and then a sync of each Application that has put back what somebody took away."""
    cluster, engine = dev.cluster, Engine(dev.cluster)
    uid, name = next(iter(cluster.running(DEMO).items()))
    labels = state(engine)[uid]["labels"]
    made = alert("isolate-pod", DEMO, name, uid)
    assert cluster.post(made, by="deployment/falcosidekick") == "200"
    said = wait("the dispatcher's record", lambda: engine.said(made["uuid"]))[-1]
    assert engine.finish(said["workflow"])["outcome"] == "isolated"
    found = Isolated(name, uid, labels, said["workflow"], sensors(cluster), traces(engine, uid, said["workflow"]))
    before = {application: syncs(dev, application) for application in HEALED}
    cluster.run("-n", PIPELINE, "delete", "sensors", "--all", "--wait=false")
    cluster.run("-n", PIPELINE, "delete", "networkpolicy", "default-deny")
    cluster.run("-n", DEMO, "delete", "rolebinding", "kre-notify")
    cluster.run("-n", DEMO, "scale", "deployment", "shop", "--replicas=3")
    for application, last in before.items():
        expect(f"a sync of {application}", lambda one=application, last=last: "" if syncs(dev, one) > last else last)
    dev.converge(HEALED)
    return found


def syncs(dev: ArgoCD, application: str) -> str:
    """When its last sync ended."""
    return str(dev.applications()[application]["status"].get("operationState", {}).get("finishedAt", ""))


def sensors(cluster: Cluster) -> dict[str, str]:
    return {item["metadata"]["name"]: item["metadata"]["uid"] for item in cluster.list("sensors", PIPELINE)}


def traces(engine: Engine, uid: str, workflow: str) -> Object:
    """What the engine has left on the cluster: marks on the pod, the Lease that counts, the Workflow, its Events."""
    cluster = engine.cluster
    lease = cluster.get("lease", f"target-{DEMO}", PIPELINE)["metadata"]
    run = cluster.get("workflow", workflow, RESPONSES)
    return {
        "pod": state(engine)[uid],
        "lease": (lease["uid"], lease["annotations"]),
        "workflow": (run["metadata"]["uid"], run["spec"], run["status"]["phase"]),
        "events": sorted(event["metadata"]["uid"] for event in engine.events(DEMO, workflow)),
    }


def test_what_is_taken_away_comes_back(dev: ArgoCD, isolated: Isolated) -> None:
    now = sensors(dev.cluster)
    assert now.keys() == isolated.sensors.keys()
    assert not set(now.values()) & set(isolated.sensors.values())
    assert dev.cluster.get("networkpolicy", "default-deny", PIPELINE)
    assert dev.cluster.get("rolebinding", "kre-notify", DEMO)
    assert dev.cluster.get("deployment", "shop", DEMO)["spec"]["replicas"] == 2


def test_what_the_engine_has_done_stays(dev: ArgoCD, isolated: Isolated) -> None:
    """The pod stays isolated, its labels are not put back; its marks, Lease, Workflow and Events are as they were."""
    now = traces(Engine(dev.cluster), isolated.uid, isolated.workflow)
    assert now == isolated.traces
    assert now["pod"]["labels"] == {"kre/quarantine": "true"}
    assert now["pod"]["ownerReferences"] is None
    assert now["events"]


def test_an_isolated_pod_is_released(dev: ArgoCD, isolated: Isolated) -> None:
    """It has its labels again, or its owner, which then has one too many, has ended it."""
    engine = Engine(dev.cluster)
    assert release(engine, isolated.name, isolated.uid)["outcome"] == "released"
    wait("its labels", lambda: (state(engine).get(isolated.uid) or {}).get("labels") in (isolated.labels, None))
