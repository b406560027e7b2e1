"""Whatever is in the environment or in the API server's answers: one record, and no request but a well-formed one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo.apiserver import Fault
from demo.apiserver.status import Answer
from support.engine import ENVIRON, UID, Engine, Ran, engine, shop
from support.mutate import changed

NASTY = st.one_of(
    st.text(st.characters(codec=None, exclude_characters="\0"), max_size=40),
    st.text("\n\r\t\x1b{}=;$()/.\\\"' a-0", max_size=20),
    st.sampled_from(
        [
            "",
            " ",
            "-",
            "..",
            "../../../..",
            "a/b",
            "%2e%2e%2f",
            "web-1\n",
            "web-1 ",
            "web-1/eviction",
            "web-1?dryRun=All",
            "web-1#",
            "{{workflow.name}}",
            "{{=toJson(workflow)}}",
            "$(KRE_UID)",
            "; rm -rf /",
            '"}\n{"outcome": "deleted',
            "kube-system",
            "till",
            "null",
            "a" * 64,
            "a" * 254,
            "a" * 70_000,
            "\udcff",
            "\uff57\uff45\uff42-1",
            "web-1\u200b",
            "\u202eweb-1",
            UID.upper(),
            "enforce ",
            "approve",
            "record",
        ]
    ),
    st.none(),
)
KEYS = tuple(ENVIRON)
QUIET = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def it(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with engine(tmp_path_factory.mktemp("engine")) as made:
        yield made


def holds(it: Engine, ran: Ran, environ: dict[str, Any]) -> None:
    """One record of ASCII that parses; requests about the namespace and pod of the environment, if they are names."""
    assert re.fullmatch(r"[ -~]+\n", ran.text), "one line, of printable ASCII"
    record = ran.record
    assert (ran.code == 1) is (record["outcome"] == "failed")
    for key, value in environ.items():
        if key not in ("KRE_STATUS", "KRE_ANNOTATIONS"):
            assert record[key.removeprefix("KRE_").lower()] == (value or "")[:253]
    place, name = f"/api/v1/namespaces/{environ['KRE_NAMESPACE']}", environ["KRE_POD"]
    own = "(?:replicasets/web-5d8|deployments/web)"
    allowed = "|".join(
        (
            rf"GET {re.escape(place)}(?:/pods|/services)?",
            rf"(?:GET|PATCH|DELETE) {re.escape(f'{place}/pods/{name}')}",
            rf"POST {re.escape(place)}/events",
            rf"GET /apis/apps/v1/namespaces/{re.escape(str(environ['KRE_NAMESPACE']))}/{own}",
            rf"GET /apis/networking.k8s.io/v1/namespaces/{re.escape(str(environ['KRE_NAMESPACE']))}/networkpolicies",
        )
    )
    for asked in it.server.state.requests:
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", environ["KRE_NAMESPACE"])
        assert re.fullmatch(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?", name)
        assert re.fullmatch(r"[0-9a-f-]{36}", environ["KRE_UID"])
        assert re.fullmatch(allowed, f"{asked.method} {asked.path}")
        assert asked.query.keys() <= {"limit", "continue"}
    assert it.touched <= {("pods", "shop", "web-1")}


@given(values=st.dictionaries(st.sampled_from(KEYS), NASTY, min_size=1, max_size=4))
@QUIET
def test_environment(it: Engine, values: dict[str, str | None]) -> None:
    it.start(shop())
    ran = it.run(**values)
    holds(it, ran, {**ENVIRON, **values})
    given_badly = {key for key, value in values.items() if value != ENVIRON[key]}
    if given_badly & {"KRE_UID", "KRE_NAMESPACE", "KRE_POD"}:
        assert it.touched == set(), "another pod is not this pod"


@given(values=st.fixed_dictionaries(dict.fromkeys(KEYS, NASTY)))
@QUIET
def test_environment_all_at_once(it: Engine, values: dict[str, str | None]) -> None:
    it.start(shop())
    holds(it, it.run(**values), values)


@given(
    key=st.sampled_from(KEYS),
    value=NASTY,
    step=st.sampled_from(["act", "record"]),
    mode=st.sampled_from(["approve", "enforce"]),
)
@QUIET
def test_environment_of_either_step(it: Engine, key: str, value: str | None, step: str, mode: str) -> None:
    it.start(shop())
    environ = {**ENVIRON, "KRE_STEP": step, "KRE_MODE": mode, key: value}
    holds(it, it.run(**environ), environ)
    if environ["KRE_STEP"] == "record":
        assert it.touched == set()


@pytest.mark.parametrize("value", ["\udcff\udcfe", "é\u202e", "x" * 100_000, "{{=1}}\n\x1b[2J", None])
@pytest.mark.parametrize("key", ["KRE_POD", "KRE_STATUS", "KRE_ANNOTATIONS", "KRE_RULE"])
def test_environment_of_a_process(it: Engine, key: str, value: str | None) -> None:
    it.start(shop())
    holds(it, it.process(**{key: value}), {**ENVIRON, key: value})


def test_no_environment_at_all(it: Engine) -> None:
    it.start(shop())
    ran = it.process(**dict.fromkeys(ENVIRON))
    assert (ran.code, ran.record["outcome"]) == (0, "refused")
    assert it.server.state.requests == []


@pytest.mark.parametrize("action", ["delete", "isolate", "label", "notify"])
@pytest.mark.parametrize("seed", range(12))
def test_answers_of_any_shape(it: Engine, action: str, seed: int) -> None:
    """One value somewhere in each object that the API server shows is something else: never another pod, never no
    record."""
    random = Random(f"{action} {seed}")

    def mutated(answer: Answer) -> Answer:
        return Answer(answer.code, json.dumps(changed(json.loads(answer.body), random)).encode())

    for _ in range(4):
        it.start(shop())
        it.server.fault = lambda asked, _: Fault(mutated) if asked.method == "GET" and random.random() < 0.7 else None
        ran = it.run(patience=0.5, KRE_ACTION=action)
        it.server.fault = None
        holds_for_objects(it, ran)


def holds_for_objects(it: Engine, ran: Ran) -> None:
    assert re.fullmatch(r"[ -~]+\n", ran.text)
    assert (ran.code == 1) is (ran.record["outcome"] == "failed")
    assert it.touched <= {("pods", "shop", "web-1")}
    for asked in it.changing:
        assert (asked.path, UID in json.dumps(asked.body)) == ("/api/v1/namespaces/shop/pods/web-1", True)
    assert len(it.events) == 1
