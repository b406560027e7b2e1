"""Rights that need a reason: found exactly, for whom they are granted to and where; excused by exactly their reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kre.model.bundle import Bundle
from kre.model.finding import Finding
from kre.model.resource import Resource, Root
from kre.rules.reasoned import REASONED, Reasoned
from kre.rules.registry import get

API = "rbac.authorization.k8s.io"
ALWAYS = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}


def entry(one: Reasoned, verb: str, resource: str, **more: Any) -> dict[str, Any]:
    whole, slash, sub = resource.partition("/")
    plural, dot, group = whole.partition(".")
    return {
        "apiGroups": [group if dot else one.power.group],
        "resources": [f"{plural}{slash}{sub}"],
        "verbs": [verb],
        **more,
    }


def found(*rules: dict[str, Any], namespace: str | None = "shop", wanted: str = "") -> set[str]:
    """The ids that say something about a role with these rules, in a folder that binds it: in a namespace, in all ("")
    or not at all (None). `wanted`: what each must say."""
    reference = {"apiGroup": API, "kind": "ClusterRole", "name": "r"}
    subjects = [{"kind": "ServiceAccount", "namespace": "n", "name": "me"}]
    bodies: list[dict[str, Any]] = [
        {"apiVersion": f"{API}/v1", "kind": "ClusterRole", "metadata": {"name": "r"}, "rules": list(rules)}
    ]
    if namespace is not None:
        kind = "RoleBinding" if namespace else "ClusterRoleBinding"
        meta = {"name": "b", **({"namespace": namespace} if namespace else {})}
        bodies.append(
            {"apiVersion": f"{API}/v1", "kind": kind, "metadata": meta, "roleRef": reference, "subjects": subjects}
        )
    resources = tuple(
        Resource(body, "r.yaml", "r.yaml", namespace=body["metadata"].get("namespace", "")) for body in bodies
    )
    bundle = Bundle(Path(), roots=(Root("r.yaml", "plain", resources=resources),))
    said = [item for one in REASONED for item in apply(one, bundle)]
    assert all(wanted in item.message for item in said)
    return {item.rule for item in said}


def apply(one: Reasoned, bundle: Bundle) -> list[Finding]:
    known = get(one.power.id)
    assert known
    return list(known.apply(bundle))


@pytest.mark.parametrize("one", REASONED, ids=lambda one: one.power.id)
def test_every_verb_on_every_resource_wherever_it_stands(one: Reasoned) -> None:
    namespace = "" if one.where == "everywhere" else "shop"
    for verb in one.power.verbs.split():
        for resource in one.power.resources.split():
            dangerous = entry(one, verb, resource)
            assert one.power.id in found(ALWAYS, dangerous, namespace=namespace)
            assert found(ALWAYS, dangerous, namespace=namespace) == found(dangerous, ALWAYS, namespace=namespace)
            assert one.power.id in found(entry(one, verb, resource, resourceNames=["one"]), namespace=namespace)
            assert found(dangerous | {"apiGroups": ["example.com"]}, namespace=namespace) == set()
            assert found(dangerous | {"verbs": ["bind"]}, namespace=namespace) == set()


def test_secrets_of_one_namespace_and_of_all_are_two_things() -> None:
    read = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    assert found(read, namespace="shop", wanted="ServiceAccount n/me has it in shop") == {"R007"}
    assert found(read, namespace="", wanted="ServiceAccount n/me has it in every namespace") == {"R006"}
    assert found(read, namespace=None) == {"R006"}  # a ClusterRole that somebody may bind


def test_what_reads_only_is_let_pass() -> None:
    for resource in ("pods", "services", "configmaps", "nodes", "persistentvolumes", "events"):
        assert found({"apiGroups": [""], "resources": [resource], "verbs": ["get", "list", "watch"]}) == set()


def test_a_subresource_that_only_looks_alike_is_another() -> None:
    assert found({"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get", "create"]}) == set()
    assert found({"apiGroups": [""], "resources": ["pods/*"], "verbs": ["patch"]}) == set()
    assert found({"apiGroups": [""], "resources": ["*/status"], "verbs": ["patch"]}) == {"R026", "R027"}


def test_where_a_reason_may_do_it_is_a_warning_in_a_folder_without_environments() -> None:
    for one in REASONED:
        known = get(one.power.id)
        assert known
        assert (known.scope == "object") == one.never
