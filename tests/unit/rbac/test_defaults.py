"""Kubernetes' own roles: pinned, whole, and joined with what is given."""

from __future__ import annotations

from kre.rbac import defaults
from kre.rbac.evaluate import policy
from kre.rbac.model import Question, User, account
from kre.rbac.objects import parse

AUTHENTICATED = User("x", frozenset(["system:authenticated"]))


def test_they_are_as_locked():
    assert defaults.verify() == []


def test_a_byte_changed_is_noticed(monkeypatch, tmp_path):
    name = defaults.lock()["file"]
    (tmp_path / name).write_bytes((defaults.FOLDER / name).read_bytes().replace(b'"get"', b'"put"', 1))
    monkeypatch.setattr(defaults, "FOLDER", tmp_path)
    assert len(defaults.verify()) == 1
    (tmp_path / name).unlink()
    assert "missing" in defaults.verify()[0]


def test_they_settle():
    assert policy(defaults.defaults()).unsettled == set()


def test_what_everybody_may():
    known = policy(defaults.defaults())
    assert known.allows(AUTHENTICATED, Question("create", "authorization.k8s.io", "selfsubjectaccessreviews"))
    assert not known.allows(AUTHENTICATED, Question("get", "", "pods", namespace="default"))
    assert not known.allows(account("kube-system", "default"), Question("get", "", "secrets", namespace="kube-system"))
    assert known.allows(account("kube-system", "job-controller"), Question("delete", "", "pods", namespace="x"))


def test_an_object_of_a_default_s_name_adds_to_it():
    body = {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "system:discovery"},
        "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}],
    }  # fmt: skip
    known = policy(defaults.join([parse(body)]))
    assert known.allows(AUTHENTICATED, Question("get", "", "pods", namespace="a"))
    assert known.allows(AUTHENTICATED, Question("get", path="/api"))


def test_a_binding_of_a_default_s_name_keeps_to_the_default_s_role():
    body = {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "system:discovery"},
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}, "subjects": [{"kind": "User", "name": "x"}],
    }  # fmt: skip
    known = policy(defaults.join([parse(body)]))
    assert not known.allows(AUTHENTICATED, Question("get", "", "pods", namespace="a"))
    assert known.allows(AUTHENTICATED, Question("get", path="/api"))
