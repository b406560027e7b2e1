"""Ten things that other scanners miss or imagine, each test named after the one that does.

What they get wrong stands in fixtures/rbac/peers; here `kre validate` says what it finds, and the evaluator what holds.
"""

from __future__ import annotations

from pathlib import Path

from kre.load.bundle import load
from kre.rbac.environment import world
from kre.rbac.evaluate import Policy
from kre.rbac.identities import identities
from kre.rbac.model import Question, User, account
from kre.rbac.objects import GROUP as RBAC
from kre.rules.run import validate
from support.repository import FIXTURES, Plan

PEERS = FIXTURES / "rbac/peers"
ME, WEB = User("me"), account("shop", "web")


def found(name: str) -> dict[str, set[int]]:
    """Rule -> the lines of a folder's only file of interest at which it finds something: errors and warnings."""
    lines: dict[str, set[int]] = {}
    for item in validate(load(PEERS / name)):
        lines.setdefault(item.rule, set()).add(item.place.line)
    return lines


def of_file(name: str, file: str) -> dict[str, int]:
    """Rule -> line, of one file."""
    return {item.rule: item.place.line for item in validate(load(PEERS / name)) if item.place.path == file}


def holds(name: str) -> Policy:
    return world(load(PEERS / name), None).policy


def test_1_checkov_ckv_k8s_49_reads_only_the_first_rule() -> None:
    assert found("01-checkov-first-rule") == {"R001": {9}}


def test_2_checkov_ckv2_k8s_is_silent_about_roles_of_more_than_one_rule() -> None:
    name = "02-checkov-more-rules"
    assert of_file(name, "secrets-first-clusterrole.yaml") == {"R006": 6}
    assert of_file(name, "secrets-last-clusterrole.yaml") == {"R006": 9}
    assert of_file(name, "many-clusterrole.yaml") == {"R006": 9, "R014": 12, "R021": 15, "R018": 18}


def test_3_checkov_ckv2_k8s_takes_any_group_for_the_core_group() -> None:
    name = "03-checkov-groups"
    assert found(name) == {"R002": {8}, "R003": {7}}  # that it is wide there, and nothing about Secrets or pods
    for verb, resource in (("get", "secrets"), ("create", "pods"), ("impersonate", "groups")):
        assert not holds(name).allows(ME, Question(verb, "", resource, namespace="a"))
    assert holds(name).allows(ME, Question("get", "example.com", "secrets", namespace="a"))


def test_4_checkov_joins_a_patch_of_one_overlay_to_the_bindings_of_all(tmp_path: Path) -> None:
    root = Plan.read(PEERS / "04-checkov-overlays/plan.yaml").build(tmp_path / "repository")
    bundle = load(root)
    wide = [item for item in validate(bundle) if item.rule == "R001"]
    assert [item.environments for item in wide] == [("prod",)]
    for name, may in (("dev", False), ("prod", True)):
        known = world(bundle, name).policy
        (role,) = [item for item in known.roles if item.name == "kre-delete-pod"]
        assert any("*" in rule.verbs for rule in known.rules(role)) is may
    responder = account("kre-responses", "delete-pod")
    assert not world(bundle, "dev").policy.allows(responder, Question("get", "", "secrets", namespace="shop"))


def test_5_checkov_k8s_157_and_rbac_police_bind_roles_look_for_bind_on_bindings() -> None:
    name = "05-checkov-rbac-police-bind"
    assert of_file(name, "binder-clusterrole.yaml") == {"R020": 6, "R022": 9}
    assert of_file(name, "nobinder-clusterrole.yaml") == {}


def test_6_trivy_ksv_0050_to_0055_and_kubiscan_want_stars_and_an_order() -> None:
    name = "06-trivy-order-and-stars"
    lines = {"E13": 4, "R020": 6, "R015": 9, "R021": 12, "R019": 15, "R022": 18, "R003": 22}
    assert of_file(name, "found-clusterrole.yaml") == lines
    assert of_file(name, "starred-role.yaml") == {"E11": 10}  # no such name, so nothing is granted
    any_role = Question("bind", RBAC, "roles", name="any", namespace="shop")
    assert not holds(name).allows(ME, any_role)


def test_7_trivy_and_kube_linter_trip_over_resources_of_the_same_name() -> None:
    name = "07-trivy-kube-linter-groups"
    assert of_file(name, "alike-clusterrole.yaml") == {}
    assert of_file(name, "exec-clusterrole.yaml") == {"R014": 6}
    assert not holds(name).allows(ME, Question("create", "", "pods", namespace="a"))
    assert not holds(name).allows(ME, Question("get", "", "secrets", namespace="a"))
    assert holds(name).allows(ME, Question("create", "", "pods", "exec", "web", "a"))


def test_8_kube_linter_never_follows_a_rolebinding_to_a_clusterrole() -> None:
    name = "08-kube-linter-clusterrole"
    (said,) = [item for item in validate(load(PEERS / name)) if item.rule.startswith("R")]
    assert (said.rule, said.place.path, said.place.line) == ("R007", "reader-clusterrole.yaml", 6)
    assert "ServiceAccount shop/web has it in shop" in said.message
    assert holds(name).allows(WEB, Question("get", "", "secrets", namespace="shop"))
    assert not holds(name).allows(WEB, Question("get", "", "secrets", namespace="other"))


def test_9_kubescape_c_0272_ignores_the_kind_of_a_role_and_c_0307_the_kinds_of_argo() -> None:
    name = "09-kubescape-role-kind"
    assert not holds(name).allows(WEB, Question("delete", "", "nodes"))
    assert holds(name).allows(WEB, Question("get", "", "configmaps", namespace="shop"))
    assert of_file(name, "alert-sensor.yaml")["X07"] == 9
    bundle = load(PEERS / name)
    running = {f"{one.namespace}/{one.name}" for one in identities(bundle, bundle.resources)}
    assert running == {"shop/web", "shop/wep"}


def test_10_checkov_argo_takes_whole_files_for_workflows_and_leaves_out_most_kinds() -> None:
    said = [item for item in validate(load(PEERS / "10-checkov-argo-files")) if item.severity == "error"]
    assert [(item.rule, item.place.line) for item in said] == [("R035", 2), ("R035", 24)]
    assert "CronWorkflow shop/nightly" in said[0].message
    assert "ClusterWorkflowTemplate everywhere" in said[1].message
