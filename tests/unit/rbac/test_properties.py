"""What must hold of any roles and bindings: order and splitting change nothing, adding never takes away."""

from __future__ import annotations

import json
from itertools import product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kre.rbac.evaluate import policy
from kre.rbac.lines import answers
from kre.rbac.match import allows
from kre.rbac.model import Question, User
from kre.rbac.objects import parse
from support import rbac_sets

SEEDS = st.tuples(st.integers(0, 2**32), st.sampled_from([name for name in rbac_sets.FEATURES if name != "defaults"]))
FIELDS = ("verb", "group", "resource", "subresource", "name", "namespace", "path")
MANY = settings(max_examples=60, deadline=None)


def made(seed: tuple[int, str]) -> dict:
    return rbac_sets.case(Random(seed[0]), seed[1])[0]


def answer(line: dict) -> list[bool]:
    return json.loads(next(answers([json.dumps(line)])))["allowed"]


def asked(line: dict) -> list[tuple[User, Question]]:
    return [
        (User(entry["user"], frozenset(entry["groups"])), Question(*(entry.get(field, "") for field in FIELDS)))
        for entry in line["questions"]
    ]


@MANY
@given(SEEDS, st.randoms(use_true_random=False))
def test_the_order_of_objects_and_rules_changes_nothing(seed, random):
    line = made(seed)
    before = answer(line)
    random.shuffle(line["objects"])
    for item in line["objects"]:
        random.shuffle(item.get("rules") or [])
        random.shuffle(item.get("subjects") or [])
    assert answer(line) == before


@MANY
@given(SEEDS)
def test_a_rule_taken_apart_is_the_same_rule(seed):
    line = made(seed)
    before = answer(line)
    for item in line["objects"]:
        if item.get("rules"):
            item["rules"] = [part for entry in item["rules"] for part in split(entry)]
    assert answer(line) == before


def split(entry: dict) -> list[dict]:
    """One rule for each combination of what its lists hold."""
    fields = [field for field in entry if entry[field]]
    parts = product(*(entry[field] for field in fields))
    return [{field: [value] for field, value in zip(fields, part, strict=True)} for part in parts]


@MANY
@given(*[SEEDS.filter(lambda seed: "aggregat" not in seed[1])] * 2)
def test_more_objects_never_take_a_right_away(seed, other):
    # Not with aggregation: there an object more can empty what a manifest says (test_aggregate.py).
    line, more = made(seed), made(other)
    before = answer(line)
    for item in more["objects"]:
        item["metadata"]["name"] += "-more"
    after = answer({**line, "objects": [*line["objects"], *more["objects"]]})
    assert all(now or not then for then, now in zip(before, after, strict=True))


@MANY
@given(SEEDS.filter(lambda seed: "aggregat" not in seed[1]), st.randoms(use_true_random=False))
def test_a_rule_more_never_takes_a_right_away(seed, random):
    line = made(seed)
    before = answer(line)
    for item in line["objects"]:
        if item["kind"].endswith("Role"):
            more = rbac_sets.rule(rbac_sets.Set(Random(random.random())))
            item["rules"] = [*item["rules"], more]
            random.shuffle(item["rules"])
    assert all(now or not then for then, now in zip(before, answer(line), strict=True))


@MANY
@given(SEEDS)
def test_what_is_allowed_is_in_the_grants_and_each_reason_is_true(seed):
    line = made(seed)
    known = policy(parse(item) for item in line["objects"])
    for user, question in asked(line):
        held = [
            grant
            for grant in known.grants(user)
            if allows(grant.rule, question)
            and grant.namespace in (("",) if question.path else ("", question.namespace))
        ]
        reasons = list(known.why(user, question))
        assert bool(held) == known.allows(user, question) == bool(reasons)
        assert {grant.chain for grant in reasons} == {grant.chain for grant in held}
