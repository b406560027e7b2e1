"""A budget follows targets and responses by itself, and nothing else: what it does not list is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from support.cli import kre
from support.comparing import copy
from support.layout import build, state

BUDGET = "overlays/{}/rbac-budget.yaml"
BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: kre-delete-pod
  namespace: {namespace}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kre-delete-pod}}
subjects:
- {{kind: ServiceAccount, name: delete-pod, namespace: kre-responses}}
"""


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    root = build(tmp_path / "engine")
    assert kre("rbac", "budget", "--write", cwd=root).code == 0
    return root


def over(root: Path) -> list[str]:
    """What E02 says of the repository, errors and warnings."""
    found = json.loads(kre("validate", "--format", "json", cwd=root).out)
    assert found["checked"]["objects"] > 5
    return [item["message"] for item in found["findings"] if item["rule"] == "E02"]


def bind(root: Path, namespace: str) -> None:
    """delete-pod gets its rights in one more namespace of dev, beside the targets."""
    leaf = root / "overlays/dev/leaves/responses"
    (leaf / "more-rolebinding.yaml").write_text(BINDING.format(namespace=namespace))
    text = (leaf / "kustomization.yaml").read_text()
    (leaf / "kustomization.yaml").write_text(text.replace("resources:\n", "resources:\n- more-rolebinding.yaml\n", 1))


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_targets_come_and_go_within_the_budget(engine: Path, env: str) -> None:
    assert kre("response", "enable", "delete-pod", "--env", env, cwd=engine).code == 0
    before = (engine / BUDGET.format(env)).read_bytes()
    assert b"in: <targets>" in before
    for command in (("add", "shop"), ("add", "bank"), ("remove", "shop")):
        assert kre("target", *command, "--env", env, cwd=engine).code == 0
        assert over(engine) == []
        assert (engine / BUDGET.format(env)).read_bytes() == before


@pytest.mark.parametrize("namespace", ["kube-system", "kre-pipeline", "other"])
def test_a_binding_beside_the_targets_is_refused(engine: Path, namespace: str) -> None:
    kre("target", "add", "shop", "--env", "dev", cwd=engine)
    bind(engine, namespace)
    says = f"ServiceAccount kre-responses/delete-pod may get pods in {namespace}, which the budget of dev does not list"
    assert over(engine) == [says]


def test_a_protected_namespace_is_no_target_whatever_the_facts_say(engine: Path) -> None:
    bind(engine, "kube-system")
    facts = engine / "overlays/dev/environment/environment.yaml"
    facts.write_text(facts.read_text().replace("targets: []", "targets: [kube-system]"))
    assert any("in kube-system, which the budget of dev does not list" in text for text in over(engine))


def test_a_response_brings_its_rights_and_takes_them_away(engine: Path) -> None:
    before = state(engine)
    enabled = kre("response", "enable", "isolate-pod", "--env", "prod", cwd=engine)
    assert f"read what it may do in {BUDGET.format('prod')}" in enabled.out
    assert over(engine) == []
    named = {item["name"]: item for item in yaml.safe_load((engine / BUDGET.format("prod")).read_text())["identities"]}
    assert [rule["in"] for rule in named["ServiceAccount kre-responses/isolate-pod"]["rules"]] == ["<targets>"]
    again = kre("response", "enable", "isolate-pod", "--env", "prod", cwd=engine)
    assert (again.code, "rbac-budget" in again.out) == (0, False)
    kre("response", "disable", "isolate-pod", "--env", "prod", cwd=engine)
    assert state(engine) == before


def test_the_fast_lane_s_rights_are_the_dispatcher_s(tmp_path: Path) -> None:
    """Listed before there is a target, so that the first one stays within the budget; and gone with the response."""
    engine = copy(tmp_path / "repository")
    before = state(engine)
    kre("response", "enable", "isolate-pod", "--env", "staging", cwd=engine)
    named = {
        item["name"]: item for item in yaml.safe_load((engine / BUDGET.format("staging")).read_text())["identities"]
    }
    assert {"in": "<targets>", "apiGroups": [""], "resources": ["pods"], "verbs": ["list", "patch"]} in named[
        "ServiceAccount kre-pipeline/dispatcher"
    ]["rules"]
    kre("target", "add", "shop", "--env", "staging", cwd=engine)
    assert over(engine) == []
    kre("target", "remove", "shop", "--env", "staging", cwd=engine)
    kre("response", "disable", "isolate-pod", "--env", "staging", cwd=engine)
    assert state(engine) == before


def test_without_a_budget_none_is_made(tmp_path: Path) -> None:
    root = build(tmp_path / "engine")
    assert "rbac-budget" not in kre("response", "enable", "isolate-pod", "--env", "prod", cwd=root).out
    assert not (root / BUDGET.format("prod")).exists()


def test_a_role_that_gives_more_than_was_listed_is_refused_before_there_is_a_target(engine: Path) -> None:
    role = engine / "base/responses/options/delete-pod/kre-delete-pod-clusterrole.yaml"
    role.write_text(role.read_text().replace("verbs: [get]", "verbs: [get, delete]"))
    says = "ServiceAccount kre-responses/delete-pod may delete pods in <targets>, which the budget of dev does not list"
    assert over(engine) == [says]


def test_reasons_stay_when_a_budget_is_drafted_anew(engine: Path) -> None:
    path = engine / BUDGET.format("dev")
    text = path.read_text().replace("verbs: [get]\n", "verbs: [get]\n    reason: 'who it is: for the record'\n", 1)
    path.write_text(text)
    assert kre("rbac", "budget", "--env", "dev", "--write", cwd=engine).code == 0
    assert 'reason: "who it is: for the record"' in path.read_text()
    assert yaml.safe_load(path.read_text()) == yaml.safe_load(text)
