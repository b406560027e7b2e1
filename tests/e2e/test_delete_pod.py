"""The seed's flow, end to end: Falcosidekick's alert -> EventSource -> EventBus -> Sensor -> Workflow -> the pod."""

from __future__ import annotations

import pytest

from e2e.kubectl import Cluster, alert, wait

pytestmark = pytest.mark.e2e

DEMO = "kre-demo"


def victim(engine: Cluster) -> tuple[str, str]:
    """(uid, name) of a running pod of the demo; the Deployment keeps two of them there."""
    running = wait("two pods of the demo", lambda: pods if len(pods := engine.running(DEMO)) == 2 else None)
    return next(iter(running.items()))


def test_the_named_pod_is_deleted_and_no_other(engine: Cluster) -> None:
    uid, name = victim(engine)
    before = engine.running(DEMO)
    assert engine.post(alert(DEMO, name, uid)) == "200"
    record = engine.follow(uid)
    assert (record["outcome"], record["pod"], record["uid"], record["mode"]) == ("deleted", name, uid, "enforce")
    wait(f"the end of pod {name}", lambda: uid not in engine.running(DEMO))
    assert before.keys() - engine.running(DEMO).keys() == {uid}
    assert engine.phase(uid) == "Succeeded"


def test_the_same_alert_again_makes_no_second_workflow(engine: Cluster) -> None:
    uid, name = victim(engine)
    for _ in range(3):
        assert engine.post(alert(DEMO, name, uid)) == "200"
    engine.follow(uid)
    marker(engine)
    about = [item for item in engine.list("workflows", "kre-responses") if uid in item["metadata"]["name"]]
    assert len(about) == 1


def test_an_alert_without_the_token_is_refused(engine: Cluster) -> None:
    uid, name = victim(engine)
    assert engine.post(alert(DEMO, name, uid), token=False) == "401"
    marker(engine, but=uid)
    assert engine.workflow(uid) is None
    assert uid in engine.running(DEMO)


def test_whoever_is_not_falcosidekick_does_not_get_through(engine: Cluster) -> None:
    uid, name = victim(engine)
    assert engine.post(alert(DEMO, name, uid), by="stranger") == "unreachable"
    assert uid in engine.running(DEMO)


def test_a_pod_outside_of_the_targets_is_left_alone(engine: Cluster) -> None:
    uid, name = next((uid, name) for uid, name in engine.running("falco").items() if name == "stranger")
    assert engine.post(alert("falco", name, uid)) == "200"
    marker(engine)
    assert engine.workflow(uid) is None
    assert uid in engine.running("falco")


@pytest.mark.parametrize(
    "changes",
    [{"rule": "Test rule"}, {"source": "internal"}, {"priority": "Debug"}],
    ids=lambda changes: next(iter(changes)),
)
def test_an_alert_that_no_response_is_bound_to_does_nothing(engine: Cluster, changes: dict[str, str]) -> None:
    uid, name = victim(engine)
    assert engine.post(alert(DEMO, name, uid, **changes)) == "200"
    marker(engine, but=uid)
    assert engine.workflow(uid) is None
    assert uid in engine.running(DEMO)


def test_another_pods_uid_is_refused(engine: Cluster) -> None:
    _, name = victim(engine)
    other = "00000000-0000-4000-8000-000000000000"
    assert engine.post(alert(DEMO, name, other)) == "200"
    record = engine.follow(other)
    assert (record["outcome"], record["reason"]) == ("refused", "another pod has this name now")
    assert name in engine.running(DEMO).values()
    engine.run("-n", "kre-responses", "delete", "workflow", f"delete-pod-{other}")


def test_a_pod_that_opted_out_is_refused(engine: Cluster) -> None:
    uid, name = victim(engine)
    engine.run("-n", DEMO, "annotate", "pod", name, "kre/protected=true")
    assert engine.post(alert(DEMO, name, uid)) == "200"
    assert engine.follow(uid)["outcome"] == "refused"
    assert uid in engine.running(DEMO)
    engine.run("-n", DEMO, "delete", "pod", name, "--wait=false")


def marker(engine: Cluster, but: str = "") -> None:
    """Sends an alert that does act, about another pod, and waits for its Workflow: whatever was posted before has
    been through the Sensor by then, which takes alerts one after the other."""
    running = wait("two pods of the demo", lambda: pods if len(pods := engine.running(DEMO)) == 2 else None)
    uid, name = next((uid, name) for uid, name in running.items() if uid != but)
    assert engine.post(alert(DEMO, name, uid)) == "200"
    wait("the marker's Workflow", lambda: engine.workflow(uid))
    wait("the marker's end", lambda: uid not in engine.running(DEMO))
