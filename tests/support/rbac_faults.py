"""RBAC objects with something in them that the API server may refuse: one change to one that it takes."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

from support.rbac_sets import API, Body

LONG = "a" * 64
_OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "u"}
_ANY: tuple[tuple[tuple[str | int, ...], tuple[Any, ...]], ...] = (
    (("apiVersion",), (f"{API}/v1", f"{API}/v1beta1", "v1", "", None, 1)),
    (("kind",), ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "Pod", "RoleList", "", None)),
    (("metadata",), ({}, None, [], "x")),
    (("metadata", "name"), ("", None, 1, ".", "..", "a/b", "a%b", "system:x", "A b", "ü", "a\n", LONG * 5, True)),
    (("metadata", "generateName"), ("x-", "", "a/b", "..", 1)),
    (("metadata", "namespace"), ("n1", "", None, "N1", "a.b", "-a", LONG, 1, "a_b", "ns\n")),
    (("metadata", "resourceVersion"), ("", "1", None)),
    (("metadata", "labels"), ({}, None, [], {"": "x"}, {"a/b/c": "x"}, {"a": 1}, {"a": None}, {"a": LONG}, {"a": "b/c"},
                              {"a": "-x"}, {"A.b/c": "x"}, {"ex.com/A": "x_y.z"}, {LONG: "x"}, {"/a": ""}, {"a/": ""},
                              {"a" * 63: "x"}, {"a": "x\n"}, {"ä": "x"}, {"a": "true"}, {"a": True})),
    (("metadata", "annotations"), ({}, None, {"A B": "x"}, {"EX.com/a": "x"}, {"a": "b/c d"}, {"a": 1},
                                   {"a": "x" * 262144}, {"a": "x" * 262143}, {"a/b/c": ""})),
    (("metadata", "finalizers"), ([], ["a"], ["a b"], ["ex.com/a"], ["orphan", "foregroundDeletion"], "a", [1], [""])),
    (("metadata", "ownerReferences"), ([{}], [_OWNER], [{"kind": "x"}],
                                       [{**_OWNER, "kind": "Event"}],
                                       [{**_OWNER, "name": str(i), "controller": True} for i in range(2)])),
    (("unknown",), (1, {})),
)  # fmt: skip
_RULE = (
    (("rules",), (None, [], {}, "x", [None], [1], [{}], [[]])),
    (("rules", 0, "verbs"), ([], None, "get", [1], [None], [""], ["*"], ["get", None])),
    (("rules", 0, "apiGroups"), ([], None, "", [""], [1], ["a", "*"])),
    (("rules", 0, "resources"), ([], None, "pods", [""], ["pods/*"], [None])),
    (("rules", 0, "resourceNames"), ([], None, "a", [""], ["*"], [{}])),
    (("rules", 0, "nonResourceURLs"), ([], None, ["/x"], "/x", [""], ["*"])),
    (("rules", 0), ({"verbs": ["get"], "nonResourceURLs": ["/x"]}, {"verbs": ["get"], "nonResourceURLs": [""]},
                    {"verbs": [], "nonResourceURLs": ["/x"]}, {"verbs": ["get"]},
                    {"verbs": ["get"], "nonResourceURLs": ["/x"], "resourceNames": ["a"]})),
    (("aggregationRule",), (None, {}, [], {"clusterRoleSelectors": []}, {"clusterRoleSelectors": None},
                            {"clusterRoleSelectors": [{}]}, {"clusterRoleSelectors": [None]},
                            {"clusterRoleSelectors": {}})),
    (("aggregationRule",), tuple({"clusterRoleSelectors": [{"matchLabels": value}]} for value in (
        {}, None, {"a": "b"}, {"a b": "c"}, {"a": "b c"}, {"a": 1}, {"a": None}, []))),
    (("aggregationRule",), tuple({"clusterRoleSelectors": [{"matchExpressions": [value]}]} for value in (
        {}, {"key": "a", "operator": "In"}, {"key": "a", "operator": "In", "values": []},
        {"key": "a", "operator": "In", "values": ["b"]}, {"key": "a", "operator": "Exists"},
        {"key": "a", "operator": "exists"},
        {"key": "a", "operator": "Exists", "values": ["b"]}, {"key": "a b", "operator": "Exists"},
        {"key": "a", "operator": "NotIn", "values": ["b c"]}, {"key": "a", "operator": "Gt", "values": ["1"]},
        {"operator": "Exists"}, {"key": "a", "operator": "DoesNotExist", "values": None}, {"key": "a"},
        {"key": "a", "operator": "In", "values": [""]}, {"key": "a", "operator": "In", "values": [None]}))),
)  # fmt: skip
_BINDING = (
    (("roleRef",), (None, {}, [], "x")),
    (("roleRef", "kind"), ("Role", "ClusterRole", "role", "", None, "Foo", 1)),
    (("roleRef", "apiGroup"), (API, "", None, "rbac", "v1", 1)),
    (("roleRef", "name"), ("", None, "a/b", "..", "a%", "a:b", "missing", 1)),
    (("subjects",), (None, [], {}, [None], [{}], "x", [[]])),
    (("subjects", 0, "kind"), ("User", "Group", "ServiceAccount", "user", "", None, "Node", 1)),
    (("subjects", 0, "apiGroup"), (API, "", None, "x", 1)),
    (("subjects", 0, "name"), ("", None, "a:b", "A", "a.b", "x" * 254, "x" * 253, "-a", 1, "*", "a\n")),
    (("subjects", 0, "namespace"), ("", None, "n1", "N 1", "*", 1)),
)  # fmt: skip


def base(random: Random) -> Body:
    """An object that the API server takes."""
    kind = random.choice(("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"))
    found: Body = {"apiVersion": f"{API}/v1", "kind": kind, "metadata": {"name": "thing", "namespace": "n1"}}
    if kind.endswith("Role"):
        entry = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
        return found | {"rules": [entry, dict(entry)]}
    space = random.choice(({"namespace": "n1"}, {"namespace": "n1"}, {}))
    subject = random.choice(({"kind": "ServiceAccount", "name": "x", **space}, {"kind": "User", "name": "x"}))
    role = "ClusterRole" if kind.startswith("Cluster") else random.choice(("Role", "ClusterRole"))
    return found | {"subjects": [subject], "roleRef": {"apiGroup": API, "kind": role, "name": "thing"}}


def changed(random: Random) -> Body:
    """One with a change."""
    found = base(random)
    own = _RULE if found["kind"].endswith("Role") else _BINDING
    steps, values = random.choice((*_ANY, *own, *own))
    found = copy.deepcopy(found)
    inside: Any = found
    for step in steps[:-1]:
        inside = inside[step]
    value = copy.deepcopy(random.choice(values))
    inside[steps[-1]] = value
    if random.random() < 0.1 and value is None:
        del inside[steps[-1]]
    return found


def case(random: Random) -> Body:
    """A line of the protocol with one such object."""
    question = {"user": "x", "groups": [], "verb": "get", "group": "", "resource": "pods", "namespace": "n1"}
    objects = [changed(random)]
    if random.random() < 0.1:
        objects.append(copy.deepcopy(objects[0]))
    return {"objects": objects, "defaults": False, "questions": [question]}
