"""needs.yaml beside a response's own code says exactly what that program asks of the API server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo.apiserver import namespace, node, pod, statefulset
from support.engine import ENVIRON, PROGRAMS, UID, Engine, asked, engine, shop
from support.evidence import HOME, LOGS, scene
from support.needs import declared

Objects = list[dict[str, Any]]


def owned(*chain: tuple[str, str]) -> Objects:
    """The pod with a chain of owners (kind, apiVersion), nearest first."""
    made: Objects = []
    for number, (kind, version) in enumerate(chain):
        above = chain[number + 1 : number + 2]
        metadata: dict[str, Any] = {"name": f"owner-{number}", "namespace": "shop", "uid": f"uid-{number}"}
        if above:
            metadata["ownerReferences"] = [_reference(number + 1, *above[0])]
        made.append({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": {"replicas": 2}})
    first = pod("shop", "web-1", UID)
    first["metadata"]["ownerReferences"] = [_reference(0, *chain[0])]
    return [first, namespace(HOME), *made]


def _reference(number: int, kind: str, version: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "name": f"owner-{number}", "uid": f"uid-{number}", "controller": True}


WORLDS: dict[str, list[Objects]] = {
    "capture-evidence": [
        scene(),
        owned(("StatefulSet", "apps/v1")),
        owned(("DaemonSet", "apps/v1")),
        owned(("Job", "batch/v1"), ("CronJob", "batch/v1")),
    ],
    "cordon-node": [[*shop(), node("node-1", "n1"), node("node-2", "n2")]],
    "scale-down": [
        shop(),
        [*shop(owner=("StatefulSet", "db", "sts-1")), statefulset("shop", "db", 2, "sts-1")],
    ],
}


def run(it: Engine, objects: Objects, option: str) -> str:
    it.start(objects, {f"{option}.protected-owners": "Node"})  # of a DaemonSet evidence may be captured
    it.server.state.logs.update(LOGS)
    return str(it.run().record["outcome"])


@pytest.mark.parametrize("option", WORLDS)
def test_it_asks_for_all_that_it_declares(option: str, tmp_path: Path) -> None:
    """That it asks for nothing else, support.engine looks at in every test."""
    found = set()
    for number, objects in enumerate(WORLDS[option]):
        with engine(tmp_path / str(number), option=option) as it:
            assert run(it, objects, option) in ("captured", "cordoned", "scaled-down")
            found |= {asked(one) for one in it.server.state.requests}
    wanted = declared(f"{PROGRAMS[option][0]}.py", {**ENVIRON, "KRE_ACTION": PROGRAMS[option][1]})
    assert found == {right[:3] for right in wanted}
