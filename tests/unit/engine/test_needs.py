"""needs.yaml says exactly what the programs ask of the API server: no request more, and each one is missed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.apiserver import Request, pod, statefulset
from demo.apiserver.rights import by_rules
from support.dispatcher import UID as DISPATCHED
from support.dispatcher import Local, api
from support.engine import REQUESTED, UID, engine, shop
from support.needs import DISPATCHING, RESPONDER, TARGETS, Right, Row, rules, without

ENDS = {"delete": "deleted", "isolate": "isolated", "release": "released", "label": "labelled", "notify": "notified"}
LABELS = {"app": "web", "track": "stable"}
HOMES = ("kre-pipeline", "kre-responses")
CONTAINER = "a" * 64
Ended = tuple[bool, list[Request]]  # whether it worked, and what it asked


def stateful() -> list[dict[str, Any]]:
    """web-1, and another pod of its StatefulSet, and the policy of the quarantine."""
    owner = ("StatefulSet", "db", "set-1")
    left = [item for item in shop() if item["kind"] in ("NetworkPolicy", "Service")]
    pods = [pod("shop", "web-1", UID, owner=owner, labels=LABELS), pod("shop", "web-2", owner=owner, labels=LABELS)]
    return [statefulset("shop", "db", 2, "set-1", selector=LABELS), *pods, *left]


def respond(row: Row, folder: Path, rights: Iterable[Right] | None) -> Iterator[Ended]:
    """Runs the responder in each situation that the row is about."""
    conditions = dict(row.conditions)
    allowed = None if rights is None else by_rules(rules(rights, "shop"))
    acting, action = conditions["KRE_STEP"] == "act", conditions["KRE_ACTION"]
    more = REQUESTED if action == "release" else {}
    status = {} if acting else {"KRE_STATUS": "Failed"}
    isolated = {"labels": {**LABELS, "kre/quarantine": "true"}} if action == "release" else {}
    situations = [shop(**isolated), *([stateful()] if acting and action in ("delete", "isolate") else [])]
    for number, objects in enumerate(situations):
        with engine(folder / str(number), objects, rights=allowed) as it:
            ran = it.run(**conditions, **more, **status)
            outcome = ran.record["outcome"].removeprefix("partly-")
            fine = outcome == (ENDS[action] if acting else "failed") and ran.record["event"].startswith("written")
            yield fine, list(it.server.state.requests)


def dispatch(row: Row, _: Path, rights: Iterable[Right] | None) -> Iterator[Ended]:
    """Lets the dispatcher decide on an alert in each situation that the row is about."""
    label = dict(row.conditions)["lane"] == "label"
    response = "isolate-pod" if label else "delete-pod"
    allowed = None if rights is None else by_rules(rules(rights, "shop"))
    container = {"name": "main", "containerID": f"containerd://{CONTAINER}"}
    nameless = pod("shop", "web-1", DISPATCHED)
    nameless["status"]["containerStatuses"] = [container]
    worlds = [[nameless]]
    if label:
        worlds += [
            [item for item in shop() if item["metadata"]["name"] != "till"],
            stateful(),
        ]
    for objects in worlds:
        for counted in (True, False):
            with api(*objects, rights=allowed) as server:
                if not counted:
                    del server.state.objects[_leases(server)]["kre-pipeline", "target-shop"]
                known = {"uid": "", "container": CONTAINER} if objects == [nameless] else {}
                facts = Local(server).take(response, **known)
                fine = facts["outcome"] == "dispatched" and (not label or facts["lane"] == "labelled")
                yield fine, list(server.state.requests)


def _leases(server: Any) -> Any:
    return next(kind for kind in server.state.objects if "leases" in str(kind))


def asked(requests: Iterable[Request]) -> set[Right]:
    return {
        Right(one.verb, one.group, one.resource, one.namespace if one.namespace in HOMES else TARGETS)
        for one in requests
    }


def ended(row: Row, folder: Path, rights: Iterable[Right] | None = None) -> list[Ended]:
    run = respond if row.program == "responder.py" else dispatch
    return list(run(row, folder, rights))


@pytest.mark.parametrize("row", [*RESPONDER, *DISPATCHING], ids=str)
def test_a_program_asks_for_exactly_what_it_declares(row: Row, tmp_path: Path) -> None:
    found = ended(row, tmp_path)
    assert all(fine for fine, _ in found)
    assert {right for _, requests in found for right in asked(requests)} == row.rights


@pytest.mark.parametrize("row", [*RESPONDER, *DISPATCHING], ids=str)
def test_with_exactly_that_it_works(row: Row, tmp_path: Path) -> None:
    assert all(fine for fine, _ in ended(row, tmp_path, row.rights))


@pytest.mark.parametrize(("row", "right"), without([*RESPONDER, *DISPATCHING]), ids=str)
def test_without_one_of_them_it_does_not(row: Row, right: Right, tmp_path: Path) -> None:
    assert not all(fine for fine, _ in ended(row, tmp_path, row.rights - {right}))
