"""Every action in every mode: what is asked, what the settings allow, and on whose word."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.engine import ACTIONS, APPROVED, REQUESTED, engine, shop

DONE = {"delete": "deleted", "isolate": "isolated", "release": "released", "label": "labelled", "notify": "notified"}
NOBODY: dict[str, str] = {}
# (asked, allowed) -> what becomes of it with nobody's word, and with an approver's.
MODES = {
    ("observe", "observe"): ("would", "would"),
    ("observe", "approve"): ("would", "would"),
    ("observe", "enforce"): ("would", "would"),
    ("approve", "observe"): ("would", "would"),
    ("approve", "approve"): ("refused", "acts"),
    ("approve", "enforce"): ("refused", "acts"),
    ("enforce", "observe"): ("would", "would"),
    ("enforce", "approve"): ("refused", "refused"),
    ("enforce", "enforce"): ("acts", "acts"),
}
# A release undoes what was allowed once, so only what is asked matters: in mode approve an approver's word, else that
# of whoever asked for it.
RELEASE = {
    ("observe", ""): "would",
    ("observe", "approved"): "would",
    ("observe", "requested"): "would",
    ("approve", ""): "refused",
    ("approve", "approved"): "acts",
    ("approve", "requested"): "refused",
    ("enforce", ""): "refused",
    ("enforce", "approved"): "refused",
    ("enforce", "requested"): "acts",
}
WORD = {"": NOBODY, "approved": APPROVED, "requested": REQUESTED}


@pytest.mark.parametrize("action", [action for action in ACTIONS if action != "release"])
@pytest.mark.parametrize(("asked", "allowed"), MODES)
def test_mode(tmp_path: Path, action: str, asked: str, allowed: str) -> None:
    with engine(tmp_path) as it:
        for word, expected in zip((NOBODY, APPROVED), MODES[asked, allowed], strict=True):
            it.start(shop(), {"mode": allowed})
            ran = it.run(KRE_ACTION=action, KRE_MODE=asked, **word)
            _is(expected, action, it, ran)


@pytest.mark.parametrize("allowed", ["observe", "approve", "enforce"])
@pytest.mark.parametrize(("asked", "word"), RELEASE)
def test_mode_of_a_release(tmp_path: Path, asked: str, word: str, allowed: str) -> None:
    with engine(tmp_path, shop(labels={"kre/quarantine": "true"}), {"mode": allowed}) as it:
        ran = it.run(KRE_ACTION="release", KRE_MODE=asked, **WORD[word])
        _is(RELEASE[asked, word], "release", it, ran)


def _is(expected, action, it, ran) -> None:
    outcomes = {"acts": DONE[action], "would": f"would-{action}", "refused": "refused"}
    assert (ran.code, ran.record["outcome"]) == (0, outcomes[expected]), ran.text
    changed = {("pods", "shop", "web-1")} if expected == "acts" and action != "notify" else set()
    assert it.touched == changed
    assert len(it.changing) == len(changed), "what is not to be done is not even tried"
    assert [event["reason"] for event in it.events] == ["Kre" + outcomes[expected].title().replace("-", "")]


@pytest.mark.parametrize("action", ["delete", "isolate", "label", "notify"])
def test_who_asked_for_a_workflow_has_not_approved_it(tmp_path: Path, action: str) -> None:
    with engine(tmp_path, shop()) as it:
        ran = it.run(KRE_ACTION=action, KRE_MODE="approve", **REQUESTED)
        assert ran.said == (0, "refused", ran.record["reason"])
        assert it.changing == []


def test_a_response_may_have_a_mode_of_its_own(tmp_path: Path) -> None:
    with engine(tmp_path, shop(), {"mode": "observe", "some-response.mode": "enforce"}) as it:
        assert it.run().record["outcome"] == "deleted"
        it.start(shop(), {"mode": "enforce", "some-response.mode": "observe", "other.mode": "enforce"})
        assert it.run().record["outcome"] == "would-delete"


@pytest.mark.parametrize("mode", ["", "ENFORCE", "enforce,", "enforced", "force"])
def test_a_mode_that_is_none_refuses(tmp_path: Path, mode: str) -> None:
    with engine(tmp_path, shop()) as it:
        assert it.run(KRE_MODE=mode).said == (0, "refused", "mode is not of the form that it must have")
        assert it.server.state.requests == []
        it.start(shop(), {"mode": mode})
        assert it.run().said == (0, "refused", "setting mode is none of observe, approve, enforce")
        assert it.touched == set()


@pytest.mark.parametrize("step", ["", "ACT", "act ", "recorded", "approve"])
def test_a_step_that_is_none_does_not_act(tmp_path: Path, step: str) -> None:
    with engine(tmp_path, shop()) as it:
        assert it.run(KRE_STEP=step).said == (0, "refused", "step is not of the form that it must have")
        assert it.server.state.requests == []


@pytest.mark.parametrize("action", ACTIONS)
def test_acts_on_the_very_pod_as_a_process(tmp_path: Path, action: str) -> None:
    objects = shop(labels={"kre/quarantine": "true"}) if action == "release" else shop()
    with engine(tmp_path, objects) as it:
        ran = it.process(KRE_ACTION=action, **REQUESTED)
        assert (ran.code, ran.record["outcome"]) == (0, DONE[action])
        assert it.touched == (set() if action == "notify" else {("pods", "shop", "web-1")})
        assert ran.files == {"record": ran.text.strip(), "outcome": DONE[action]}


def test_a_deletion_names_the_uid_and_is_soon(tmp_path: Path) -> None:
    with engine(tmp_path, shop()) as it:
        assert it.run().said == (0, "deleted", "the pod was deleted")
        (asked,) = it.changing
        assert (asked.method, asked.path) == ("DELETE", "/api/v1/namespaces/shop/pods/web-1")
        assert asked.body["preconditions"] == {"uid": it.before["pods", "shop", "web-1"]["metadata"]["uid"]}
        assert asked.body["gracePeriodSeconds"] == 1


def test_a_label_is_the_rule_and_nothing_else_changes(tmp_path: Path) -> None:
    with engine(tmp_path, shop()) as it:
        before = it.pod
        it.run(KRE_ACTION="label")
        before["metadata"]["labels"]["kre/alert"] = "terminal-shell-in-container"
        before["metadata"]["resourceVersion"] = it.pod["metadata"]["resourceVersion"]
        assert it.pod == before
