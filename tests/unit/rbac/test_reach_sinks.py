"""What of worth each right gives at once, and the shortest chains to it."""

from __future__ import annotations

import pytest

from kre.rbac.reach.model import ADMIN, ARGOCD, ENGINE, NODE, SECRETS
from kre.rbac.reach.walls import Wall
from support.reach import ARGO, GROUND, ME, NAMED, OTHER, STRICT, X, Y, reach, right


def sinks(*items: object, **more: object) -> set[str]:
    return set(reach([*NAMED, *items], **{**GROUND, **more}).chains(ME))


def test_a_pod_takes_its_node_where_nothing_keeps_it_from_that() -> None:
    pods = right(ME, "create", "pods", space="a")
    assert NODE in sinks(*pods)
    assert NODE not in sinks(*pods, guarded=frozenset({"a"}))
    assert NODE in sinks(*pods, *right(ME, "patch", "namespaces", names=["a"]), guarded=frozenset({"a"}))
    assert NODE not in sinks(*pods, *right(ME, "patch", "namespaces", names=["b"]), guarded=frozenset({"a"}))
    assert NODE not in sinks(*right(ME, "patch", "pods", space="a"))


def test_a_workflow_takes_its_node_where_it_chooses_its_pod() -> None:
    flows = right(ME, "create", "workflows", ARGO, space="a")
    assert NODE in sinks(*flows)
    assert NODE not in sinks(*flows, controllers=(STRICT,))
    assert NODE in sinks(*right(ME, "patch", "workflows", ARGO, space="a"), controllers=(STRICT,))


@pytest.mark.parametrize(
    ("verbs", "resource", "group", "names", "wanted"),
    [
        ("get", "secrets", "", (), True),
        ("watch", "*", "", (), True),
        ("get", "secrets", "", ("one",), False),
        ("delete", "secrets", "", (), False),
        ("create", "validatingwebhookconfigurations", "admissionregistration.k8s.io", (), True),
    ],
)
def test_every_secret(verbs: str, resource: str, group: str, names: tuple[str, ...], wanted: bool) -> None:
    assert (SECRETS in sinks(*right(ME, verbs, resource, group, names=names))) == wanted
    if group == "":
        assert SECRETS not in sinks(*right(ME, verbs, resource, group, space="a", names=names))


@pytest.mark.parametrize("resource", ["mutatingwebhookconfigurations", "mutatingadmissionpolicies"])
def test_whoever_alters_what_admins_write_is_an_admin(resource: str) -> None:
    assert ADMIN in sinks(*right(ME, "patch", resource, "admissionregistration.k8s.io"))
    assert ADMIN not in sinks(*right(ME, "get", resource, "admissionregistration.k8s.io"))


@pytest.mark.parametrize(
    ("verbs", "resource", "group", "names", "wanted"),
    [
        ("update", "configmaps", "", (), True),
        ("update", "configmaps", "", ("code",), True),
        ("update", "configmaps", "", ("another",), False),
        ("get", "configmaps", "", (), False),
        ("patch", "workflowtemplates", ARGO, (), True),
        ("create", "workflows", ARGO, (), False),
        ("get", "secrets", "", ("token",), True),
        ("update", "deployments", "apps", (), True),
        ("delete", "deployments", "apps", (), False),
    ],
)
def test_the_engine(verbs: str, resource: str, group: str, names: tuple[str, ...], wanted: bool) -> None:
    more = {"engine": frozenset({"a"}), "maps": frozenset({("a", "code")})}
    assert (ENGINE in sinks(*right(ME, verbs, resource, group, space="a", names=names), **more)) == wanted
    assert ENGINE not in sinks(*right(ME, verbs, resource, group, space="b", names=names), **more)


def test_the_walls_of_the_engine() -> None:
    wall = (Wall("mine", (("CREATE", "", "pods"),)),)
    policies = ("validatingadmissionpolicies", "admissionregistration.k8s.io")
    assert ENGINE in sinks(*right(ME, "delete", *policies), walls=wall)
    assert ENGINE in sinks(*right(ME, "delete", *policies, names=["mine"]), walls=wall)
    assert ENGINE not in sinks(*right(ME, "delete", *policies, names=["theirs"]), walls=wall)
    assert ENGINE not in sinks(*right(ME, "create", *policies), walls=wall)


@pytest.mark.parametrize("resource", ["applications", "appprojects", "applicationsets"])
def test_argo_cd(resource: str) -> None:
    argocd = {"argocd": frozenset({"a"})}
    assert ARGOCD in sinks(*right(ME, "create", resource, ARGO, space="a"), **argocd)
    assert ARGOCD not in sinks(*right(ME, "create", resource, ARGO, space="b"), **argocd)
    assert ARGOCD in sinks(*right(ME, "patch", "configmaps", space="a"), **argocd)


def test_kubernetes_own_controllers_are_ways_too() -> None:
    chain = reach(right(ME, "create", "pods", space="kube-system"), defaults=True).chains(ME)[ADMIN]
    assert len(chain.hops) >= 1
    assert chain.hops[0].to.who.namespace == "kube-system"
    assert chain.hops[0].edge.way == "create pods in kube-system"


def test_the_chain_is_a_shortest_one_with_the_grants_of_each_hop() -> None:
    first = right(ME, "create", "serviceaccounts/token", space="a", names=["x"])
    second = right(X, "impersonate", "serviceaccounts", space="b", names=["other"])
    third = right(OTHER, "get", "secrets")
    detour = [
        *right(ME, "impersonate", "serviceaccounts", space="a", names=["y"]),
        *right(Y, "create", "pods", space="a"),
    ]
    chain = reach([*NAMED, *first, *second, *third, *detour], **GROUND).chains(ME)[SECRETS]
    assert [str(hop.to) for hop in chain.hops] == ["ServiceAccount a/x", "ServiceAccount b/other"]
    assert [hop.edge.grants[0].rule for hop in chain.hops] == [first[0].rules[0], second[0].rules[0]]
    assert chain.end.grants[0].rule == third[0].rules[0]
