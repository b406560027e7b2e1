"""capture-evidence: what it keeps of a pod, in which form, and when it does not."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from demo.apiserver import Fault, by_rules, deployment, reset, trouble
from support.engine import APPROVED, UID, WORKFLOW, engine, shop
from support.evidence import HOME, LOGS, NAMED, begin, events, pieces, scene, secrets, told, whole

PIECES = {"pod.json", "events.json", "owner-1.json", "owner-2.json", "index.json"}
PIECES |= {"log.main", "log.side", "around.main", "around.side", "previous.main"}


def test_everything_there_is(tmp_path: Path) -> None:
    with engine(tmp_path, option="capture-evidence") as it:
        begin(it)
        ran = it.run()
        assert ran.said[:2] == (0, "captured")
        kept = whole(it, ran)
        assert kept.keys() == PIECES
        assert kept["log.main"] == b"first line\nsecond line\n"
        assert kept["previous.main"] == b"the run before\n"
        body = json.loads(kept["pod.json"])
        assert (body["metadata"]["uid"], "managedFields" in body["metadata"]) == (UID, False)
        assert [one["message"] for one in json.loads(kept["events.json"])] == ["Back-off restarting"]
        assert [json.loads(kept[f"owner-{n}.json"])["kind"] for n in (1, 2)] == ["ReplicaSet", "Deployment"]
        index = json.loads(kept["index.json"])
        assert index["node"] == {"name": "node-1", "address": "10.0.0.7"}
        assert (index["workflow"], index["uid"], index["cut"], index["missing"]) == (WORKFLOW, UID, [], {})
        assert events(it)[0]["reason"] == "KreCaptured"
        assert index["sha256"]["pod.json"] == hashlib.sha256(kept["pod.json"]).hexdigest()


def test_it_changes_nothing_but_makes_one_object(tmp_path: Path) -> None:
    with engine(tmp_path, option="capture-evidence") as it:
        begin(it)
        it.run()
        (asked,) = it.changing
        assert (asked.method, asked.namespace, asked.resource) == ("POST", HOME, "secrets")
        assert {place[:2] for place in it.touched} == {("secrets", HOME)}


def test_it_asks_for_logs_from_before_the_alert_and_for_their_end(tmp_path: Path) -> None:
    with engine(tmp_path, option="capture-evidence") as it:
        begin(it)
        it.run(KRE_RECEIVED="1785000000")
        asked = [one.query for one in it.server.state.requests if one.subresource == "log"]
        assert [
            (one["container"], one.get("sinceTime"), one.get("tailLines"), one.get("previous")) for one in asked
        ] == [
            ("main", "2026-07-25T17:19:00Z", None, None),
            ("side", "2026-07-25T17:19:00Z", None, None),
            ("main", None, "2000", None),
            ("side", None, "2000", None),
            ("main", None, "2000", "true"),
        ]
        assert all(one["timestamps"] == "true" and int(one["limitBytes"]) < 900_000 for one in asked)


@pytest.mark.parametrize("received", ["0", "999999999999", "59"])
def test_a_time_of_any_sort(tmp_path: Path, received: str) -> None:
    with engine(tmp_path, option="capture-evidence") as it:
        begin(it)
        assert it.run(KRE_RECEIVED=received).record["outcome"] == "captured"


def test_values_of_variables_and_what_looks_secret_are_not_kept(tmp_path: Path) -> None:
    applied = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"env": NAMED}), "note": "mine"}
    with engine(tmp_path, option="capture-evidence") as it:
        owner = deployment("shop", "web", 3, "deploy-1")
        owner["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "X", "value": "of-the-template"}]
        objects = [one for one in scene(annotations=applied) if one["kind"] != "Deployment"]
        begin(
            it, [*objects, owner], LOGS | {("shop", "web-1", "side", False): f"got {NAMED}\npassword: abc\n".encode()}
        )
        it.server.state.add([told("leak", message=f"failed with {NAMED}")])
        kept = whole(it, it.run())
        everything = b"".join(kept.values())
        for secret in (NAMED, "not-to-be-kept", "opaque-argument", "of-the-template", "password: abc"):
            assert secret.encode() not in everything
        container = json.loads(kept["pod.json"])["spec"]["containers"][0]
        assert [one["name"] for one in container["env"]] == ["DB_PASSWORD", "PLAIN", "REFERRED"]
        assert container["env"][2]["valueFrom"]["secretKeyRef"] == {"name": "db", "key": "password"}
        assert container["args"] == ["--token", "[redacted]", "--verbose"]
        assert json.loads(kept["pod.json"])["metadata"]["annotations"]["note"] == "mine"
        assert kept["log.side"] == b"got [redacted]\npassword: [redacted]\n"


@pytest.mark.parametrize(
    ("owner", "chain"),
    [
        (None, []),
        ("Job", ["it is not there any more"]),
        (("Custom", "x", "1"), []),
        (("ReplicaSet", "web-5d8", "x"), ["it"]),
    ],
)
def test_owners_that_are_not_there_or_not_known(tmp_path: Path, owner: Any, chain: list[str]) -> None:
    with engine(tmp_path, option="capture-evidence") as it:
        objects = scene()
        made = next(one for one in objects if one["metadata"].get("uid") == UID)
        reference = shop(owner=owner)[2]["metadata"].get("ownerReferences")
        made["metadata"] |= {"ownerReferences": reference or []}
        begin(it, objects)
        ran = it.run()
        assert ran.record["outcome"] == ("partly-captured" if chain else "captured")
        missing = json.loads(pieces(it)["index.json"])["missing"]
        assert [why[: len(chain[0])] for why in missing.values()] == chain if chain else missing == {}
        assert "owner-1.json" not in pieces(it)


def test_what_can_not_be_read_stops_nothing_else(tmp_path: Path) -> None:
    """As with a RoleBinding that lacks something: the record says what."""
    rules = [
        {"apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
    ]
    allowed = by_rules({"shop": rules, HOME: [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]}]})
    with engine(tmp_path, option="capture-evidence", rights=allowed) as it:
        begin(it)
        ran = it.run()
        assert ran.said[:2] == (0, "partly-captured")
        kept = whole(it, ran)
        assert kept.keys() == {"pod.json", "index.json"}
        missing = json.loads(kept["index.json"])["missing"]
        assert missing.keys() == PIECES - kept.keys() - {"owner-2.json"}
        assert {why[:3] for why in missing.values()} == {"403"}


@pytest.mark.parametrize(
    ("settings", "changes", "outcome"),
    [
        ({"targets": "^(till)$"}, {}, "refused"),
        ({"protected-namespaces": "shop"}, {}, "refused"),
        ({}, {"annotations": {"kre/protected": "true"}}, "refused"),
        ({"mode": "observe"}, {}, "would-capture"),
        ({"capture-evidence.mode": "approve"}, {}, "refused"),
    ],
)
def test_the_guards_of_all(tmp_path: Path, settings: dict[str, str], changes: dict[str, Any], outcome: str) -> None:
    with engine(tmp_path, option="capture-evidence") as it:
        begin(it, scene(**changes))
        it.settings |= settings
        assert it.run().record["outcome"] == outcome
        assert (it.touched, [one for one in it.server.state.requests if one.subresource]) == (set(), [])


def test_another_pod_of_the_name_and_approval(tmp_path: Path) -> None:
    with engine(tmp_path, option="capture-evidence") as it:
        begin(it)
        assert it.run(KRE_UID="11111111-5b3a-4e8f-9c6d-0a1b2c3d4e09").record["outcome"] == "refused"
        assert it.run(KRE_POD="web-99").record["outcome"] == "gone"
        assert it.run(KRE_MODE="approve").record["outcome"] == "refused"
        assert it.touched == set()
        assert it.run(KRE_MODE="approve", **APPROVED).record["outcome"] == "captured"


def test_one_pod_of_a_daemonset_where_the_settings_let_it(tmp_path: Path) -> None:
    with engine(tmp_path, option="capture-evidence") as it:
        objects = scene()
        made = next(one for one in objects if one["metadata"].get("uid") == UID)
        made["metadata"]["ownerReferences"] = [{"kind": "DaemonSet", "name": "d", "uid": "1", "controller": True}]
        begin(it, objects)
        assert it.run().record["outcome"] == "refused"
        it.settings["capture-evidence.protected-owners"] = ""
        assert it.run().record["outcome"] == "partly-captured"


def test_no_room_left(tmp_path: Path) -> None:
    """The quota of the namespace: 403."""

    def fault(asked: Any, _: int) -> Fault | None:
        return trouble(403) if asked.resource == "secrets" else None

    with engine(tmp_path, option="capture-evidence", fault=fault) as it:
        begin(it)
        ran = it.run()
        assert ran.said == (1, "failed", "403: Forbidden")
        assert ("evidence" in ran.record, secrets(it)) == (False, [])
        assert events(it)[0]["reason"] == "KreFailed"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("fault", ["503", "reset", "403"])
def test_faults_at_every_request(tmp_path: Path, fault: str, after: bool) -> None:
    """Once, at each: the record is whole or says what is missing, and there is one object at most."""
    with engine(tmp_path, option="capture-evidence") as it:
        begin(it)
        it.run()
        for number, asked in enumerate(list(it.server.state.requests)):
            begin(it)
            made = reset(after=after) if fault == "reset" else trouble(int(fault), after=after)
            it.server.state.faults += [None] * number + [made]
            ran = it.run()
            assert ran.code == (ran.record["outcome"] == "failed")
            assert {place[:2] for place in it.touched} <= {("secrets", HOME)}
            assert (len(secrets(it)) <= 1, len(events(it)) <= 1) == (True, True)
            if ran.record["outcome"] in ("captured", "partly-captured"):
                whole(it, ran)
            if fault != "403":
                assert (ran.record["outcome"], len(events(it))) == ("captured", 1), f"{asked.path} is asked again"


def test_trouble_with_logs_for_ever_leaves_time_for_the_rest(tmp_path: Path) -> None:
    def fault(asked: Any, _: int) -> Fault | None:
        return trouble(500) if asked.subresource == "log" or asked.resource == "replicasets" else None

    with engine(tmp_path, option="capture-evidence", fault=fault) as it:
        begin(it)
        ran = it.run()
        assert ran.record["outcome"] == "partly-captured"
        kept = whole(it, ran)
        assert kept.keys() == {"pod.json", "events.json", "index.json"}
        assert "500" in json.loads(kept["index.json"])["missing"]["log.main"]


@pytest.mark.parametrize("after", [False, True])
def test_killed_in_the_middle_and_run_again(tmp_path: Path, after: bool) -> None:
    with engine(tmp_path, option="capture-evidence") as it:
        begin(it)
        it.killed(lambda asked: asked.resource == "secrets", after=after)
        ran = it.run()
        assert (ran.record["outcome"], len(events(it))) == ("captured", 1)
        names = {one["metadata"]["name"] for one in secrets(it)}
        assert len(names) == 1 + after, "what the first has made stays, under a name of its own"
        assert ran.record["evidence"]["in"].rpartition("/")[2] in names


def test_as_an_artifact(tmp_path: Path) -> None:
    with engine(tmp_path, option="capture-evidence") as it:
        begin(it)
        ran = it.run(KRE_EVIDENCE="artifact")
        assert ran.record["outcome"] == "captured"
        kept = {path.name: path.read_bytes() for path in (it.out / "evidence").iterdir()}
        assert kept.keys() == PIECES
        said = ran.record["evidence"]
        assert said["in"] == "the artifact"
        assert said["index"] == hashlib.sha256(kept.pop("index.json")).hexdigest()
        assert said["sha256"] == {key: hashlib.sha256(content).hexdigest() for key, content in kept.items()}
        assert (secrets(it), it.changing) == ([], [])


def test_an_artifact_that_did_not_arrive_has_a_record_of_its_own(tmp_path: Path) -> None:
    with engine(tmp_path, option="capture-evidence") as it:
        begin(it)
        it.run(KRE_EVIDENCE="artifact")
        ran = it.run(KRE_STEP="record", KRE_ACTION="upload", KRE_STATUS="Failed")
        assert ran.said == (1, "failed", "the Workflow ended as Failed")
        assert [one["metadata"]["name"] for one in events(it)][-1] == f"{WORKFLOW}.upload"
