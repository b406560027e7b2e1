"""Every environment keeps every promise; and the promises' own tools see what they should."""

from __future__ import annotations

from functools import cache

import pytest

from kre.model.resource import Resource
from safety.promise import Promise, World, bundle, exactly, promises, world
from safety.promises.network import selects
from safety.promises.sensors import lets, near
from support.repository import PROJECT

NAMES = [environment.name for environment in bundle().environments]


@cache
def rendered(name: str) -> World:
    return world(bundle(), name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("promise", promises().values(), ids=lambda promise: promise.name)
def test_kept(promise: Promise, name: str) -> None:
    assert [str(complaint) for complaint in promise.complaints(rendered(name))] == []


def test_each_kind_that_is_rendered_has_a_promise_of_its_own() -> None:
    """Beside those about all kinds alike."""
    general = {"everything_is_there_once", "an_object_is_of_its_kind", "labels_are_those_of_the_one_table"}
    seen = {kind for promise in promises().values() if promise.name not in general for kind in promise.kinds}
    assert {item.kind for name in NAMES for item in rendered(name).objects} - seen == set()


def test_a_promise_that_cannot_read_an_object_complains() -> None:
    odd = Resource(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "dispatcher"}, "spec": None}, "", ""
    )
    found = [str(one) for one in promises()["the_dispatcher_is_two"].about(rendered("dev"), odd, odd)]
    assert len(found) == 1
    assert "no shape that it could have" in found[0]


def test_exactly_finds_what_is_missing_more_and_other() -> None:
    found = list(exactly({"a": [1, {"b": True}], "c": 0, "e": [1]}, {"a": [1, {"b": 1}], "d": 0, "e": []}, "so"))
    assert [line.partition(" ")[0] for line in found] == ["/a/1/b", "/c", "/d", "/e"]
    assert not list(exactly({"a": [{"b": "c"}]}, {"a": [{"b": "c"}]}, "so"))


def test_a_pattern_is_tried_on_what_is_near() -> None:
    values = tuple(near("a.b"))
    assert lets(r"^a\.b$", ("a.b",), values) == ""
    for open_ in (r"a\.b$", r"^a\.b", r"^a.b$", r"^a\.b$|.*", ".*", "", r"^(a\.b|x)$", "("):
        assert lets(open_, ("a.b",), (*values, "x")), open_
    assert "does not let" in lets("^$", ("a.b",), ())


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ({}, True),
        ({"matchLabels": {"a": "b"}}, True),
        ({"matchLabels": {"a": "c"}}, False),
        ({"matchLabels": {"a": "b", "x": "y"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, False),
        ({"matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["y"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["c"]}]}, False),
    ],
)
def test_selectors(selector: dict[str, object], *, selected: bool) -> None:
    assert selects(selector, {"a": "b"}) is selected


def test_every_expression_that_is_rendered_is_tried_on_an_api_server() -> None:
    """tests/e2e/api/test_admission.py reads the same files that the promise about expressions does."""
    from e2e.admission.stage import POLICIES

    assert PROJECT / "base/responses/manifests/admission" == POLICIES
