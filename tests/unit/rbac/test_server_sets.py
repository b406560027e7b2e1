"""The sets for a real API server ask the same as the recorded ones: names of their own change no answer."""

from __future__ import annotations

import json
from random import Random

import pytest

from kre.rbac.defaults import join
from kre.rbac.evaluate import policy
from kre.rbac.lines import answers
from kre.rbac.model import Question, User
from kre.rbac.objects import parse
from support import rbac_counts, rbac_sets
from support.rbac_server import FIELDS, LABEL, PREFIX, Served, moved, namespaces, served


def answer(line: dict) -> list[bool]:
    return json.loads(next(answers([json.dumps(line)])))["allowed"]


@pytest.fixture(scope="module")
def sets() -> list[Served]:
    return list(served("r1"))


@pytest.fixture(scope="module")
def together(sets: list[Served]) -> list[list[bool]]:
    """What each set's questions get where all are on one server."""
    known = policy(join(parse(body) for one in sets for body in one.objects))
    return [
        [
            known.allows(User(asked["user"], frozenset(asked["groups"])), Question(*(asked.get(f, "") for f in FIELDS)))
            for asked in one.questions
        ]
        for one in sets
    ]


@pytest.mark.parametrize("feature", list(rbac_sets.FEATURES))
def test_names_of_their_own_change_no_answer(feature: str) -> None:
    for number in range(40):
        line, _ = rbac_sets.alone(Random(f"{feature} {number}"), feature, 2)
        objects, questions = moved(line, "r1", f"r1-{number}")
        assert answer({**line, "objects": objects, "questions": questions}) == answer(line)


def test_no_set_adds_to_another(sets: list[Served], together: list[list[bool]]) -> None:
    for one, found in zip(sets, together, strict=True):
        if one.feature != "defaults":  # those share Kubernetes' own roles
            assert answer({"objects": one.objects, "questions": one.questions}) == found


def test_there_is_enough_of_each_feature_to_mean_something(sets: list[Served], together: list[list[bool]]) -> None:
    asked = (pair for one, said in zip(sets, together, strict=True) for pair in zip(one.features, said, strict=True))
    assert rbac_counts.few(rbac_counts.counts(asked), rbac_sets.FEATURES) == []
    assert sum(one.feature == "aggregation" for one in sets) >= 200


def test_whatever_is_made_can_be_found_again(sets: list[Served]) -> None:
    metadata = [item["metadata"] for one in sets for item in one.objects]
    assert all(known["name"].startswith(f"{PREFIX}r1-") and known["labels"][LABEL] == "r1" for known in metadata)
    assert {known["namespace"] for known in metadata if "namespace" in known} <= set(namespaces("r1"))
    names = [(item["kind"], item["metadata"]["name"]) for one in sets for item in one.objects]
    assert len(names) == len(set(names))
