"""Label selectors, against another way to say the same, and against the double's own parser."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.apiserver import selector as parser
from support.engine import code

KEY, VALUE = st.sampled_from(["app", "tier", "x/app", "kre/quarantine"]), st.sampled_from(["", "web", "db", "true"])
LABELS = st.dictionaries(KEY, VALUE)
LISTED = st.fixed_dictionaries(
    {"key": KEY, "operator": st.sampled_from(["In", "NotIn"]), "values": st.lists(VALUE, min_size=1, max_size=3)}
)
BARE = st.fixed_dictionaries({"key": KEY, "operator": st.sampled_from(["Exists", "DoesNotExist"])})
SELECTOR = st.fixed_dictionaries(
    {},
    optional={
        "matchLabels": st.one_of(st.none(), LABELS),
        "matchExpressions": st.one_of(st.none(), st.lists(st.one_of(LISTED, BARE), max_size=3)),
    },
)


def reference(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """The table in the API's documentation of LabelSelectorRequirement, a line each."""
    for key, value in (selector.get("matchLabels") or {}).items():
        if key not in labels or labels[key] != value:
            return False
    for one in selector.get("matchExpressions") or []:
        there = one["key"] in labels
        if one["operator"] == "Exists" and not there:
            return False
        if one["operator"] == "DoesNotExist" and there:
            return False
        if one["operator"] == "In" and not (there and labels[one["key"]] in one["values"]):
            return False
        if one["operator"] == "NotIn" and there and labels[one["key"]] in one["values"]:
            return False
    return True


def text(selector: dict[str, Any]) -> str:
    """The selector in the form of a URL's labelSelector."""
    forms = {"In": "{} in ({})", "NotIn": "{} notin ({})", "Exists": "{}", "DoesNotExist": "!{}"}
    said = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    listed = selector.get("matchExpressions") or []
    said += [forms[one["operator"]].format(one["key"], ",".join(one.get("values", []))) for one in listed]
    return ",".join(said)


@given(selector=SELECTOR, labels=LABELS)
def test_matches_as_the_reference_does(selector: dict[str, Any], labels: dict[str, str]) -> None:
    found = code().health.matches(selector, labels)
    assert found is reference(selector, labels)
    assert found is all(one.fits(labels) for one in parser.parse(text(selector)))


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        ({}, {}, True),
        ({}, {"app": "web"}, True),
        ({"matchLabels": {}}, {"app": "web"}, True),
        ({"matchLabels": {"app": "web"}}, {}, False),
        ({"matchLabels": {"app": ""}}, {}, False),
        ({"matchLabels": {"app": ""}}, {"app": ""}, True),
        ({"matchLabels": {"app": "web", "tier": "x"}}, {"app": "web"}, False),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, {}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, {"app": "web"}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "db"]}]}, {"app": "db"}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, {"app": ""}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, {"app": ""}, False),
        (
            {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]},
            {"app": "web"},
            False,
        ),
    ],
)
def test_table(selector: dict[str, Any], labels: dict[str, str], matches: bool) -> None:
    assert code().health.matches(selector, labels) is matches
