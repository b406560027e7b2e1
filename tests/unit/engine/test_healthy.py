"""How many healthy pods an owner must keep, by a table that was computed by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo.apiserver import deployment, pod, replicaset, statefulset
from support.engine import UID, engine

LABELS = {"app": "web"}
OWNER = ("ReplicaSet", "web-5d8", "rs-1")


def workload(wanted: int, others: int, **changes: Any) -> list[dict[str, Any]]:
    """A Deployment that wants `wanted`, and has web-1 (with `changes`) and so many healthy ones besides."""
    return [
        deployment("shop", "web", wanted, "deploy-1", selector=LABELS),
        replicaset("shop", "web-5d8", wanted, "rs-1", owner=("Deployment", "web", "deploy-1"), selector=LABELS),
        pod("shop", "web-1", UID, **{"owner": OWNER, "labels": LABELS} | changes),
        *(pod("shop", f"other-{number}", owner=OWNER, labels=LABELS) for number in range(others)),
    ]


def outcome(folder: Path, objects: list[dict[str, Any]], absolute: int = 1, percent: int = 0, **environ: str) -> str:
    settings = {"min-healthy": str(absolute), "min-healthy-percent": str(percent)}
    with engine(folder, objects, settings) as it:
        ran = it.run(**environ)
        acted = ran.record["outcome"] in ("deleted", "isolated", "partly-isolated")
        assert bool(it.touched) is acted
        return "acts" if acted else ran.record["reason"]


def kept(left: int, least: int) -> str:
    return f"{left} healthy pods of its owner would be left, {least} must be"


@pytest.mark.parametrize(
    ("wanted", "left", "absolute", "percent", "least"),  # least: what must be left where it refuses
    [
        (1, 0, 0, 0, None),  # no limit
        (1, 0, 1, 0, 1),
        (2, 1, 1, 0, None),
        (2, 1, 2, 0, 2),
        (3, 2, 2, 0, None),
        (3, 2, 3, 0, 3),
        (3, 1, 1, 0, None),
        (4, 3, 0, 75, None),
        (4, 3, 0, 76, 4),  # 3.04, rounded up
        (3, 2, 0, 66, None),  # 1.98
        (3, 2, 0, 67, 3),  # 2.01
        (3, 2, 0, 34, None),  # 1.02
        (3, 1, 0, 34, 2),
        (10, 9, 0, 90, None),
        (10, 8, 0, 90, 9),
        (10, 9, 0, 91, 10),
        (1, 0, 0, 1, 1),  # 0.01
        (1, 0, 0, 100, 1),
        (5, 4, 0, 100, 5),
        (4, 5, 0, 100, None),  # more than wanted: a rollout's surge
        (10, 6, 7, 50, 7),  # the stricter of the two
        (10, 6, 5, 70, 7),
        (10, 7, 5, 70, None),
        (0, 0, 1, 0, 1),  # scaled down to nothing
        (0, 0, 0, 50, None),
        (2, 2, 0, 101, 3),  # 2.02: more than all is never
    ],
)
def test_table(tmp_path: Path, wanted: int, left: int, absolute: int, percent: int, least: int | None) -> None:
    expected = "acts" if least is None else kept(left, least)
    for action in ("delete", "isolate"):
        found = outcome(tmp_path / action, workload(wanted, left), absolute, percent, KRE_ACTION=action)
        assert found == expected


@pytest.mark.parametrize("action", ["label", "notify"])
def test_what_does_no_harm_is_not_counted(tmp_path: Path, action: str) -> None:
    with engine(tmp_path, workload(1, 0), {"min-healthy": "5"}) as it:
        assert it.run(KRE_ACTION=action).record["outcome"] in ("labelled", "notified")


@pytest.mark.parametrize(
    "change",
    [
        {"ready": False},
        {"labels": {**LABELS, "kre/quarantine": "true"}},
        {"labels": {"app": "other"}},
        {"labels": None},
        {"terminating": True},
        {"unknown": True},
    ],
    ids="not-ready isolated of-another unlabelled terminating no-status".split(),
)
def test_who_does_not_count(tmp_path: Path, change: dict[str, Any]) -> None:
    terminating, unknown = change.pop("terminating", False), change.pop("unknown", False)
    one = pod("shop", "web-2", **{"owner": OWNER, "labels": LABELS} | change)
    if terminating:
        one["metadata"] |= {"deletionTimestamp": "2026-07-23T08:00:00Z", "deletionGracePeriodSeconds": 30}
    if unknown:
        del one["status"]
    elsewhere = pod("till", "web-2", owner=OWNER, labels=LABELS)
    assert outcome(tmp_path / "1", [*workload(3, 1), one, elsewhere], absolute=2) == kept(1, 2)
    assert outcome(tmp_path / "2", [*workload(3, 2), one, elsewhere], absolute=2) == "acts"


def test_the_pod_itself_never_counts(tmp_path: Path) -> None:
    assert outcome(tmp_path / "1", workload(2, 0, ready=True)) == kept(0, 1)
    assert outcome(tmp_path / "2", workload(2, 1, ready=False)) == "acts"


def test_a_rollout_counts_the_pods_of_both_replicasets(tmp_path: Path) -> None:
    """Of 4: one of the new ReplicaSet, whose own spec wants only 1, and three of the old one, which wants 3."""
    new = {"app": "web", "pod-template-hash": "new"}
    old = {"app": "web", "pod-template-hash": "old"}
    objects = [
        deployment("shop", "web", 4, "deploy-1", selector=LABELS),
        replicaset("shop", "web-new", 1, "rs-new", owner=("Deployment", "web", "deploy-1"), selector=new),
        replicaset("shop", "web-old", 3, "rs-old", owner=("Deployment", "web", "deploy-1"), selector=old),
        pod("shop", "web-1", UID, owner=("ReplicaSet", "web-new", "rs-new"), labels=new),
        *(pod("shop", f"old-{n}", owner=("ReplicaSet", "web-old", "rs-old"), labels=old) for n in range(3)),
    ]
    assert outcome(tmp_path / "1", objects, absolute=3, percent=75) == "acts"
    assert outcome(tmp_path / "2", objects, absolute=0, percent=76) == kept(3, 4)
    assert outcome(tmp_path / "3", objects, absolute=4) == kept(3, 4)


def test_a_replicaset_alone_speaks_for_itself(tmp_path: Path) -> None:
    objects = workload(2, 1)[1:]
    del objects[0]["metadata"]["ownerReferences"]
    assert outcome(tmp_path / "1", objects) == "acts"
    assert outcome(tmp_path / "2", objects, percent=51) == kept(1, 2)


@pytest.mark.parametrize("gone", ["removed", "replaced"])
def test_a_replicaset_whose_deployment_is_gone_speaks_for_itself(tmp_path: Path, gone: str) -> None:
    objects = workload(2, 1)
    if gone == "removed":
        del objects[0]
    else:
        objects[0] = deployment("shop", "web", 100, "deploy-2", selector={"app": "else"})
    assert outcome(tmp_path / "1", objects, percent=50) == "acts"
    assert outcome(tmp_path / "2", objects, percent=51) == kept(1, 2)


def test_a_statefulset(tmp_path: Path) -> None:
    owner = ("StatefulSet", "web", "sts-1")
    objects = [
        statefulset("shop", "web", 2, "sts-1", selector=LABELS),
        pod("shop", "web-1", UID, owner=owner, labels=LABELS),
        pod("shop", "web-0", owner=owner, labels=LABELS),
    ]
    assert outcome(tmp_path / "1", objects) == "acts"
    assert outcome(tmp_path / "2", objects, percent=100) == kept(1, 2)


@pytest.mark.parametrize(
    "owner",
    [
        ("ReplicaSet", "web-5d8", "rs-of-old"),
        ("ReplicaSet", "removed", "rs-2"),
        ("DaemonSet", "web", "ds-1"),
        ("ReplicationController", "web", "rc-1"),
        ("Rocket", "web", "x-1"),
    ],
    ids="-".join,
)
def test_an_owner_that_cannot_say_refuses(tmp_path: Path, owner: tuple[str, str, str]) -> None:
    objects, why = workload(9, 9, owner=owner), "its owner can't say how many healthy pods it wants"
    for name, absolute, percent, expected in (("1", 1, 0, why), ("2", 0, 1, why), ("3", 0, 0, "acts")):
        with engine(tmp_path / name, objects, _settings(absolute, percent)) as it:
            ran = it.run()
            assert (ran.record["reason"] if expected == why else "acts") == expected
            assert (ran.record["outcome"] == "deleted") is (expected == "acts")


def _settings(absolute: int, percent: int) -> dict[str, str]:
    return {"protected-owners": "", "min-healthy": str(absolute), "min-healthy-percent": str(percent)}


@pytest.mark.parametrize("owner", ["", ("Job", "sum-1", "job-1")], ids=["bare", "job"])
def test_who_is_no_replica_of_anything_is_not_counted(tmp_path: Path, owner: Any) -> None:
    assert outcome(tmp_path, workload(9, 0, owner=owner), absolute=3, percent=100) == "acts"


def test_whoever_owns_without_control_says_nothing(tmp_path: Path) -> None:
    objects = workload(9, 0)
    objects[2]["metadata"]["ownerReferences"][0]["controller"] = False
    assert outcome(tmp_path, objects, absolute=3) == "acts"


def test_a_deployment_of_many_pods_is_counted_to_the_last_page(tmp_path: Path) -> None:
    objects = workload(251, 250)
    assert outcome(tmp_path / "1", objects, absolute=250) == "acts"
    assert outcome(tmp_path / "2", objects, absolute=251) == kept(250, 251)
