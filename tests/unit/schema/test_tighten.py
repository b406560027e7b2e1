"""Published schemas, closed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from kre.schema.compact import compact, text
from kre.schema.tighten import BASE64, QUANTITY, close, top


@pytest.mark.parametrize(
    ("published", "closed"),
    [
        ({"type": "string", "description": "prose", "default": "x"}, {"type": "string"}),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}},
            {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
        ),
        ({"type": "object"}, {"type": "object"}),
        (
            {"type": "object", "additionalProperties": {"type": "string", "description": "x"}},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ),
        (
            {"type": "object", "properties": {"a": {}}, "x-kubernetes-preserve-unknown-fields": True},
            {"type": "object", "properties": {"a": {}}},
        ),
        ({"x-kubernetes-int-or-string": True, "anyOf": [{}, {}]}, {"type": ["integer", "string"]}),
        ({"type": "string", "format": "int-or-string"}, {"type": ["integer", "string"]}),
        (
            {"x-kubernetes-int-or-string": True, "pattern": "^1$"},
            {"type": ["number", "string"], "pattern": "^1$"},
        ),
        (
            {"type": "integer", "format": "int32", "minimum": 1},
            {"type": "integer", "minimum": 1, "maximum": 2147483647},
        ),
        ({"type": "string", "format": "byte"}, {"type": "string", "pattern": BASE64}),
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"allOf": [{"$ref": "#/a"}], "description": "x"}, {"$ref": "#/a"}),
        ({"$ref": "#/a", "nullable": True}, {"anyOf": [{"$ref": "#/a"}, {"type": "null"}]}),
        (
            {"type": "array", "items": {"type": "string", "format": "date-time"}},
            {"type": "array", "items": {"type": "string"}},
        ),
    ],
)
def test_close(published: dict[str, Any], closed: dict[str, Any]) -> None:
    assert close(published) == closed


def test_top_is_exact_about_its_kind() -> None:
    made = top(
        {"type": "object", "properties": {"spec": {}}, "additionalProperties": False},
        "g.io",
        "v1",
        "K",
        {"type": "object"},
    )
    valid = {"apiVersion": "g.io/v1", "kind": "K", "metadata": {}}
    validator = Draft202012Validator(made)
    assert validator.is_valid(valid)
    for broken in ({"apiVersion": "g.io/v2"}, {"kind": "k"}, {"spce": 1}):
        assert not validator.is_valid(valid | broken)
    assert not validator.is_valid({key: value for key, value in valid.items() if key != "metadata"})


@pytest.mark.parametrize("value", ["0", "1", "1.5", ".5", "+1", "-1", "500m", "64Mi", "1Gi", "1e3", "12E", "5k"])
def test_quantities(value: str) -> None:
    assert Draft202012Validator({"pattern": QUANTITY}).is_valid(value)


@pytest.mark.parametrize("value", ["", "x", "1Mb", "64 Mi", "1mi", "Mi", "--1", "1e"])
def test_no_quantities(value: str) -> None:
    assert not Draft202012Validator({"pattern": QUANTITY}).is_valid(value)


LEAF: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"type": "string"}, {"type": "integer"}, {"type": "string", "enum": ["a" * 60, "b" * 60, "c" * 60]}]
)
SCHEMAS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    LEAF,
    lambda inner: (
        st.builds(
            lambda properties: {"type": "object", "properties": properties, "additionalProperties": False},
            st.dictionaries(st.sampled_from(["type", "items", "enum", "a", "b", "$ref"]), inner, max_size=4),
        )
        | st.builds(lambda items: {"type": "array", "items": items}, inner)
    ),
    max_leaves=12,
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["a" * 60, "x", 1, None]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "items", "enum", "a", "b", "$ref", "z"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(SCHEMAS, st.lists(VALUES, max_size=6))
def test_compact_changes_no_verdict(schema: dict[str, Any], values: list[Any]) -> None:
    schema = (
        {**schema, "properties": {"one": schema, "two": {"type": "array", "items": schema}}}
        if "properties" in schema
        else schema
    )
    small = compact(schema)
    assert len(text(small)) <= len(text(schema)) + len('"$defs":{},')
    for value in [*values, {"one": values, "two": values}]:
        assert Draft202012Validator(small).is_valid(value) == Draft202012Validator(schema).is_valid(value)


def test_compact_is_the_same_whatever_the_order_of_keys() -> None:
    part = {"type": "string", "enum": [str(number) * 40 for number in range(4)]}
    one = {"type": "object", "properties": {"a": part, "b": part, "c": {"items": part}}}
    other = {"properties": {"c": {"items": dict(reversed(part.items()))}, "b": part, "a": part}, "type": "object"}
    assert text(compact(one)) == text(compact(other))
    assert text(compact(one)).count("0" * 40) == 1
