"""scale-down: whose workload it takes to nothing, what it remembers, and whose it leaves alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo.apiserver import Fault, deployment, reset, statefulset, trouble
from support.engine import APPROVED, UID, Engine, engine, shop

DEPLOYMENT = ("deployments.apps", "shop", "web")


def workload(it: Engine, plural: str = "deployments", name: str = "web") -> tuple[int, Any]:
    """(replicas, what the annotation remembers) of a workload of namespace shop."""
    (found,) = [one for one in it.server.state.all(plural) if one["metadata"]["name"] == name]
    return found["spec"]["replicas"], (found["metadata"].get("annotations") or {}).get("kre/scaled-from")


def marked(objects: list[dict[str, Any]], kind: str = "Deployment", **metadata: Any) -> list[dict[str, Any]]:
    """The objects, with this in the metadata of one of them."""
    for one in objects:
        if one["kind"] == kind and one["metadata"]["name"].startswith("web"):
            for key, value in metadata.items():
                kept = one["metadata"].get(key)
                one["metadata"][key] = {**kept, **value} if isinstance(kept, dict) else value
    return objects


def test_a_deployment(tmp_path: Path) -> None:
    with engine(tmp_path, marked(shop(), annotations={"team": "till"}), option="scale-down") as it:
        ran = it.run()
        assert ran.said == (0, "scaled-down", "Deployment web has no replicas now; it had 3")
        assert ran.record["scaled"] == {"owner": "Deployment web", "replicas": "3"}
        assert workload(it) == (0, "3")
        assert it.touched == {DEPLOYMENT}
        (asked,) = it.changing
        assert (asked.method, asked.body["metadata"]["uid"]) == ("PUT", "deploy-1")
        assert asked.body["metadata"]["annotations"] == {"team": "till", "kre/scaled-from": "3"}
        assert it.events[0]["reason"] == "KreScaledDown"


def test_a_statefulset(tmp_path: Path) -> None:
    objects = [*shop(owner=("StatefulSet", "db", "sts-1")), statefulset("shop", "db", 2, "sts-1")]
    with engine(tmp_path, objects, option="scale-down") as it:
        assert it.run().said == (0, "scaled-down", "StatefulSet db has no replicas now; it had 2")
        assert (workload(it, "statefulsets", "db"), it.touched) == ((0, "2"), {("statefulsets.apps", "shop", "db")})


def test_twice_does_it_once_and_remembers(tmp_path: Path) -> None:
    with engine(tmp_path, shop(), option="scale-down") as it:
        assert it.run().record["outcome"] == "scaled-down"
        ran = it.run()
        assert ran.said == (0, "scaled-down", "Deployment web has no replicas now; it had 3")
        assert (len(it.changing), workload(it)) == (1, (0, "3"))


def test_somebody_elses_zero_is_not_claimed(tmp_path: Path) -> None:
    objects = [one for one in shop() if one["kind"] != "Deployment"]
    with engine(tmp_path, [deployment("shop", "web", 0, "deploy-1"), *objects], option="scale-down") as it:
        assert it.run().said == (0, "scaled-down", "Deployment web has no replicas now; it had none")
        assert it.touched == set()


REFUSED = [
    ({"annotations": {"argocd.argoproj.io/tracking-id": "dev-demo:apps/Deployment:shop/web"}}, "Argo CD keeps"),
    ({"labels": {"app.kubernetes.io/instance": "shop"}}, "Argo CD keeps"),
    ({"labels": {"argocd.argoproj.io/instance": ""}}, "Argo CD keeps"),
    ({"annotations": {"kre/protected": "true"}}, "its owner is annotated kre/protected"),
    (
        {"ownerReferences": [{"kind": "Shop", "name": "x", "uid": "1", "controller": True}]},
        "its owner belongs to another",
    ),
    ({"uid": "another"}, "its owner is not there any more"),
]


@pytest.mark.parametrize(("metadata", "why"), REFUSED, ids=[why for _, why in REFUSED[:1]] + list("bcdef"))
def test_whose_it_leaves_alone(tmp_path: Path, metadata: dict[str, Any], why: str) -> None:
    with engine(tmp_path, marked(shop(), **metadata), option="scale-down") as it:
        ran = it.run()
        assert ran.said[:2] == (0, "refused")
        assert ran.record["reason"].startswith(why)
        assert it.touched == set()


@pytest.mark.parametrize("owner", [None, "Job", ("ReplicaSet", "bare", "rs-9"), ("Custom", "x", "1")])
def test_a_pod_of_something_else(tmp_path: Path, owner: Any) -> None:
    objects = shop(owner=owner)
    bare = {**objects[1], "metadata": {**objects[1]["metadata"], "name": "bare", "uid": "rs-9"}}
    del bare["metadata"]["ownerReferences"]
    with engine(tmp_path, [*objects, bare], option="scale-down") as it:
        assert it.run().said == (0, "refused", "it belongs to no Deployment and no StatefulSet")
        assert it.touched == set()


@pytest.mark.parametrize(
    ("settings", "changes", "why"),
    [
        ({"protected-owners": "DaemonSet Deployment"}, {}, "the pod belongs to a Deployment"),
        ({"protected-owners": "ReplicaSet"}, {}, "the pod belongs to a ReplicaSet"),
        ({"targets": "^(till)$"}, {}, "the namespace is not a target"),
        ({"protected-namespaces": "shop"}, {}, "the namespace is protected"),
        ({}, {"annotations": {"kre/protected": "true"}}, "the pod is annotated kre/protected"),
        ({}, {"annotations": {"kubernetes.io/config.mirror": "x"}}, "the pod is a static pod"),
    ],
)
def test_the_guards_of_all(tmp_path: Path, settings: dict[str, str], changes: dict[str, Any], why: str) -> None:
    with engine(tmp_path, shop(**changes), settings, option="scale-down") as it:
        assert it.run().said == (0, "refused", why)
        assert it.touched == set()


def test_another_pod_of_the_name(tmp_path: Path) -> None:
    with engine(tmp_path, shop(), option="scale-down") as it:
        assert it.run(KRE_UID="11111111-5b3a-4e8f-9c6d-0a1b2c3d4e09").record["outcome"] == "refused"
        assert it.run(KRE_POD="web-99").record["outcome"] == "gone"
        assert it.touched == set()


def test_the_last_healthy_replica_is_no_reason_here(tmp_path: Path) -> None:
    """None is left in any case: that is what it is asked for."""
    with engine(tmp_path, shop(healthy=0), {"min-healthy": "5"}, option="scale-down") as it:
        assert it.run().record["outcome"] == "scaled-down"


@pytest.mark.parametrize(
    ("asked", "mode", "more", "outcome"),
    [
        ("observe", "enforce", {}, "would-scale-down"),
        ("enforce", "observe", {}, "would-scale-down"),
        ("enforce", "approve", {}, "refused"),
        ("approve", "enforce", {}, "refused"),
        ("approve", "approve", APPROVED, "scaled-down"),
        ("enforce", "enforce", {}, "scaled-down"),
    ],
)
def test_modes(tmp_path: Path, asked: str, mode: str, more: dict[str, str], outcome: str) -> None:
    with engine(tmp_path, shop(), {"scale-down.mode": mode}, option="scale-down") as it:
        assert it.run(KRE_MODE=asked, **more).record["outcome"] == outcome
        assert bool(it.touched) is (outcome == "scaled-down")


def test_observe_says_what_it_would_have_refused(tmp_path: Path) -> None:
    tracked = marked(shop(), annotations={"argocd.argoproj.io/tracking-id": "x"})
    with engine(tmp_path, tracked, {"mode": "observe"}, option="scale-down") as it:
        assert it.run().record["outcome"] == "refused"


def test_who_writes_meanwhile_is_seen(tmp_path: Path) -> None:
    """Between look and write somebody scales it up: what is remembered is the new number."""
    with engine(tmp_path, shop(), option="scale-down") as it:
        left = [5]

        def fault(asked: Any, _: int) -> Fault | None:
            if asked.method == "PUT" and left:
                (kept,) = [
                    kept for resource, kept in it.server.state.objects.items() if resource.plural == "deployments"
                ]
                kept["shop", "web"]["spec"]["replicas"] = left.pop()
                it.server.state.stamp(kept["shop", "web"])
            return None

        it.server.fault = fault
        assert it.run().record["reason"] == "Deployment web has no replicas now; it had 5"
        assert workload(it) == (0, "5")


def test_who_protects_it_meanwhile_is_heard(tmp_path: Path) -> None:
    with engine(tmp_path, shop(), option="scale-down") as it:

        def fault(asked: Any, _: int) -> Fault | None:
            if asked.method == "PUT":
                (kept,) = [
                    kept for resource, kept in it.server.state.objects.items() if resource.plural == "deployments"
                ]
                kept["shop", "web"]["metadata"]["annotations"] = {"kre/protected": "true"}
                it.server.state.stamp(kept["shop", "web"])
            return None

        it.server.fault = fault
        assert it.run().said == (0, "refused", "its owner is annotated kre/protected")
        assert workload(it)[0] == 3


def test_others_who_write_all_the_time(tmp_path: Path) -> None:
    def fault(asked: Any, _: int) -> Fault | None:
        return trouble(409) if asked.method == "PUT" else None

    with engine(tmp_path, shop(), option="scale-down", fault=fault) as it:
        assert it.run().said == (1, "failed", "409: others change its owner all the time")
        assert workload(it) == (3, None)


@pytest.mark.parametrize("fault", ["503", "reset", "403", "404"])
@pytest.mark.parametrize("after", [False, True])
def test_faults_at_every_request(tmp_path: Path, fault: str, after: bool) -> None:
    """Whatever goes wrong once: one workload at most, to 0 from 3, one Event, and the record says what is so."""
    with engine(tmp_path, shop(), option="scale-down") as it:
        it.run()
        for number in range(len(it.server.state.requests)):
            it.start(shop())
            made = reset(after=after) if fault == "reset" else trouble(int(fault), after=after)
            it.server.state.faults += [None] * number + [made]
            ran = it.run()
            assert ran.code == (ran.record["outcome"] == "failed")
            assert it.touched <= {DEPLOYMENT}
            assert workload(it) in ((3, None), (0, "3"))
            assert len(it.events) <= 1
            if ran.record["outcome"] == "scaled-down":
                assert workload(it) == (0, "3")
                assert ran.record["scaled"]["replicas"] == "3"
            if fault in ("503", "reset"):
                assert (ran.record["outcome"], len(it.events)) == ("scaled-down", 1), f"request {number} is asked again"


@pytest.mark.parametrize("after", [False, True])
def test_killed_in_the_middle_and_run_again(tmp_path: Path, after: bool) -> None:
    with engine(tmp_path, shop(), option="scale-down") as it:
        it.killed(lambda asked: asked.method == "PUT", after=after)
        assert workload(it) == ((0, "3") if after else (3, None))
        assert it.run().said == (0, "scaled-down", "Deployment web has no replicas now; it had 3")
        assert (workload(it), len(it.events)) == ((0, "3"), 1)


def test_two_pods_of_one_workload_at_once(tmp_path: Path) -> None:
    with engine(tmp_path, shop(), option="scale-down") as it:
        other = next(one["metadata"] for one in it.server.state.all("pods") if one["metadata"]["name"] == "web-2")
        more = {"KRE_POD": "web-2", "KRE_UID": other["uid"], "KRE_WORKFLOW": "scale-down-1123456789abcdef0123"}
        running = [it.started(), it.started(**more)]
        ended = [process.communicate(timeout=60) for process in running]
        assert [(process.returncode, err) for process, (_, err) in zip(running, ended, strict=True)] == [(0, b"")] * 2
        assert all(b"it had 3" in out for out, _ in ended)
        assert workload(it) == (0, "3")


def test_an_action_of_another_program_is_none_of_its(tmp_path: Path) -> None:
    with engine(tmp_path, shop(), option="scale-down") as it:
        for action in ("delete", "capture", "cordon", "scale-down\n", ""):
            assert it.run(KRE_ACTION=action).said == (0, "refused", "action is not of the form that it must have")
        assert it.touched == set()
    with engine(tmp_path / "core", shop()) as it:
        for action in ("capture", "upload", "cordon", "scale-down"):
            assert it.run(KRE_ACTION=action).record["outcome"] == "refused"
        assert (it.touched, UID in str(it.pod)) == (set(), True)
