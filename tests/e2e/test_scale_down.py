"""scale-down on a cluster: the pods go, the number is remembered, and a person brings it back as the page says."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from e2e.conftest import FOREVER
from e2e.engine import DEMO, Engine, deployment
from e2e.kubectl import Cluster, Object, wait
from e2e.test_responses import check_record, others_are_untouched, state

pytestmark = pytest.mark.e2e
NAME = "crowded"


@pytest.fixture
def crowded(engine: Engine) -> Iterator[tuple[str, str]]:
    """(name, uid) of one of two pods of a Deployment of its own."""
    engine.cluster.apply(json.dumps(deployment(NAME, 2, FOREVER)))
    engine.cluster.run("-n", DEMO, "wait", "--for=condition=Available", f"deployment/{NAME}", "--timeout=180s")
    pods = engine.cluster.list("pods", DEMO, f"app={NAME}")
    engine.given |= {pod["metadata"]["uid"] for pod in pods}
    yield pods[0]["metadata"]["name"], pods[0]["metadata"]["uid"]
    engine.cluster.run("-n", DEMO, "delete", "deployment", NAME, "--wait=true", "--timeout=120s")


def found(engine: Engine) -> Object:
    return engine.cluster.get("deployment", NAME, DEMO)


def test_a_workload_has_no_replicas_and_comes_back(engine: Engine, crowded: tuple[str, str]) -> None:
    name, uid = crowded
    before = state(engine)
    record = engine.respond("scale-down", DEMO, name, uid)
    check_record(engine, record, "scale-down", uid, "scaled-down")
    assert record["scaled"] == {"owner": f"Deployment {NAME}", "replicas": "2"}
    assert (found(engine)["spec"]["replicas"], found(engine)["metadata"]["annotations"]["kre/scaled-from"]) == (0, "2")
    wait("the end of its pods", lambda: not engine.cluster.list("pods", DEMO, f"app={NAME}"))
    others_are_untouched(engine, before)
    # as the page says
    path = "jsonpath={.metadata.annotations.kre/scaled-from}"
    number = engine.cluster.run("-n", DEMO, "get", "deployment", NAME, "-o", path)
    engine.cluster.run("-n", DEMO, "scale", "deployment", NAME, f"--replicas={number}")
    engine.cluster.run("-n", DEMO, "annotate", "deployment", NAME, "kre/scaled-from-")
    engine.cluster.run("-n", DEMO, "wait", "--for=condition=Available", f"deployment/{NAME}", "--timeout=180s")
    assert found(engine)["status"]["readyReplicas"] == 2


def test_what_argo_cd_keeps_is_left_alone(engine: Engine, crowded: tuple[str, str]) -> None:
    tracking = f"argocd.argoproj.io/tracking-id=x:apps/Deployment:{DEMO}/{NAME}"
    engine.cluster.run("-n", DEMO, "annotate", "deployment", NAME, tracking)
    record = engine.respond("scale-down", DEMO, *crowded)
    assert (record["outcome"], record["reason"]) == ("refused", "Argo CD keeps its owner as Git has it")
    assert found(engine)["spec"]["replicas"] == 2


def test_the_api_server_says_so_too(engine: Engine, crowded: tuple[str, str]) -> None:
    """Whatever the responder does: the identity itself can't change what is tracked, nor anything but the replicas."""
    identity = Cluster("system:serviceaccount:kre-responses:scale-down", "system:serviceaccounts:kre-responses")
    code, _, error = identity.try_run("-n", DEMO, "set", "image", f"deployment/{NAME}", "main=x:1")
    assert code != 0
    assert "forbidden" in error.lower() or "denied" in error.lower()
    assert found(engine)["spec"]["template"]["spec"]["containers"][0]["image"] != "x:1"
