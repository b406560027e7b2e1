"""Names and labels, as the API server takes them (each verdict was asked of a real one)."""

from __future__ import annotations

from typing import Any

import pytest

from kre.schema import names


def found(metadata: Any, version: str = "v1", *, whole: bool = True) -> list[tuple[Any, ...]]:
    return [item.pointer for item in names.check({"apiVersion": version, "metadata": metadata}, whole=whole)]


@pytest.mark.parametrize("name", ["a", "a-b", "a.b.c", "0", "a" * 253])
def test_names(name: str) -> None:
    assert found({"name": name}) == []


@pytest.mark.parametrize("name", ["A", "a_b", "-a", "a-", "a..b", ".a", "a/b", "a b", "a" * 254, "ä", "a\n"])
def test_no_names(name: str) -> None:
    assert found({"name": name}) == [("metadata", "name")]


@pytest.mark.parametrize(
    ("name", "fine"), [("system:x", True), ("A_b", True), ("a/b", False), ("..", False), ("a%b", False)]
)
def test_rbac_takes_more(name: str, fine: bool) -> None:
    assert (found({"name": name}, "rbac.authorization.k8s.io/v1") == []) is fine


@pytest.mark.parametrize("metadata", [{}, {"name": ""}, {"name": None}])
def test_a_whole_object_has_a_name(metadata: Any) -> None:
    assert found(metadata) == [("metadata", "name")]
    assert found(metadata, whole=False) == []
    assert found({**metadata, "generateName": "a-"}) == []


@pytest.mark.parametrize(
    ("labels", "fine"),
    [
        ({"a": "b"}, True),
        ({"a": ""}, True),
        ({"example.com/a": "A.b_c-1"}, True),
        ({"a" * 63: "b" * 63}, True),
        ({"a" * 64: "b"}, False),
        ({"a": "b" * 64}, False),
        ({"a": "b-"}, False),
        ({"a": "b c"}, False),
        ({"-a": "b"}, False),
        ({"Example.com/a": "b"}, False),
        ({"a/b/c": "d"}, False),
        ({"/a": "b"}, False),
    ],
)
def test_labels(labels: dict[str, str], fine: bool) -> None:
    assert (found({"name": "x", "labels": labels}) == []) is fine
    keys = dict.fromkeys(labels, "any text - at all")
    as_annotations = fine or set(labels) in ({"a"}, {"Example.com/a"})
    assert (found({"name": "x", "annotations": keys}) == []) is as_annotations


@pytest.mark.parametrize("metadata", [None, [], "x", {"name": 1, "labels": [], "annotations": 1}])
def test_what_the_schema_says_already(metadata: Any) -> None:
    assert found(metadata) == []
