"""The table of requests and answers, against the double. tests/e2e/api/test_double.py asks a real server."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from demo.apiserver import ApiServer, Request
from support.conversation import at, conversations, differs, play, setup

TALKS = {talk["title"]: talk["steps"] for talk in conversations()}


def allowed(request: Request) -> bool:
    return "impersonate-user" not in request.headers


@pytest.mark.parametrize("title", TALKS)
def test_the_double_answers_as_the_table_says(title: str) -> None:
    with ApiServer(rights=allowed) as server:
        play(at(server.url), setup("kre-talk"), "kre-talk")
        play(at(server.url), TALKS[title], "kre-talk")


@pytest.mark.parametrize(
    ("change", "said"),
    [({"status": 200}, "answered 201"), ({"has": {"metadata": {"name": "other"}}}, "/metadata/name: 'web'")],
)
def test_the_player_notices_another_answer(change: dict[str, Any], said: str) -> None:
    steps = [copy.deepcopy(TALKS["pods are deleted"][0]) | change]
    with ApiServer() as server:
        play(at(server.url), setup("kre-talk"), "kre-talk")
        with pytest.raises(AssertionError, match=said):
            play(at(server.url), steps, "kre-talk")


@pytest.mark.parametrize(
    ("wanted", "found", "where"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, ""),
        ({"a": {"b": None}}, {"a": {}}, ""),
        ({"a": {"b": None}}, {"a": {"b": ""}}, "/a/b: '' is not None"),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": 2}]}, ""),
        ({"a": []}, {"a": [1]}, "/a: [1] is no list of 0"),
        ({"a": [1]}, {}, "/a: None is no list of 1"),
        ({"a": {"b": 1}}, {"a": 2}, "/a: 2 is no object"),
    ],
)
def test_what_an_answer_holds_at_least(wanted: Any, found: Any, where: str) -> None:
    assert differs(wanted, found) == where
