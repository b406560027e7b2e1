"""Whoever runs code in the pod writes its logs; whoever may make pods and Events writes the rest. Neither of them fills
the record, breaks it, takes its time, or keeps another's logs out."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo.apiserver import Fault
from demo.apiserver.status import Answer
from support.engine import UID, Engine, code, engine
from support.evidence import LOGS, begin, events, pieces, scene, secrets, told, whole
from support.mutate import changed

MAIN = ("shop", "web-1", "main", False)
QUIET = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def it(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with engine(tmp_path_factory.mktemp("engine"), option="capture-evidence") as made:
        yield made


@pytest.mark.parametrize("line", [b"x" * 10_000_000, b"noise\n" * 2_000_000, b"\n" * 5_000_000])
def test_a_log_of_any_size_is_cut_and_leaves_room(it: Engine, line: bytes) -> None:
    begin(it, logs=LOGS | {MAIN: line})
    ran = it.run()
    kept = whole(it, ran)
    assert ran.record["outcome"] == "captured"
    assert {"log.side", "previous.main"} <= kept.keys()
    assert kept["log.side"] == b"beside\n"
    assert "around.main" in json.loads(kept["index.json"])["cut"]
    assert "cut" in ran.record["reason"]


def test_a_server_that_sends_more_than_was_asked_for_is_cut_off(it: Engine) -> None:
    begin(it)
    huge = Answer(200, b"y" * 3_000_000, {"Content-Type": "text/plain"})
    it.server.fault = lambda asked, _: Fault(lambda _: huge) if asked.subresource == "log" else None
    ran = it.run()
    it.server.fault = None
    assert sum(map(len, whole(it, ran).values())) <= 900_000


@pytest.mark.parametrize(
    "content",
    [
        b"\x1b]0;title\x07\x1b[2J\x1b[8m hidden",
        b'"}\n{"outcome": "deleted", "part": "responder"}\n',
        b"{{workflow.name}} {{=toJson(workflow)}} $(KRE_UID) ${HOME}",
        b"\xff\xfe\x00\x80 no text at all \xe2\x80\xae",
        b"index.json\nkre-evidence\n---\napiVersion: v1\n",
        b"\0" * 1000,
    ],
)
def test_bytes_are_kept_as_they_are_and_go_nowhere_else(it: Engine, content: bytes) -> None:
    begin(it, logs=LOGS | {MAIN: content})
    ran = it.run()
    assert whole(it, ran)["log.main"] == content
    assert re.fullmatch(r"[ -~]+\n", ran.text), "the record is one line of printable ASCII"
    assert re.fullmatch(r"[ -~]+", json.dumps(secrets(it)))
    for text in (ran.text, json.dumps(events(it)), ran.files["record"]):
        assert "hidden" not in text
        assert "{{" not in text


@given(content=st.binary(max_size=300))
@QUIET
def test_any_bytes(it: Engine, content: bytes) -> None:
    begin(it, logs=LOGS | {MAIN: content})
    ran = it.run()
    kept = whole(it, ran)
    assert ran.record["outcome"] == "captured"
    assert kept["log.main"] == code("capture-evidence").redact.log(content, [])


WORDS = (
    'password token secret= "token":" eyJ eyJabcdefg.eyJabcdefg. AKIA ghp_ xoxb- :// ://a:b@ Bearer\tabcdefgh'.split(
        " "
    )
)
WORDS += ["-----BEGIN PRIVATE KEY-----", "bearer ", " = '", "a.", "-", "\x85", "--api-key "]


@given(words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=4))
@QUIET
def test_redaction_takes_time_that_grows_with_the_text_and_no_faster(words: list[str]) -> None:
    redact, unit = code("capture-evidence").redact, "".join(words)

    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        began = time.process_time()
        redact.text(text, [])
        return time.process_time() - began

    assert seconds(80_000) < 40 * max(seconds(8_000), 0.001)


@given(text=st.text(max_size=200), known=st.lists(st.text(min_size=6, max_size=20), max_size=2))
@QUIET
def test_redaction_leaves_nothing_that_is_known(text: str, known: list[str]) -> None:
    redact = code("capture-evidence").redact
    found = redact.text(text + "".join(known), known)
    assert not [each for each in known if each in found.replace(redact.MARK, "")]


SECRETS = [
    "password=hunter22", "DB_PASSWORD: hunter22", '{"api_key": "hunter22 hunter22"}', "--token hunter22",
    "Authorization: Bearer hunter22hunter22", "https://app:hunter22@db/s", "export AWS_SECRET_ACCESS_KEY=hunter22",
    "-----BEGIN RSA PRIVATE KEY-----\nhunter22\n-----END RSA PRIVATE KEY-----", "eyJhbGciOiJ9.eyJodW50ZXIyMn0.hunter22",
]  # fmt: skip


@pytest.mark.parametrize("text", SECRETS)
def test_what_looks_like_a_secret(text: str) -> None:
    redact = code("capture-evidence").redact
    found = redact.clean(["run", *text.split(" ")], []) if text.startswith("--token") else redact.text(text, [])
    assert "hunter22" not in str(found)
    assert redact.MARK in str(found)


@pytest.mark.parametrize("text", ["secret/db not found", "GET /token HTTP/1.1 200", "no tokens left", "a: b", ""])
def test_what_does_not_stays(text: str) -> None:
    assert code("capture-evidence").redact.text(text, []) == text


def test_a_pod_that_is_all_annotations_leaves_room_for_logs(it: Engine) -> None:
    begin(it, scene(annotations={f"note-{number}": "n" * 20_000 for number in range(12)}))
    ran = it.run()
    kept = whole(it, ran)
    assert len(kept["pod.json"]) <= 90_000
    assert kept["log.main"] == LOGS[MAIN]
    assert "pod.json" in json.loads(kept["index.json"])["cut"]


def test_many_events(it: Engine) -> None:
    begin(it, scene(*(told(f"e{number}", UID, "m" * 1000) for number in range(300))))
    kept = whole(it, it.run())
    assert len(kept["events.json"]) <= 90_000
    assert "events.json" in json.loads(kept["index.json"])["cut"]


def test_many_containers(it: Engine) -> None:
    objects = scene()
    made = next(one for one in objects if one["metadata"].get("uid") == UID)
    made["spec"]["containers"] += [{"name": f"c{number}", "image": "x"} for number in range(60)]
    begin(it, objects, LOGS | {("shop", "web-1", f"c{number}", False): b"c\n" for number in range(60)})
    ran = it.run()
    kept = whole(it, ran)
    assert ran.record["outcome"] == "partly-captured"
    assert len([name for name in kept if name.startswith("log.")]) == 20
    assert json.loads(kept["index.json"])["missing"]["containers"] == "the logs of 42 of 62"


@pytest.mark.parametrize("name", ["../../x", "a/b", "A", "", "x" * 64, "index.json", "a\n", "{{x}}"])
def test_a_container_with_a_name_that_is_none(it: Engine, name: str) -> None:
    objects = scene()
    made = next(one for one in objects if one["metadata"].get("uid") == UID)
    made["spec"]["containers"].append({"name": name, "image": "x"})
    begin(it, objects)
    kept = whole(it, it.run())
    assert all(re.fullmatch(r"(?:[a-z]+|(?:log|around|previous)\.[a-z]+|owner-\d)(?:\.json)?", key) for key in kept)
    assert not [one for one in it.server.state.requests if one.query.get("container") == name]


@pytest.mark.parametrize("seed", range(8))
def test_answers_of_any_shape(it: Engine, seed: int) -> None:
    """One value somewhere in each object is something else: a record in any case, and no object but evidence."""
    random = Random(seed)

    def mutated(answer: Answer) -> Answer:
        return Answer(answer.code, json.dumps(changed(json.loads(answer.body), random)).encode())

    for _ in range(4):
        begin(it)
        it.server.fault = lambda asked, _: Fault(mutated) if asked.method == "GET" and not asked.subresource else None
        ran = it.run(patience=0.5)
        it.server.fault = None
        assert re.fullmatch(r"[ -~]+\n", ran.text)
        assert (ran.code == 1) is (ran.record["outcome"] == "failed")
        assert {place[:2] for place in it.touched} <= {("secrets", "kre-evidence")}
        assert len(events(it)) == 1
        if secrets(it):
            assert pieces(it)["index.json"]
