"""A budget that is drafted lists exactly what was granted, and is read back as such."""

from __future__ import annotations

import json

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kre.model.comparison import Grant
from kre.model.source import Document, Source
from kre.rbac.budget import NAMELESS, PATH, TARGETS, draft, entries
from kre.schema.jsonschema_engine import check_against
from kre.schema.own import own_schema

HOLDERS = ("ServiceAccount a/x", "Group devs: all", "User o'hara", "ClusterRole view")
RIGHTS = st.builds(
    Grant,
    st.sampled_from(HOLDERS),
    st.sampled_from(("", "shop", "bank", "other")),
    st.sampled_from(("get", "list", "*")),
    st.sampled_from(("", "apps", "*")),
    st.sampled_from(("pods", "pods/log", "*/exec", "*")),
    st.sampled_from(("", "a", "*", NAMELESS)),
) | st.builds(
    Grant, st.sampled_from(HOLDERS), st.just(""), st.just("get"), st.just(PATH), st.sampled_from(("/x", "/y/*", "*"))
)


def read(text: str, targets: list[str]) -> set[Grant]:
    source = Source("budget.yaml", (Document(yaml.compose(text), yaml.safe_load(text)),))
    return {right for entry in entries(source, targets) for right in entry.rights}


@settings(max_examples=150, deadline=None)
@given(st.sets(RIGHTS, max_size=12), st.sampled_from(([], ["shop"], ["shop", "bank"])))
def test_a_draft_is_what_is_granted(granted, targets):
    text = draft("dev", granted, targets)
    assert read(text, targets) == granted
    assert list(check_against(yaml.safe_load(text), own_schema("rbac-budget"))) == []


def test_what_holds_in_every_target_follows_the_targets():
    rights = {Grant(HOLDERS[0], space, "get", "", "pods") for space in ("shop", "bank", "other")}
    text = draft("dev", rights, ["shop", "bank"])
    assert text.count(TARGETS) == 1
    assert {right.namespace for right in read(text, ["new"])} == {"new", "other"}
    assert read(text, []) == {Grant(HOLDERS[0], "other", "get", "", "pods")}


def test_nothing_granted():
    assert yaml.safe_load(draft("dev", [], [])) == {"version": 1, "identities": []}


def test_what_is_odd_in_a_file_is_left_out():
    for value in (None, [], {"identities": 1}, {"identities": [1, {"name": 1, "rules": [1]}, {"name": "x"}]}):
        assert read(json.dumps(value), ["a"]) == set()
