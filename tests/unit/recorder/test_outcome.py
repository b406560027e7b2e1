"""What a Workflow came to: each end that there is, as real Workflows show it, and what nobody can read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from support.recorder import MODULES
from support.workflow_api import compressed, ended, node, nodes, said, workflow

QUOTA = 'pods "x" is forbidden: exceeded quota: full, requested: pods=1, used: pods=0, limited: pods=0'
PULL = 'ImagePullBackOff: Back-off pulling image "example.invalid/x"'
KUBELET = "Pod was active on the node longer than the specified deadline"
STRICT = (
    "fields [ServiceAccountName] are not permitted when using workflowTemplateRef with templateReferencing restriction"
)
ISOLATE, DELETE = said("isolated", at="1"), said("deleted", at="2")


def end(*states: dict[str, Any], forced: bool = False, **metadata: Any) -> dict[str, Any]:
    """The line's facts after a Workflow went through these states."""
    seen = MODULES.outcome.Seen()
    made = [workflow(**state) for state in states]
    for one in made[:-1]:
        MODULES.outcome.notice(one, seen)
    made[-1]["metadata"] |= metadata
    found: dict[str, Any] = MODULES.outcome.end(made[-1], seen, forced=forced)
    return found


def told(found: dict[str, Any]) -> tuple[str, str]:
    return found["outcome"], found["cause"]


def pending(message: str = "") -> dict[str, Any]:
    return {"phase": "Running", "nodes": nodes(node(phase="Pending", message=message))}


RUNNING = {"phase": "Running", "nodes": nodes(node(phase="Running"))}
CASES = {
    "acted": ([RUNNING, ended("Succeeded", node(record=said()))], ("deleted", "")),
    "acted, seen at its end alone": ([ended("Succeeded", node(record=said()))], ("deleted", "")),
    "refused": ([ended("Succeeded", node(record=said("refused")))], ("refused", "")),
    "would have": ([ended("Succeeded", node(record=said("would-delete")))], ("would-delete", "")),
    "two steps": (
        [ended("Succeeded", node("b", record=DELETE, at="2"), node("a", record=ISOLATE, at="1"))],
        ("deleted", ""),
    ),
    "failed, and the closing step says it again": (
        [
            ended(
                "Failed",
                node("a", "Failed", record=said("failed"), at="1", code="1"),
                node("record", record=said("failed", "record", reason="again"), at="2"),
            )
        ],
        ("failed", ""),
    ),
    "rejected": ([ended("Failed", node("record", record=said("rejected", "record")))], ("rejected", "")),
    "nobody in time": ([ended("Failed", node("record", record=said("timed-out", "record")))], ("timed-out", "")),
    "ran, and the closing step alone could say so": (
        [
            RUNNING,
            ended("Failed", node("a", "Failed", KUBELET, code="137"), node("record", record=said("failed", "record"))),
        ],
        ("failed", ""),
    ),
    "quota until its deadline": (
        [pending(QUOTA), ended("Failed", node(phase="Failed", message="Step exceeded its deadline"))],
        ("never-started", "quota"),
    ),
    "quota, seen at its end alone": (
        [ended("Failed", node(phase="Failed", message="Step exceeded its deadline"), node("record", "Pending", QUOTA))],
        ("never-started", "quota"),
    ),
    "quota, and room for the closing step": (
        [
            pending(QUOTA),
            ended(
                "Failed",
                node("a", "Failed", "Step exceeded its deadline"),
                node("record", record=said("failed", "record")),
            ),
        ],
        ("never-started", "quota"),
    ),
    "an image that is not there": (
        [pending(PULL), ended("Failed", node(phase="Failed", message=KUBELET))],
        ("never-started", "image"),
    ),
    "an image, and the kubelet says 137": (
        [pending(PULL), ended("Failed", node(phase="Failed", message=KUBELET, code="137"))],
        ("never-started", "image"),
    ),
    "an image that came, and a pod that was killed": (
        [pending(PULL), RUNNING, ended("Failed", node(phase="Failed", message=KUBELET, code="137"))],
        ("unrecorded", "image"),
    ),
    "killed while nobody looked": (
        [ended("Failed", node(phase="Failed", message=KUBELET, code="137"))],
        ("unrecorded", "deadline"),
    ),
    "no node for it": (
        [pending("Unschedulable: 0/1 nodes are available"), ended("Failed", node(phase="Failed", message=KUBELET))],
        ("never-started", "unschedulable"),
    ),
    "Strict": ([ended("Error", message=STRICT)], ("never-started", "strict")),
    "an error before any pod": ([ended("Error", message="workflow templates not found")], ("never-started", "other")),
    "ended without a word": ([RUNNING, ended("Failed", node(phase="Failed", code="1"))], ("unrecorded", "other")),
    "isolated, and then nothing": (
        [RUNNING, ended("Failed", node("a", record=ISOLATE), node("b", "Failed", PULL))],
        ("unrecorded", "image"),
    ),
}


@pytest.mark.parametrize(("states", "wanted"), CASES.values(), ids=CASES)
def test_ends(states: list[dict[str, Any]], wanted: tuple[str, str]) -> None:
    found = end(*states)
    assert told(found) == wanted
    assert found["reason"]


@pytest.mark.parametrize(
    ("states", "forced", "wanted"),
    [
        ([{}], False, ("never-started", "controller")),
        ([{}], True, ("never-started", "controller")),
        ([{"phase": "Pending"}], False, ("never-started", "deleted")),
        ([{"phase": "Running", "nodes": {}}], True, ("never-started", "forced")),
        ([pending(QUOTA)], False, ("never-started", "quota")),
        ([pending(PULL)], False, ("never-started", "image")),
        ([pending()], False, ("unrecorded", "deleted")),  # its pod may come up before it is taken away
        ([pending(), RUNNING], False, ("unrecorded", "deleted")),
        ([pending(QUOTA), RUNNING], True, ("unrecorded", "quota")),
    ],
)
def test_deleted_before_its_end(states: list[dict[str, Any]], forced: bool, wanted: tuple[str, str]) -> None:
    found = end(*states, forced=forced, deletionTimestamp="2026-01-01T00:00:00Z")
    assert told(found) == wanted
    assert "before it ended" in found["reason"]


def test_the_line_says_what_the_responder_said_and_of_whom() -> None:
    found = end(ended("Succeeded", node(record=said("deleted", by="dana@example.org"))))
    assert found["reason"] == "because: deleted"
    assert (found["by"], found["event"], found["steps"]) == ("dana@example.org", "written: e", ["deleted"])
    assert (found["namespace"], found["pod"], found["mode"], found["response"]) == (
        "shop",
        "web-1",
        "enforce",
        "delete-pod",
    )
    assert (found["phase"], bool(found["created"]), bool(found["ended"])) == ("Succeeded", True, True)


def test_who_asked_is_in_the_annotations_where_no_responder_ran() -> None:
    assert end({}, annotations={"kre/requested-by": "ola@example.org"})["by"] == "ola@example.org"
    assert end({}, annotations={"kre/requested-by": "{{workflow.name}}"})["by"] == ""


def test_steps_are_in_order() -> None:
    made = ended("Succeeded", node("b", record=DELETE, at="2"), node("a", record=ISOLATE, at="1"))
    assert end(made)["steps"] == ["isolated", "deleted"]


def test_nodes_that_argo_has_compressed() -> None:
    made = nodes(node(record=said()))
    assert told(end({"phase": "Succeeded", "compressedNodes": compressed(made)})) == ("deleted", "")
    for broken in ("", "%", "aGVsbG8=", compressed(made)[:40]):
        assert end({"phase": "Succeeded", "compressedNodes": broken})["outcome"] in ("unrecorded", "never-started")


@pytest.mark.parametrize("record", ["", "{", "[]", "null", '{"outcome": 5}', '{"outcome": "A b"}', "[" * 100_000])
def test_what_is_no_record_is_none(record: str) -> None:
    assert told(end(ended("Succeeded", node(record=record))))[0] == "unrecorded"


_json = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_node = some.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("templateName", "message", "outputs", "finishedAt", "id"), _json)
    | {
        "type": some.sampled_from(["Pod", "Suspend", 5]),
        "phase": some.sampled_from(["Pending", "Running", "Failed", [], None]),
    },
)


@given(
    _json,
    some.dictionaries(some.text(max_size=4), _node | _json, max_size=3),
    some.sampled_from(["", "Failed", "Succeeded"]),
)
def test_nothing_in_a_workflow_is_too_odd(odd: Any, made: dict[str, Any], phase: str) -> None:
    """The API server knows the metadata; whatever else there is, there is a line."""
    for spec, status in (
        (odd, {"phase": phase, "nodes": made}),
        ({"arguments": odd}, odd),
        ({"arguments": {"parameters": odd}}, {"nodes": odd}),
    ):
        one = {"metadata": {"name": "x", "uid": "u"}, "spec": spec, "status": status}
        MODULES.outcome.waits(one)
        found = MODULES.outcome.end(one, MODULES.outcome.Seen())
        assert found["outcome"]
        assert all(isinstance(value, (str, list)) for value in found.values())


@given(some.lists(some.sampled_from([pending(), pending(QUOTA), pending(PULL), RUNNING]), max_size=5))
def test_never_started_is_not_said_of_what_was_seen_to_run(states: list[dict[str, Any]]) -> None:
    found = end(*states, ended("Failed", node(phase="Failed", message=KUBELET, code="137")))
    assert RUNNING not in states or found["outcome"] == "unrecorded"
