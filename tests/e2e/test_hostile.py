"""A barrage of what nobody should be able to have done: nothing acts but what may, and the engine goes on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from e2e.beside import Beside
from e2e.engine import DEMO, DISPATCHER, PIPELINE, RESPONSES, Engine
from e2e.hostile import EITHER, NOTHING, REFUSED, STRINGS, Case, cases
from e2e.kubectl import Object, alert, wait
from e2e.load import Answer, Barrage, shot
from e2e.test_refusals import marker

pytestmark = pytest.mark.e2e
STABLE = ("name", "namespace", "labels", "annotations", "ownerReferences", "deletionTimestamp")
GROUPS = ("forged", "protected", "strings", "types", "keys", "bodies", "requests")
MARKER = "marker"
beside = Beside()


def pods(engine: Engine) -> list[Object]:
    """Metadata of every pod of the cluster but those of Workflows."""
    found = json.loads(engine.cluster.run("get", "pods", "--all-namespaces", "--output=json"))["items"]
    return [pod["metadata"] for pod in found if pod["metadata"]["namespace"] != RESPONSES]


def everything(engine: Engine) -> dict[str, Object]:
    """uid -> what a response could change of it."""
    return {pod["uid"]: {key: pod.get(key) for key in STABLE} for pod in pods(engine)}


def others(engine: Engine, before: dict[str, Object], *mine: str) -> dict[str, Object]:
    """Of these pods those that no test has for itself, and mine."""
    return {uid: pod for uid, pod in before.items() if uid not in engine.given or uid in mine}


def unharmed(before: dict[str, Object], after: dict[str, Object]) -> bool:
    """Every pod is as it was. There may be more, and one that was on its way out may have gone."""
    kept = {uid: pod for uid, pod in before.items() if pod["deletionTimestamp"] is None}
    return {uid: after.get(uid) for uid in kept} == kept


def workflows(engine: Engine) -> dict[str, Object]:
    """name -> Workflow."""
    return {item["metadata"]["name"]: item for item in engine.cluster.list("workflows", RESPONSES)}


def lines(engine: Engine) -> set[str]:
    """All that the dispatchers have written."""
    text = engine.cluster.run("-n", PIPELINE, "logs", f"--selector={DISPATCHER}", "--tail=-1")
    return {line for line in text.splitlines() if line.startswith("{")}


@dataclass(frozen=True)
class Fired:
    """What was posted, how it was answered, what the dispatchers said (by alert), and what else there is since."""

    cases: dict[str, list[Case]]
    answers: dict[str, Answer]
    said: dict[str, list[str]]
    made: list[Object]
    before: dict[str, Object]
    after: dict[str, Object]


@pytest.fixture(scope="module")
def plain(up: Engine) -> Iterator[Engine]:
    """All that is hostile gets as far as it can, where the intake keeps nothing back."""
    with up.every_alert_once():
        yield up


@pytest.fixture(scope="module")
def fired(plain: Engine) -> Fired:
    up = plain
    up.forget()
    name, uid = up.victim()
    given = cases(name, uid, {pod["namespace"]: (pod["name"], pod["uid"]) for pod in pods(up)})
    flat = [case for group in given.values() for case in group]
    before, known, heard = everything(up), workflows(up), lines(up)
    answers = Barrage([case.shot for case in flat]).answers()
    marker(up)
    told = [case for case in flat if case.said == REFUSED]
    earlier = {str(json.loads(line).get("alert")) for line in heard} - {"None"}  # an intake that ends posts those again

    def said() -> dict[str, list[str]] | None:
        found: dict[str, list[str]] = {}
        for record in map(json.loads, lines(up) - heard):
            if str(record.get("alert")) not in earlier:
                found.setdefault(str(record.get("alert")), []).append(record["outcome"])
        return found if all(case.alert in found for case in told) else None

    found = wait(f"records of {len(told)} refusals", said, 90)
    made = [item for key, item in workflows(up).items() if key not in known]
    return Fired(given, answers, found, made, before, everything(up))


@pytest.mark.parametrize("group", GROUPS)
def test_each_is_answered_as_it_should(fired: Fired, group: str) -> None:
    """Without the token 401; what is no alert 400 or 404; the rest is taken, whatever it says."""
    given = {case.name: (fired.answers[case.shot.key].status, case.status) for case in fired.cases[group]}
    assert {name: codes for name, codes in given.items() if codes[0] not in codes[1].split("|")} == {}


@pytest.mark.parametrize("group", GROUPS)
def test_each_ends_at_the_sensor_or_with_a_refusal(fired: Fired, group: str) -> None:
    allowed = {NOTHING: [[]], REFUSED: [["refused"]], EITHER: [[], ["refused"]]}
    heard = {case.name: (fired.said.get(case.alert, []), case.said) for case in fired.cases[group]}
    assert {name: said for name, said in heard.items() if said[0] not in allowed[said[1]]} == {}


def test_nothing_acted(fired: Fired) -> None:
    """Every pod of the cluster is as it was, and no Workflow was made but the one that marks the end."""
    assert unharmed(fired.before, fired.after)
    (pod,) = [_parameters(item)["pod"] for item in fired.made]
    assert pod.startswith(MARKER)
    assert fired.said["None"] == ["refused"] * 2  # the two that are too long
    outcomes = Counter(outcome for said in fired.said.values() for outcome in said)
    assert set(outcomes) <= {"refused", "dispatched", "deduplicated"}
    assert outcomes["dispatched"] + outcomes["deduplicated"] == 1


def _parameters(workflow: Object) -> dict[str, str]:
    return {item["name"]: item["value"] for item in workflow["spec"]["arguments"]["parameters"]}


@beside
def test_free_text_changes_nothing_of_what_is_done(engine: Engine, fired: Fired) -> None:
    """An alert that may act, full of such texts wherever the engine reads nothing: it deletes its pod and no other, and
    none of the texts comes as far as the Workflow or the record."""
    name, uid = engine.victim()
    before = everything(engine)
    made = alert("delete-pod", DEMO, name, uid, output=" ".join(STRINGS), tags=list(STRINGS), time=STRINGS[1])
    made["output_fields"] |= {f"proc.{text}": text for text in STRINGS}
    made |= {"hostname": STRINGS[1], **{text: {text: [text]} for text in STRINGS if text}}
    assert Barrage([shot(made)]).answers()[made["uuid"]].status == "200"
    said = wait("its record", lambda: engine.said(made["uuid"]))[-1]
    record = engine.finish(said["workflow"])
    assert (record["outcome"], record["uid"]) == ("deleted", uid)
    wait("its end", lambda: uid not in everything(engine))
    assert unharmed(others(engine, before), everything(engine))
    spec = json.dumps(engine.workflow(said["workflow"])["spec"]["arguments"])
    assert [text for text in STRINGS if len(text) > 4 and text in (spec + json.dumps([said, record]))] == []


@beside
def test_the_uid_of_another_pod_that_lives(engine: Engine, fired: Fired) -> None:
    (one, name), (other, _) = engine.victims(2).items()
    before = everything(engine)
    record = engine.respond("delete-pod", DEMO, name, other)
    assert (record["outcome"], record["uid"]) == ("refused", other)
    assert "another pod has this name" in record["reason"]
    assert unharmed(others(engine, before, one, other), everything(engine))
    assert {one, other} <= set(before)


@contextmanager
def short_cooldown(engine: Engine) -> Iterator[None]:
    """Of a response that nothing else sends to."""
    engine.set(contain_pod__cooldown="1")
    try:
        yield
    finally:
        for namespace in (PIPELINE, RESPONSES):  # the kubelets may take their time
            engine.cluster.merge("configmap", "settings", namespace, {"data": {"contain-pod.cooldown": None}})


@beside
def test_the_same_bytes_again(engine: Engine, fired: Fired) -> None:
    """A replay is no second action: within the cool-down it is deduplicated, with an old time of its own too; later it
    is about a pod that is gone. Its successor, of the same Deployment, is not touched."""
    name, uid = engine.victim()
    made = alert("contain-pod", DEMO, name, uid)
    old = made | {"time": "2001-01-01T00:00:00Z"}
    first = _replay(engine, made, 0)
    assert first["outcome"] == "dispatched"
    assert engine.finish(first["workflow"])["outcome"] == "deleted"
    assert _replay(engine, made, 1)["outcome"] == "deduplicated"
    assert _replay(engine, old, 2)["outcome"] == "deduplicated"
    with short_cooldown(engine):
        before = everything(engine)
        again = _replay(engine, made, 3)
        assert again["outcome"] == "dispatched"
        assert engine.finish(again["workflow"])["outcome"] == "gone"
    assert unharmed(others(engine, before), everything(engine))


def _replay(engine: Engine, made: Object, known: int) -> Object:
    """The dispatcher's record of these bytes, of which it has said something so many times."""
    assert Barrage([shot(made)]).answers()[made["uuid"]].status == "200"
    said = wait("its record", lambda: found if len(found := engine.said(made["uuid"])) > known else None)
    return max(said, key=lambda record: record["time"])


def test_a_neighbour_that_has_the_token_does_not_reach_it(engine: Engine) -> None:
    name, uid = engine.victim()
    assert (
        Barrage([shot(made := alert("delete-pod", DEMO, name, uid))], by="stranger").answers()[made["uuid"]].status
        == "unreachable"
    )
    assert uid in engine.cluster.running(DEMO)


def test_the_engine_still_answers(engine: Engine, fired: Fired) -> None:
    name, uid = engine.victim()
    assert engine.respond("delete-pod", DEMO, name, uid)["outcome"] == "deleted"
