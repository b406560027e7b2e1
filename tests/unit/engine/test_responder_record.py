"""The record: one line, one Event, two files, whatever happens."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.engine import APPROVED, ENVIRON, REQUESTED, UID, WORKFLOW, code, engine, shop

# As Argo Workflows writes {{workflow.failures}}: without spaces.
UNDECIDED = {"KRE_FAILURES": '[{"displayName":"approval","message":"","templateName":"approval","phase":"Failed"}]'}
KILLED = {"KRE_FAILURES": '[{"displayName":"act","message":"OOMKilled","templateName":"act","phase":"Failed"}]'}
TIMEOUT = {"KRE_STEP": "record", "KRE_STATUS": "Failed", "KRE_MODE": "approve", **UNDECIDED}


def test_every_fact_is_in_the_line(tmp_path: Path) -> None:
    with engine(tmp_path, shop()) as it:
        record = it.run(KRE_MODE="approve", **APPROVED).record
        when = datetime.fromisoformat(record.pop("time"))
        assert record == {
            "part": "responder",
            "step": "act",
            "action": "delete",
            "response": "some-response",
            "workflow": WORKFLOW,
            "namespace": "shop",
            "pod": "web-1",
            "uid": UID,
            "rule": ENVIRON["KRE_RULE"],
            "alert": ENVIRON["KRE_ALERT"],
            "received": ENVIRON["KRE_RECEIVED"],
            "mode": "approve",
            "by": "dana@example.org",
            "outcome": "deleted",
            "reason": "the pod was deleted",
            "event": f"written: {WORKFLOW}.delete",
        }
        assert timedelta(0) <= datetime.now(UTC) - when < timedelta(minutes=1)


def test_the_event(tmp_path: Path) -> None:
    with engine(tmp_path, shop()) as it:
        it.run()
        (event,) = it.events
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["firstTimestamp"])
        assert event["firstTimestamp"] == event["lastTimestamp"]
        assert event["metadata"]["name"] == f"{WORKFLOW}.delete"
        assert event["metadata"]["namespace"] == "shop"
        assert event["metadata"]["annotations"] == {
            "kre/alert": ENVIRON["KRE_ALERT"],
            "kre/rule": ENVIRON["KRE_RULE"],
            "kre/mode": "enforce",
            "kre/workflow": WORKFLOW,
        }
        about = {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "web-1", "uid": UID}
        assert event["involvedObject"] == about
        assert (event["type"], event["reason"], event["count"]) == ("Warning", "KreDeleted", 1)
        assert event["message"] == "some-response: the pod was deleted"
        assert event["source"] == {"component": "kre"}
        assert (event["reportingComponent"], event["reportingInstance"]) == ("kre/some-response", WORKFLOW)


@pytest.mark.parametrize(
    ("status", "mode", "notes", "said"),
    [
        ("Failed", "approve", APPROVED | UNDECIDED, (0, "rejected", "not approved by dana@example.org")),
        ("Failed", "approve", UNDECIDED, (0, "timed-out", "nobody approved it")),
        ("Failed", "approve", REQUESTED | UNDECIDED, (0, "timed-out", "nobody approved it")),
        ("Error", "approve", UNDECIDED, (0, "timed-out", "nobody approved it")),
        ("Failed", "approve", APPROVED | KILLED, (1, "failed", "the Workflow ended as Failed")),
        ("Error", "approve", APPROVED, (1, "failed", "the Workflow ended as Error")),
        ("Failed", "enforce", UNDECIDED, (1, "failed", "the Workflow ended as Failed")),
        ("Failed", "enforce", {}, (1, "failed", "the Workflow ended as Failed")),
        ("Error", "enforce", {}, (1, "failed", "the Workflow ended as Error")),
        ("Failed", "observe", {}, (1, "failed", "the Workflow ended as Failed")),
    ],
)
def test_step_record(tmp_path: Path, status: str, mode: str, notes: dict[str, str], said: Any) -> None:
    with engine(tmp_path, shop()) as it:
        ran = it.run(KRE_STEP="record", KRE_STATUS=status, KRE_MODE=mode, **notes)
        assert ran.said == said
        assert [(one.method, one.resource) for one in it.server.state.requests] == [("POST", "events")]
        assert it.events[0]["reason"] == "Kre" + said[1].title().replace("-", "")
        assert ran.files == {"record": ran.text.strip(), "outcome": said[1]}


def test_step_record_does_not_say_again_what_the_responder_has_said(tmp_path: Path) -> None:
    with engine(tmp_path, shop(annotations={"kre/protected": "true"})) as it:
        assert it.run().record["outcome"] == "refused"
        ran = it.run(**TIMEOUT)
        assert (ran.code, ran.text) == (0, "")
        assert [event["reason"] for event in it.events] == ["KreRefused"]
        assert ran.files["outcome"] == "timed-out"


def test_step_record_needs_no_settings(tmp_path: Path) -> None:
    with engine(tmp_path, shop()) as it:
        assert it.run(**TIMEOUT, KRE_SETTINGS="/nowhere").record["outcome"] == "timed-out"


def test_step_act_says_again_what_it_found(tmp_path: Path) -> None:
    with engine(tmp_path, shop()) as it:
        assert it.run().record["outcome"] == "deleted"
        ran = it.run()
        assert (ran.record["outcome"], ran.record["event"]) == ("gone", f"known: {WORKFLOW}.delete")
        assert [event["reason"] for event in it.events] == ["KreDeleted"]


def test_each_step_of_a_composed_response_has_its_event(tmp_path: Path) -> None:
    with engine(tmp_path, shop()) as it:
        it.run(KRE_ACTION="isolate")
        it.run(KRE_ACTION="delete")
        assert {event["reason"] for event in it.events} == {"KreIsolated", "KreDeleted"}


def test_where_events_are_forbidden_the_line_says_so(tmp_path: Path) -> None:
    with engine(tmp_path, shop(), rights=lambda asked: asked.resource != "events") as it:
        ran = it.run()
        assert (ran.code, ran.record["outcome"]) == (0, "deleted")
        assert ran.record["event"] == "failed: 403: Forbidden"
        it.start(shop())
        ran = it.run(**TIMEOUT)
        assert ran.record["outcome"] == "timed-out"


def test_without_a_folder_for_them_there_are_no_files(tmp_path: Path) -> None:
    with engine(tmp_path, shop()) as it:
        ran = it.run(KRE_OUT=str(tmp_path / "none"))
        assert (ran.code, ran.files, ran.record["outcome"]) == (0, {}, "deleted")


HOSTILE = 'web\n{"outcome": "deleted"}\u2028\u202e\x1b[2J\x00\udcff"\\' + "\U0001f600" * 400


def test_hostile_text_is_one_line_of_ascii_and_short(tmp_path: Path) -> None:
    with engine(tmp_path, shop()) as it:
        ran = it.run(**{key: HOSTILE for key in ENVIRON if key not in ("KRE_ANNOTATIONS", "KRE_STEP")})
        assert ran.text.isascii()
        assert re.fullmatch(r"[ -~]+\n", ran.text)
        assert ran.record["pod"] == HOSTILE[:253]
        assert ran.record["outcome"] == "refused"
        assert len(ran.text) < 60_000
        assert it.server.state.requests == []


@pytest.mark.parametrize("api", ["http://example.org", "https://127.0.0.1:9", "nonsense", "http://127.0.0.1:port"])
@pytest.mark.parametrize("step", ["act", "record"])
def test_an_api_server_that_cannot_be_asked(tmp_path: Path, api: str, step: str) -> None:
    """https: there is no service account here, as in a pod that is not given one."""
    with engine(tmp_path, shop()) as it:
        ran = it.run(KRE_API=api, KRE_STEP=step)
        assert (ran.code, ran.record["outcome"]) == (1, "failed")
        assert ran.record["event"].startswith("failed: ")
        assert ran.files["outcome"] == "failed"


def test_the_same_as_a_process(tmp_path: Path) -> None:
    with engine(tmp_path, shop()) as it:
        ran = it.process(KRE_API="https://127.0.0.1:9")
        assert ran.said == (1, "failed", "FileNotFoundError")


@pytest.mark.parametrize(
    "error", [OSError(), ValueError(), KeyError(), TypeError(), AttributeError(), RecursionError(), UnicodeError()]
)
def test_whatever_goes_wrong_is_an_outcome(error: Exception) -> None:
    def work() -> tuple[str, str]:
        raise error

    assert code().record.settle(work) == ("failed", type(error).__name__)


def test_a_line_sorts_its_keys_and_leaves_other_values() -> None:
    made = json.loads(code().record.line({"b": "x" * 300, "a": 7}))
    assert (list(made), made["b"], made["a"]) == (["a", "b", "time"], "x" * 253, 7)


def test_no_event_for_what_is_not_a_request(tmp_path: Path) -> None:
    with engine(tmp_path, shop()) as it:
        ran = it.run(KRE_POD="a/b")
        assert (ran.record["event"], it.server.state.requests) == (
            "refused: pod is not of the form that it must have",
            [],
        )
