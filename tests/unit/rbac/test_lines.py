"""The line protocol: one answer for each line, whatever the line is."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kre.rbac.lines import answers

API = "rbac.authorization.k8s.io/v1"
ROLE = {
    "apiVersion": API, "kind": "ClusterRole", "metadata": {"name": "r"},
    "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}],
}  # fmt: skip
BINDING = {
    "apiVersion": API, "kind": "ClusterRoleBinding", "metadata": {"name": "r"},
    "roleRef": {"kind": "ClusterRole", "name": "r"}, "subjects": [{"kind": "User", "name": "alice"}],
}  # fmt: skip
KEYS = "objects questions defaults kind apiVersion metadata name".split()
ASKED = {"user": "alice", "verb": "get", "resource": "pods"}


def answer(line: object) -> dict:
    return json.loads(next(answers([line if isinstance(line, str) else json.dumps(line)])))


@pytest.mark.parametrize(
    "line",
    [
        "", " ", "x", "[]", "null", "1", '"x"', '{"objects": 1}', '{"questions": 1}', '{"questions": [1]}',
        '{"defaults": 1}', '{"defaults": "no"}', '{"questions": [{"verb": 1}]}', '{"questions": [{"groups": "x"}]}',
        '{"questions": [{"groups": [1]}]}', '{"objects": [{}]}', '{"objects": [null]}', '{"defaults": NaN}',
        "[" * 100_000, '{"a":' * 100_000, "\ufeff{}", '{"objects": []} {}', "9" * 10_000, "\udcff",
    ],
)  # fmt: skip
def test_a_bad_line_is_one_error(line):
    found = answer(line)
    assert list(found) == ["error"]
    assert found["error"]


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
        max_leaves=12,
    )
)  # fmt: skip
def test_no_json_makes_it_fall(value):
    assert list(answer(value)) in (["error"], ["allowed"])


def test_nothing_is_implied():
    group = {**BINDING, "subjects": [{"kind": "Group", "name": "system:authenticated"}]}
    question = {**ASKED, "user": "system:serviceaccount:a:b"}
    assert answer({"objects": [ROLE, group], "questions": [question]}) == {"allowed": [False]}
    inside = {**question, "groups": ["system:authenticated"]}
    assert answer({"objects": [ROLE, group], "questions": [inside]}) == {"allowed": [True]}


def test_a_path_makes_it_a_question_about_a_url():
    urls = {**ROLE, "rules": [*ROLE["rules"], {"verbs": ["get"], "nonResourceURLs": ["/logs/*"]}]}
    questions = [{**ASKED, "path": path} for path in ("", "/logs/x", "/logs")]
    assert answer({"objects": [urls, BINDING], "questions": questions}) == {"allowed": [True, True, False]}


def test_the_defaults_join_only_when_asked():
    question = {"user": "x", "groups": ["system:authenticated"], "verb": "get", "path": "/api"}
    assert answer({"objects": [], "questions": [question]}) == {"allowed": [False]}
    assert answer({"objects": [], "defaults": True, "questions": [question]}) == {"allowed": [True]}


def test_a_role_joins_the_defaults_that_aggregate_it():
    labels = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    extra = {
        **ROLE, "metadata": {"name": "x", "labels": labels},
        "rules": [{"verbs": ["get"], "apiGroups": ["argoproj.io"], "resources": ["workflows"]}],
    }  # fmt: skip
    bound = {**BINDING, "roleRef": {"kind": "ClusterRole", "name": "admin"}}
    question = {**ASKED, "group": "argoproj.io", "resource": "workflows"}
    line = {"objects": [extra, bound], "defaults": True, "questions": [question]}
    assert answer(line) == {"allowed": [True]}  # view is part of edit, and edit of admin
    assert answer({**line, "defaults": False}) == {"allowed": [False]}


def test_two_objects_of_one_name_are_refused():
    assert "there already" in answer({"objects": [ROLE, ROLE]})["error"]


def test_an_error_says_which_object_and_where():
    wrong = {**ROLE, "rules": [*ROLE["rules"], {"verbs": []}]}
    assert answer({"objects": [BINDING, wrong]})["error"].startswith("objects[1]: rules[1].verbs: ")


def test_the_program_answers_line_by_line():
    lines = [json.dumps({"objects": [ROLE, BINDING], "questions": [ASKED]}).encode(), b"\xff\xfe", b"{}"]
    command = [sys.executable, "-m", "kre.rbac.lines"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        for line, wanted in zip(lines, ('{"allowed": [true]}', "error", '{"allowed": []}'), strict=True):
            program.stdin.write(line + b"\n")
            program.stdin.flush()
            assert wanted in program.stdout.readline().decode()
        program.stdin.close()
        assert program.wait(10) == 0
