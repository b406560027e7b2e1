"""The evaluator against Kubernetes' own code: what that said to generated objects and questions (tests/authorizer/)."""

from __future__ import annotations

import json

import pytest

from kre.rbac.lines import answers
from support import rbac_counts, rbac_record, rbac_sets

AGAIN = "the generators changed: make rbac-answers"


@pytest.fixture(scope="module")
def compared():
    """(features of the questions, what Kubernetes said, what kre says) of every set."""
    sets = list(rbac_record.sets())
    recorded = [entry.split(" ") for entry in json.loads(rbac_record.ANSWERS.read_text())]
    assert [rbac_record.mark(line) for _, line, _ in sets] == [mark for mark, _ in recorded], AGAIN
    found = [rbac_record.shown(json.loads(answer)) for answer in answers(line for _, line, _ in sets)]
    return [(features, said, mine) for (_, _, features), (_, said), mine in zip(sets, recorded, found, strict=True)]


def test_every_answer_is_that_of_kubernetes(compared):
    assert len(compared) > 4000
    assert [number for number, (_, said, mine) in enumerate(compared) if said != mine] == []


def test_each_feature_is_seen_allowed_and_denied(compared):
    counts = rbac_record.counted((features, said) for features, said, _ in compared)
    assert rbac_counts.few(counts, rbac_sets.FEATURES) == []
    assert sum(counts.values()) > 20_000
    assert rbac_record.COUNTS.read_text() == rbac_record.report(counts), AGAIN


def test_what_the_api_server_refuses_is_refused():
    lines = list(rbac_record.faults())
    recorded = [entry.split(" ") for entry in json.loads(rbac_record.REFUSALS.read_text())]
    assert [rbac_record.mark(line) for line in lines] == [mark for mark, _ in recorded], AGAIN
    found = [rbac_record.shown(json.loads(answer)) for answer in answers(lines)]
    wrong = [line for line, (_, said), mine in zip(lines, recorded, found, strict=True) if said != mine]
    assert wrong == []
    refused = sum(said == "!" for _, said in recorded)
    assert refused > 1000
    assert len(recorded) - refused > 1000
