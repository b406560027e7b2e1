"""Ten things that other scanners miss or imagine, each named after the one that does; here they are evaluated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kre.load.bundle import load
from kre.model.bundle import Bundle
from kre.model.resource import Resource
from kre.rbac.environment import world
from kre.rbac.evaluate import Policy, policy
from kre.rbac.identities import identities
from kre.rbac.model import Question, User
from kre.rbac.objects import GROUP, parse
from support.repository import Plan

ME = User("me")
RBAC = GROUP
Rule = tuple[str, str, str]


def rules(*found: Rule, **more: Any) -> list[dict[str, Any]]:
    """Rules of (groups, resources, verbs), words with blanks between; "core" is the core group."""
    return [
        {
            "apiGroups": ["" if group == "core" else group for group in groups.split()],
            "resources": resources.split(),
            "verbs": verbs.split(),
            **more,
        }
        for groups, resources, verbs in found
    ]


def role(entries: list[dict[str, Any]], kind: str = "ClusterRole", name: str = "r", namespace: str = "") -> Any:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return parse({"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, "rules": entries})


def bound(namespace: str = "", kind: str = "ClusterRole") -> Any:
    metadata = {"name": "b", **({"namespace": namespace} if namespace else {})}
    return parse(
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
            "metadata": metadata,
            "roleRef": {"kind": kind, "name": "r"},
            "subjects": [{"kind": "User", "name": "me"}],
        }
    )


def holding(entries: list[dict[str, Any]]) -> Policy:
    return policy([role(entries), bound()])


def test_checkov_ckv_k8s_49_reads_only_the_first_rule() -> None:
    known = holding(rules(("core", "pods", "get"), ("*", "*", "*")))
    assert known.allows(ME, Question("delete", "apps", "deployments", namespace="kube-system"))


@pytest.mark.parametrize("turned", [False, True])
def test_checkov_ckv2_k8s_is_silent_about_roles_of_more_than_one_rule(turned: bool) -> None:
    entries = rules(("core", "secrets", "get list"), ("core", "pods", "get"))
    assert holding(entries[::-1] if turned else entries).allows(ME, Question("list", "", "secrets"))


def test_checkov_ckv2_k8s_takes_any_group_for_the_core_group() -> None:
    known = holding(rules(("example.com", "*", "*")))
    assert not known.allows(ME, Question("get", "", "secrets", namespace="a"))
    assert known.allows(ME, Question("get", "example.com", "secrets", namespace="a"))


def test_checkov_mixes_overlays_up(tmp_path: Path) -> None:
    """A patch of prod's widens a role of the same name in prod, and nowhere else."""
    wide = "- op: add\n  path: /rules/-\n  value: {apiGroups: ['*'], resources: ['*'], verbs: ['*']}\n"
    root = Plan({"add": {"overlays/prod/leaves/responses/patches/wide.yaml": wide}}).build(tmp_path / "repository")
    kustomization = root / "overlays/prod/leaves/responses/kustomization.yaml"
    patch = "patches:\n- path: patches/wide.yaml\n  target: {kind: ClusterRole, name: kre-delete-pod}\n"
    kustomization.write_text(f"{kustomization.read_text()}\n{patch}")
    bundle = load(root)
    held = {}
    for name in ("dev", "prod"):
        known = world(bundle, name)
        (own,) = [item for item in known.policy.roles if item.name == "kre-delete-pod"]
        held[name] = any("*" in rule.verbs for rule in known.policy.rules(own))
    assert held == {"dev": False, "prod": True}


def test_checkov_k8s_157_and_rbac_police_look_for_bind_on_bindings() -> None:
    bind = Question("bind", RBAC, "clusterroles", name="cluster-admin")
    known = holding(rules((RBAC, "clusterroles", "bind"), (RBAC, "clusterrolebindings", "create")))
    assert known.allows(ME, bind)
    assert not holding(rules((RBAC, "clusterrolebindings rolebindings", "bind"))).allows(ME, bind)
    one = holding(rules((RBAC, "clusterroles", "bind"), resourceNames=["view"]))
    assert not one.allows(ME, bind)


def test_trivy_ksv_0051_takes_a_star_for_any_name() -> None:
    asked = Question("bind", RBAC, "roles", name="any", namespace="a")
    assert not holding(rules((RBAC, "roles", "bind"), resourceNames=["*"])).allows(ME, asked)
    assert holding(rules((RBAC, "roles", "bind"))).allows(ME, asked)
    groups = holding(rules(("core", "groups", "impersonate")))  # KSV-0043 wants apiGroups "*"
    assert groups.allows(ME, Question("impersonate", "", "groups", name="system:masters"))


def test_trivy_and_kube_linter_trip_over_resources_of_the_same_name() -> None:
    assert not holding(rules(("metrics.k8s.io", "pods", "get create"))).allows(ME, Question("create", "", "pods"))
    known = holding(rules(("core", "*/exec", "create")))
    assert known.allows(ME, Question("create", "", "pods", "exec", "web", "a"))
    assert not known.allows(ME, Question("create", "", "pods", "", "web", "a"))


def test_kube_linter_never_follows_a_rolebinding_to_a_clusterrole() -> None:
    known = policy([role(rules(("core", "secrets", "get"))), bound("a")])
    assert known.allows(ME, Question("get", "", "secrets", namespace="a"))
    assert not known.allows(ME, Question("get", "", "secrets", namespace="b"))


def test_kubescape_c_0272_ignores_the_kind_of_a_role_and_argo_s_kinds() -> None:
    both = [role(rules(("*", "*", "*"))), role(rules(("core", "pods", "get")), "Role", namespace="a")]
    known = policy([*both, bound("a", "Role")])
    assert known.allows(ME, Question("get", "", "pods", namespace="a"))
    assert not known.allows(ME, Question("get", "", "secrets", namespace="a"))
    found = {f"{one.namespace}/{one.name}" for one in named("Sensor", "EventSource", "WorkflowTemplate")}
    assert found == {"n/Sensor", "n/EventSource", "n/WorkflowTemplate"}


def test_checkov_argo_workflows_sees_files_that_begin_with_workflow() -> None:
    found = {one.name for one in named("CronWorkflow", "Workflow")}
    assert found == {"CronWorkflow", "Workflow"}


def named(*kinds: str) -> Any:
    """The identities of one object of each of these kinds, which runs as a ServiceAccount of its kind's name."""
    items = []
    for kind in kinds:
        inside: dict[str, Any] = {"serviceAccountName": kind}
        if kind in ("Sensor", "EventSource", "CronWorkflow"):
            inside = {"workflowSpec" if kind == "CronWorkflow" else "template": inside}
        body = {"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": "x"}, "spec": inside}
        items.append(Resource(body, "one-file.yaml", "one-file.yaml", namespace="n"))
    return identities(Bundle(root=Path()), items)
