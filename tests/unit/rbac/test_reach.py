"""Each way from one identity to another, what it needs, and what stands in the way."""

from __future__ import annotations

import pytest

from kre.rbac.model import MASTERS
from kre.rbac.reach.controllers import Controller
from kre.rbac.reach.model import ADMIN, NODE, Who, named
from kre.rbac.reach.walls import Wall
from support.reach import ARGO, GROUND, ME, NAMED, RBAC, STRICT, X, became, hop_to, reach, right, role

EVERYBODY, RUNNING = {"a/x", "a/y", "a/idle"}, {"a/x", "a/y"}


def names(found: set[str]) -> set[str]:
    return {one.removeprefix("ServiceAccount ") for one in found}


@pytest.mark.parametrize(
    ("verbs", "resource", "group", "wanted"),
    [
        ("create", "pods", "", EVERYBODY),
        ("update", "pods", "", RUNNING),
        ("patch", "pods", "", RUNNING),
        ("get", "pods", "", set()),
        ("delete", "pods", "", set()),
        ("create", "pods", "example.com", set()),
        ("create", "pods/exec", "", RUNNING),
        ("get", "pods/exec", "", RUNNING),
        ("create", "*/exec", "", RUNNING),
        ("create", "pods/attach", "", RUNNING),
        ("patch", "pods/ephemeralcontainers", "", RUNNING),
        ("create", "pods/log", "", set()),
        *(
            (verb, f"{kind}s", "apps", EVERYBODY)
            for kind in ("deployment", "daemonset", "statefulset", "replicaset")
            for verb in ("create", "update", "patch")
        ),
        ("update", "replicationcontrollers", "", EVERYBODY),
        ("patch", "cronjobs", "batch", EVERYBODY),
        ("create", "jobs", "batch", EVERYBODY),
        ("update", "jobs", "batch", set()),
        ("create", "workflows", ARGO, EVERYBODY),
        ("patch", "workflows", ARGO, EVERYBODY),
        ("list", "workflows", ARGO, set()),
        *(
            (verb, kind, ARGO, EVERYBODY)
            for kind in ("workflowtemplates", "cronworkflows", "sensors", "eventsources", "eventbus")
            for verb in ("create", "update", "patch")
        ),
        ("create", "workfloweventbindings", ARGO, set()),  # templates name nobody here
        ("create", "serviceaccounts/token", "", EVERYBODY),
        ("impersonate", "serviceaccounts", "", EVERYBODY),
        ("create get", "secrets", "", EVERYBODY),
        ("create", "secrets", "", set()),
        ("get", "secrets", "", set()),
        ("create", "rolebindings", RBAC, set()),  # to hand out what one holds makes nobody more than they are
        ("create update patch", "roles", RBAC, set()),
    ],
)
def test_a_right_in_a_namespace_leads_to_its_accounts(verbs: str, resource: str, group: str, wanted: set[str]) -> None:
    found = reach([*NAMED, *right(ME, verbs, resource, group, space="a")], **GROUND)
    assert names(became(found)) == wanted
    everywhere = names(became(reach([*NAMED, *right(ME, verbs, resource, group)], **GROUND)))
    assert everywhere == (wanted | {"b/other"} if wanted else set())


@pytest.mark.parametrize(
    ("verbs", "resource", "group"),
    [("create", "clusterworkflowtemplates", ARGO), ("get", "nodes/proxy", ""), ("impersonate", "users", "")],
)
def test_what_is_in_no_namespace_is_not_given_in_one(verbs: str, resource: str, group: str) -> None:
    assert became(reach([*NAMED, *right(ME, verbs, resource, group, space="a")], **GROUND)) == set()


def test_the_api_of_nodes_leads_to_all_that_runs() -> None:
    found = reach([*NAMED, *right(ME, "get", "nodes/proxy")], defaults=True, **GROUND)
    assert names(became(found)) == {*RUNNING, "b/other"}  # and to none of Kubernetes' own controllers
    assert found.chains(ME)[NODE].end.way == "nodes/proxy"


def test_cluster_templates_lead_everywhere() -> None:
    found = reach([*NAMED, *right(ME, "update", "clusterworkflowtemplates", ARGO)], **GROUND)
    assert names(became(found)) == {*EVERYBODY, "b/other"}
    closed = (Controller("argo", "a", cluster_templates=False),)
    rights = right(ME, "update", "clusterworkflowtemplates", ARGO)
    assert names(became(reach([*NAMED, *rights], **GROUND, controllers=closed))) == {"b/other"}


@pytest.mark.parametrize(
    ("verbs", "resource", "wanted"),
    [
        ("create", "serviceaccounts/token", {"a/x"}),
        ("impersonate", "serviceaccounts", {"a/x"}),
        ("create", "pods", set()),  # a request to create carries no name
    ],
)
def test_a_right_by_name_leads_there_alone(verbs: str, resource: str, wanted: set[str]) -> None:
    found = reach([*NAMED, *right(ME, verbs, resource, space="a", names=["x"])], **GROUND)
    assert names(became(found)) == wanted


# ---- Workflows


TEMPLATES = {"named": frozenset({("a", "x"), ("b", "other")}), "controllers": (STRICT,)}


@pytest.mark.parametrize(
    ("more", "wanted", "limit"),
    [
        ({}, {"a/x"}, "Strict: only as whom templates name"),
        ({"loose": frozenset({"a"})}, EVERYBODY, "Strict, but a template takes its ServiceAccount from a parameter"),
        ({"loose": frozenset({""})}, EVERYBODY, "Strict, but a template takes its ServiceAccount from a parameter"),
        ({"loose": frozenset({"b"})}, {"a/x"}, "Strict: only as whom templates name"),
        ({"controllers": ()}, EVERYBODY, ""),
        ({"controllers": (Controller("argo", "a"),)}, EVERYBODY, "no templateReferencing"),
        ({"controllers": (Controller("argo", "b", "Strict"),)}, EVERYBODY, ""),
        ({"controllers": (Controller("argo", "", "Secure"),)}, {"a/x"}, "Secure: only as whom templates name"),
        ({"controllers": (STRICT, Controller("two", ""))}, EVERYBODY, "Strict, no templateReferencing"),
        (
            {"controllers": (Controller("argo", "a", "Strict", "v4.0.4"),)},
            EVERYBODY,
            "Strict, which does not hold: CVE-2026-42296, CVE-2026-54526",
        ),
        (
            {"controllers": (Controller("argo", "a", "Strict", "v4.0.6", ("serviceAccountName",)),)},
            EVERYBODY,
            "Strict, which does not hold: other fields are allowed",
        ),
    ],
)
def test_to_create_workflows_is_to_be_whom_the_controller_lets(more: dict, wanted: set[str], limit: str) -> None:
    found = reach([*NAMED, *right(ME, "create", "workflows", ARGO, space="a")], **{**GROUND, **TEMPLATES, **more})
    assert names(became(found)) == wanted
    (edge,) = hop_to(found, ME, X)
    assert edge.limit == limit  # the mitigation, or why it is none, stands on the edge


@pytest.mark.parametrize(("mode", "wanted"), [("Strict", EVERYBODY), ("Secure", {"a/x"})])
def test_strict_does_not_look_at_a_workflow_that_is_changed_later(mode: str, wanted: set[str]) -> None:
    controller = Controller("argo", "a", mode, "v4.0.6")
    more = {**GROUND, **TEMPLATES, "controllers": (controller,)}
    assert names(became(reach([*NAMED, *right(ME, "patch", "workflows", ARGO, space="a")], **more))) == wanted


def test_an_event_binding_names_a_template_and_no_more() -> None:
    rights = right(ME, "create", "workfloweventbindings", ARGO, space="a")
    assert names(became(reach([*NAMED, *rights], **{**GROUND, **TEMPLATES, "controllers": ()}))) == {"a/x"}


def test_a_cron_workflow_is_held_to_templates_too_and_a_template_to_nothing() -> None:
    crons, templates = (right(ME, "create", kind, ARGO, space="a") for kind in ("cronworkflows", "workflowtemplates"))
    assert names(became(reach([*NAMED, *crons], **GROUND, **TEMPLATES))) == {"a/x"}
    assert names(became(reach([*NAMED, *templates], **GROUND, **TEMPLATES))) == EVERYBODY


def test_an_admission_policy_is_named_and_takes_nothing_away() -> None:
    walls = (
        Wall("creates", (("CREATE", "", "pods"),), ("a",)),
        Wall("deletes", (("DELETE", "", "pods"),), ("a",)),
        Wall("elsewhere", (("CREATE", "", "pods"),), ("b",)),
        Wall("all", (("*", "*", "*/*"),)),
    )
    found = reach([*NAMED, *right(ME, "create", "pods", space="a")], **GROUND, walls=walls)
    (edge,) = hop_to(found, ME, X)
    assert edge.walls == ("creates", "all")


# ---- people


USER, GROUP = named("User", "you"), named("Group", "admins")
PEOPLE = [*right(USER, "get", "pods"), *right(GROUP, "get", "pods"), *NAMED]


def test_to_impersonate_a_group_takes_a_user_as_well() -> None:
    groups = right(ME, "impersonate", "groups")
    assert became(reach([*PEOPLE, *groups], **GROUND)) == set()
    user = right(ME, "impersonate", "users", names=["you"])
    assert became(reach([*PEOPLE, *user], **GROUND)) == {"User you"}
    first = right(ME, "impersonate", "serviceaccounts", space="a", names=["x"])
    for one, who in ((user, "User you"), (first, "ServiceAccount a/x")):
        found = reach([*PEOPLE, *groups, *one], **GROUND)
        assert {who, "Group admins", f"Group {MASTERS}"} <= became(found)
        assert found.chains(ME)[ADMIN].end.way == f"is in {MASTERS}"
        assert len(found.chains(ME)[ADMIN].hops) == 1


def test_to_impersonate_users_is_not_to_impersonate_service_accounts() -> None:
    found = reach([*PEOPLE, *right(ME, "impersonate", "users")], **GROUND)
    assert became(found) == {"User you"}


def test_a_user_with_the_name_of_an_account_is_that() -> None:
    assert named("User", "system:serviceaccount:a:x") == X
    assert named("User", "system:serviceaccount:a") == Who("User", "", "system:serviceaccount:a")


SIGNERS = "kubernetes.io/kube-apiserver-client"


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ((), True),
        ((SIGNERS,), True),
        (("kubernetes.io/*",), True),
        (("kubernetes.io/kubelet-serving",), False),
    ],
)
def test_a_certificate_is_approved_with_both_rights(names: tuple[str, ...], wanted: bool) -> None:
    approve = right(ME, "update", "certificatesigningrequests/approval", "certificates.k8s.io")
    signer = right(ME, "approve", "signers", "certificates.k8s.io", names=names)
    everybody = {"User you", "Group admins", "ServiceAccount a/x", "ServiceAccount b/other"}
    assert became(reach([*PEOPLE, *approve], **GROUND)) == set()
    assert became(reach([*PEOPLE, *signer], **GROUND)) == set()
    found = became(reach([*PEOPLE, *approve, *signer], **GROUND))
    assert (everybody <= found, f"Group {MASTERS}" in found) == (wanted, False)


def test_a_token_that_lies_in_a_secret() -> None:
    tokens = {"tokens": (("a", "x-token", "x"),)}
    for names, wanted in (((), {"a/x"}), (("x-token",), {"a/x"}), (("another",), set())):
        rights = right(ME, "get", "secrets", space="a", names=names)
        assert {
            one.removeprefix("ServiceAccount ") for one in became(reach([*NAMED, *rights], **GROUND, **tokens))
        } == (wanted)


# ---- roles and bindings


BIG = role("big", "create", "pods/exec", space="a")
BIGGER = role("bigger", "*", "*", "*")


@pytest.mark.parametrize(
    ("rights", "wanted"),
    [
        ([("bind", "roles"), ("create", "rolebindings")], RUNNING),
        ([("bind", "roles")], set()),
        ([("create", "rolebindings")], set()),
        ([("bind", "rolebindings"), ("create", "rolebindings")], set()),  # rbac-police's and checkov's mistake
        ([("escalate", "roles"), ("update", "roles")], EVERYBODY),  # its own role
        ([("escalate", "roles"), ("create", "roles")], set()),
        ([("escalate bind", "roles"), ("create", "roles rolebindings")], EVERYBODY),
        ([("escalate", "roles"), ("patch", "clusterroles")], set()),
    ],
)
def test_roles_and_bindings_of_a_namespace(rights: list[tuple[str, str]], wanted: set[str]) -> None:
    given = [item for verbs, resources in rights for item in right(ME, verbs, resources, RBAC, space="a")]
    assert names(became(reach([*NAMED, BIG, *given], **GROUND))) == wanted


@pytest.mark.parametrize(
    ("rights", "wanted"),
    [
        ([("bind", "clusterroles", ()), ("create", "clusterrolebindings", ())], True),
        ([("bind", "clusterroles", ("bigger",)), ("create", "clusterrolebindings", ())], True),
        ([("bind", "clusterroles", ("another",)), ("create", "clusterrolebindings", ())], False),
        ([("bind", "clusterroles", ()), ("update", "clusterrolebindings", ())], True),  # into one that is there
        ([("bind", "clusterroles", ()), ("update", "clusterrolebindings", ("another",))], False),
        ([("create", "clusterrolebindings", ())], False),
        ([("escalate update", "clusterroles", ())], True),
        ([("escalate update", "clusterroles", ("bigger",))], False),
    ],
)
def test_the_way_to_cluster_admin(rights: list[tuple[str, str, tuple[str, ...]]], wanted: bool) -> None:
    given = [item for verbs, what, names in rights for item in right(ME, verbs, what, RBAC, names=names)]
    theirs = right(named("User", "root"), "*", "*", "*")
    chains = reach([BIGGER, *theirs, *given], **GROUND).chains(ME)
    assert (ADMIN in chains) == wanted
    if wanted:
        assert [str(hop.to) for hop in chains[ADMIN].hops] == ["User me, with more rights"]


def test_what_is_gained_says_which_rights_it_took() -> None:
    make = right(ME, "create", "clusterrolebindings", RBAC)
    bind = right(ME, "bind", "clusterroles", RBAC)
    chain = reach([BIGGER, *make, *bind]).chains(ME)[ADMIN]
    (grant,) = chain.end.grants
    assert {step.name for step in grant.chain} == {"bigger", make[0].name, bind[0].name}
