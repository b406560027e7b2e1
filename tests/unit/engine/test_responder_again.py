"""A step that runs twice, or is killed in the middle and runs again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.engine import ACTIONS, REQUESTED, UID, WORKFLOW, engine, shop

# action -> what a second run says, where the first has done it.
SECOND = {
    "delete": ("gone", "there is no such pod"),
    "isolate": ("isolated", "isolated; connections that were open before survive"),
    "release": ("refused", "the pod is not isolated"),
    "label": ("labelled", "labelled kre/alert=terminal-shell-in-container"),
    "notify": ("notified", "noted as an Event; there is no webhook"),
}
FIRST = {"delete": "deleted", "isolate": "isolated", "release": "released", "label": "labelled", "notify": "notified"}
METHOD = {"delete": "DELETE", "isolate": "PATCH", "release": "PATCH", "label": "PATCH"}


def scene(action: str) -> list[dict[str, Any]]:
    return shop(labels={"kre/quarantine": "true"}) if action == "release" else shop()


@pytest.mark.parametrize("action", ACTIONS)
def test_twice(tmp_path: Path, action: str) -> None:
    with engine(tmp_path, scene(action)) as it:
        assert it.run(KRE_ACTION=action, **REQUESTED).record["outcome"] == FIRST[action]
        pods, changes = it.server.state.all("pods"), len(it.server.changes)
        ran = it.run(KRE_ACTION=action, **REQUESTED)
        assert ran.said == (0, *SECOND[action])
        assert ran.record["event"] == f"known: {WORKFLOW}.{action}"
        assert (it.server.state.all("pods"), len(it.server.changes)) == (pods, changes)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("method", ["change", "POST"])
@pytest.mark.parametrize("action", ACTIONS)
def test_killed_and_run_again(tmp_path: Path, action: str, method: str, after: bool) -> None:
    """Killed when the API server has a request in its hands: the one that changes the pod, or the Event's."""
    if (action, method) == ("notify", "change"):
        return  # it has none
    at = METHOD[action] if method == "change" else "POST"
    with engine(tmp_path, scene(action)) as it:
        it.killed(lambda asked: asked.method == at, after=after, KRE_ACTION=action, **REQUESTED)
        done = method == "POST" or after
        assert bool(it.touched) is (done and action != "notify")
        assert len(it.events) == (method == "POST" and after)
        ran = it.run(KRE_ACTION=action, **REQUESTED)
        assert ran.said[:2] == (0, SECOND[action][0] if done else FIRST[action])
        assert [change.resource for change in it.server.changes].count("pods") == (action != "notify")
        assert len(it.events) == 1


@pytest.mark.parametrize("action", ACTIONS)
def test_killed_before_it_could_do_anything_then_recorded(tmp_path: Path, action: str) -> None:
    with engine(tmp_path, scene(action)) as it:
        ran = it.run(KRE_ACTION=action, KRE_STEP="record", KRE_STATUS="Failed")
        assert ran.said == (1, "failed", "the Workflow ended as Failed")
        assert (it.touched, len(it.events)) == (set(), 1)


def test_a_pod_that_takes_its_time_is_deleted_again(tmp_path: Path) -> None:
    """Asked twice while the kubelet ends the pod: the same pod, the same uid, one deletion."""
    with engine(tmp_path, shop(), graceful=True) as it:
        assert it.run().record["outcome"] == "deleted"
        before = it.pod
        assert before["metadata"]["deletionTimestamp"]
        assert it.run().record["outcome"] == "deleted"
        assert it.pod == before
        assert [asked.body["preconditions"] for asked in it.changing] == [{"uid": UID}] * 2


def test_two_at_once(tmp_path: Path) -> None:
    """Locks of the Workflow keep this from happening; and if it does, one pod is deleted, and once."""
    with engine(tmp_path, shop()) as it:
        running = [it.started() for _ in range(2)]
        ended = [process.communicate(timeout=60) for process in running]
        assert [err for _, err in ended] == [b"", b""]
        assert [process.returncode for process in running] == [0, 0]
        assert it.touched == {("pods", "shop", "web-1")}
        assert [change.verb for change in it.server.changes if change.resource == "pods"] == ["delete"]


def test_the_checks_see_what_changes(tmp_path: Path) -> None:
    """The checks above see a change to any object but an Event."""
    with engine(tmp_path, shop()) as it:
        it.server.state.pods["till", "web-1"]["metadata"]["labels"]["x"] = "y"
        assert it.touched == {("pods", "till", "web-1")}
