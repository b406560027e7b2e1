"""The end of an isolation: the labels are as they were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.engine import REQUESTED, Engine, engine, shop

WAY = {"KRE_ACTION": "release", **REQUESTED}
NAME = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?", fullmatch=True)
PREFIX = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,9}[a-z0-9])?(\.[a-z0-9]{1,5}){0,2}", fullmatch=True)
KEY = st.one_of(NAME, st.builds("{}/{}".format, PREFIX, NAME), st.sampled_from(["kre/alert", "app", "kre/other"]))
LABELS = st.dictionaries(KEY, st.one_of(st.just(""), NAME), max_size=8)


@pytest.fixture(scope="module")
def it(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with engine(tmp_path_factory.mktemp("engine")) as made:
        yield made


@given(
    labels=LABELS,
    annotations=st.dictionaries(KEY.map(str.lower), st.text(max_size=20), max_size=3),
    again=st.booleans(),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize(
    "owner", [("ReplicaSet", "web-5d8", "rs-1"), ("StatefulSet", "db", "sts-1")], ids=lambda owner: owner[0]
)
def test_isolate_then_release(it: Engine, owner, labels, annotations, again) -> None:
    objects = shop(labels=labels, annotations=annotations, owner=owner)
    it.start(objects, {"min-healthy": "0"})
    before = it.pod
    for _ in range(1 + again):
        assert it.run(KRE_ACTION="isolate").record["outcome"] in ("isolated", "partly-isolated")
        kept = set(labels) if owner[0] == "StatefulSet" else set()
        assert it.pod["metadata"]["labels"].keys() == kept | {"kre/quarantine"}
    assert it.run(**WAY).said == (0, "released", "released; its labels are as they were")
    after = it.pod
    for place in ("labels", "annotations"):
        assert after["metadata"].get(place, {}) == before["metadata"].get(place, {})
    assert (after["spec"], after["status"]) == (before["spec"], before["status"])


def test_a_pod_that_is_not_isolated(tmp_path: Path) -> None:
    with engine(tmp_path, shop(annotations={"kre/isolated-labels": '{"app": "lure"}'})) as it:
        assert it.run(**WAY).said == (0, "refused", "the pod is not isolated")
        assert it.changing == []


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "1",
        '"text"',
        "null null",
        '{"app": 1}',
        '{"app": null}',
        '{"app": ["x"]}',
        '{"a": {}}',
        "[" * 100_000,
    ],
    ids=lambda text: text[:20],
)
def test_an_annotation_that_the_engine_did_not_write(tmp_path: Path, text: str) -> None:
    with engine(tmp_path, shop(labels={"kre/quarantine": "true"}, annotations={"kre/isolated-labels": text})) as it:
        said = "annotation kre/isolated-labels is not as the engine wrote it"
        assert it.run(**WAY).said == (0, "refused", said)
        assert (it.changing, it.touched) == ([], set())


@pytest.mark.parametrize("kept", [{"bad key": "x"}, {"app": "not a value"}, {"app": "x" * 64}, {"/": ""}])
def test_labels_that_are_none_are_not_set(tmp_path: Path, kept: dict[str, str]) -> None:
    annotations = {"kre/isolated-labels": json.dumps(kept)}
    with engine(tmp_path, shop(labels={"kre/quarantine": "true"}, annotations=annotations)) as it:
        ran = it.run(**WAY)
        assert ran.said == (1, "failed", "422: Invalid")
        assert it.touched == set()


def test_the_quarantine_does_not_come_back_by_the_annotation(tmp_path: Path) -> None:
    annotations = {"kre/isolated-labels": '{"kre/quarantine": "true", "app": "web"}'}
    with engine(tmp_path, shop(labels={"kre/quarantine": "true"}, annotations=annotations)) as it:
        assert it.run(**WAY).record["outcome"] == "released"
        assert it.pod["metadata"]["labels"] == {"app": "web"}


def test_after_the_fast_lane_alone(tmp_path: Path) -> None:
    with engine(tmp_path, shop(labels={"app": "web", "kre/quarantine": "true"})) as it:
        assert it.run(**WAY).record["outcome"] == "released"
        assert it.pod["metadata"]["labels"] == {"app": "web"}


@pytest.mark.parametrize("where", ["pod", "owner"])
def test_protection_does_not_keep_a_pod_isolated(tmp_path: Path, where: str) -> None:
    changes = {"annotations": {"kre/protected": "true"}} if where == "pod" else {"owner": "DaemonSet"}
    with engine(tmp_path, shop(labels={"kre/quarantine": "true"}, **changes)) as it:
        assert it.run(**WAY).record["outcome"] == "released"
