"""cordon-node: which node it closes, how many must be left, and which it never touches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo.apiserver import Fault, node, reset, trouble
from support.engine import APPROVED, Engine, engine, shop

NODE = ("nodes", "", "node-1")
CONTROL = "node-role.kubernetes.io/control-plane"
TAINT = {"key": "x", "effect": "NoSchedule"}
LEAST = {"cordon-node.min-healthy": "2", "cordon-node.min-healthy-percent": "50"}


def nodes(*more: dict[str, Any], first: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The shop on node-1; node-2 and node-3 take pods; a node of the control plane does too, but does not count."""
    others = [node("node-2", "n2"), node("node-3", "n3"), node("master", "m1", {CONTROL: ""})]
    return [*shop(), first or node("node-1", "n1"), *others, *more]


def closed(it: Engine) -> list[str]:
    return [one["metadata"]["name"] for one in it.server.state.all("nodes") if one["spec"].get("unschedulable")]


def test_the_node_of_the_pod(tmp_path: Path) -> None:
    with engine(tmp_path, nodes(), LEAST, option="cordon-node") as it:
        ran = it.run()
        assert ran.said == (0, "cordoned", "node node-1 takes no more pods; those on it stay")
        assert (ran.record["node"], closed(it), it.touched) == ("node-1", ["node-1"], {NODE})
        (asked,) = it.changing
        assert asked.body == {"metadata": {"uid": "n1"}, "spec": {"unschedulable": True}}
        assert it.events[0]["reason"] == "KreCordoned"


def test_twice(tmp_path: Path) -> None:
    with engine(tmp_path, nodes(), LEAST, option="cordon-node") as it:
        it.run()
        assert it.run().said == (0, "cordoned", "node node-1 takes no more pods; those on it stay (so it was before)")
        assert len(it.changing) == 1


@pytest.mark.parametrize(
    ("others", "settings", "why"),
    [
        ([node("node-2")], LEAST, "1 nodes would be left that take pods, 2 must be"),
        (
            [node("node-2"), node("node-3", unschedulable=True)],
            LEAST,
            "1 nodes would be left that take pods, 2 must be",
        ),
        ([node("node-2"), node("node-3", taints=[TAINT])], LEAST, "1 nodes would be left that take pods, 2 must be"),
        ([node("node-2"), node("node-3", ready=False)], LEAST, "1 nodes would be left that take pods, 2 must be"),
        ([node("node-2"), node("m", labels={CONTROL: ""})], LEAST, "1 nodes would be left that take pods, 2 must be"),
        (
            [node("node-2"), node("node-3"), *(node(f"closed-{i}", unschedulable=True) for i in range(3))],
            LEAST,
            "2 nodes would be left that take pods, 3 must be",
        ),
        ([], {"min-healthy": "1"}, "0 nodes would be left that take pods, 1 must be"),
    ],
)
def test_so_many_must_be_left(tmp_path: Path, others: list[Any], settings: dict[str, str], why: str) -> None:
    with engine(tmp_path, [*shop(), node("node-1"), *others], settings, option="cordon-node") as it:
        assert it.run().said == (0, "refused", why)
        assert it.touched == set()


def test_many_pages_of_nodes(tmp_path: Path) -> None:
    many = [node(f"closed-{number}", unschedulable=True) for number in range(120)]
    with engine(tmp_path, nodes(*many), LEAST, option="cordon-node") as it:
        assert it.run().record["reason"] == "2 nodes would be left that take pods, 62 must be"


@pytest.mark.parametrize("label", [CONTROL, "node-role.kubernetes.io/master"])
def test_the_control_plane(tmp_path: Path, label: str) -> None:
    objects = nodes(first=node("node-1", "n1", {label: ""}))
    with engine(tmp_path, objects, LEAST, option="cordon-node") as it:
        assert it.run().said == (0, "refused", "the node is one of the control plane")
        assert it.touched == set()


def test_a_node_that_opted_out(tmp_path: Path) -> None:
    first = node("node-1", "n1")
    first["metadata"]["annotations"] = {"kre/protected": "true"}
    with engine(tmp_path, nodes(first=first), LEAST, option="cordon-node") as it:
        assert it.run().said == (0, "refused", "the node is annotated kre/protected")


@pytest.mark.parametrize("name", ["", "../../api/v1/nodes/node-2", "node-9", "node 1"])
def test_a_pod_on_no_node_that_is_one(tmp_path: Path, name: str) -> None:
    objects = nodes()
    next(one for one in objects if one["kind"] == "Pod")["spec"]["nodeName"] = name
    with engine(tmp_path, objects, LEAST, option="cordon-node") as it:
        assert it.run().record["outcome"] == "refused"
        assert (it.touched, closed(it)) == (set(), [])


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        ({"targets": "^(till)$"}, {}),
        ({"protected-namespaces": "shop"}, {}),
        ({}, {"annotations": {"kre/protected": "true"}}),
        ({}, {"owner": "DaemonSet"}),
    ],
)
def test_the_guards_of_all(tmp_path: Path, settings: dict[str, str], changes: dict[str, Any]) -> None:
    objects = [*shop(**changes), *nodes()[len(shop()) :]]
    with engine(tmp_path, objects, LEAST | settings, option="cordon-node") as it:
        assert it.run().record["outcome"] == "refused"
        assert it.touched == set()


@pytest.mark.parametrize(
    ("asked", "mode", "more", "outcome"),
    [
        ("observe", "enforce", {}, "would-cordon"),
        ("enforce", "observe", {}, "would-cordon"),
        ("enforce", "approve", {}, "refused"),
        ("approve", "approve", APPROVED, "cordoned"),
    ],
)
def test_modes(tmp_path: Path, asked: str, mode: str, more: dict[str, str], outcome: str) -> None:
    with engine(tmp_path, nodes(), LEAST | {"cordon-node.mode": mode}, option="cordon-node") as it:
        assert it.run(KRE_MODE=asked, **more).record["outcome"] == outcome
        assert bool(it.touched) is (outcome == "cordoned")


def test_a_setting_that_is_missing_refuses(tmp_path: Path) -> None:
    with engine(tmp_path, nodes(), option="cordon-node") as it:
        del it.settings["min-healthy"]
        assert it.run().said == (0, "refused", "setting min-healthy is missing")
        assert it.touched == set()


def test_a_node_that_was_replaced_meanwhile(tmp_path: Path) -> None:
    def fault(asked: Any, _: int) -> Fault | None:
        if asked.method == "PATCH":
            (kept,) = [kept for resource, kept in it.server.state.objects.items() if resource.plural == "nodes"]
            kept["", "node-1"]["metadata"]["uid"] = "another"
        return None

    with engine(tmp_path, nodes(), LEAST, option="cordon-node") as it:
        it.server.fault = fault
        assert it.run().said == (1, "failed", "422: the node was replaced")
        assert closed(it) == []


@pytest.mark.parametrize("fault", ["503", "reset", "403"])
@pytest.mark.parametrize("after", [False, True])
def test_faults_at_every_request(tmp_path: Path, fault: str, after: bool) -> None:
    with engine(tmp_path, nodes(), LEAST, option="cordon-node") as it:
        it.run()
        for number in range(len(it.server.state.requests)):
            it.start(nodes(), LEAST)
            made = reset(after=after) if fault == "reset" else trouble(int(fault), after=after)
            it.server.state.faults += [None] * number + [made]
            ran = it.run()
            assert ran.code == (ran.record["outcome"] == "failed")
            assert it.touched <= {NODE}
            assert len(it.events) <= 1
            if ran.record["outcome"] == "cordoned":
                assert closed(it) == ["node-1"]
            if fault != "403":
                assert (ran.record["outcome"], len(it.events)) == ("cordoned", 1), f"request {number} is asked again"


@pytest.mark.parametrize("after", [False, True])
def test_killed_in_the_middle_and_run_again(tmp_path: Path, after: bool) -> None:
    with engine(tmp_path, nodes(), LEAST, option="cordon-node") as it:
        it.killed(lambda asked: asked.method == "PATCH", after=after)
        assert closed(it) == (["node-1"] if after else [])
        assert it.run().record["outcome"] == "cordoned"
        assert (closed(it), len(it.events)) == (["node-1"], 1)
