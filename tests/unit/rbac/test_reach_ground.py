"""What stands beside RBAC, read from objects and values: controllers, templates, tokens, admission policies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kre.load.bundle import load
from kre.rbac.reach.controllers import Controller, controllers
from kre.rbac.reach.floors import FLOORS, below
from kre.rbac.reach.ground import Ground, from_json, ground, to_json
from support.repository import PROJECT

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: argo, namespace: argocd}}
spec:
  destination: {{namespace: argo, server: https://kubernetes.default.svc}}
  sources:
  - repoURL: https://argoproj.github.io/argo-helm
    chart: argo-workflows
    targetRevision: 1.0.18
    helm: {{valueFiles: [{files}]}}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: workflow-controller, namespace: argo}}
spec:
  template:
    spec:
      containers:
      - name: other
        image: registry.example.com/other:v1
      - name: controller
        image: quay.io/argoproj/workflow-controller:{tag}
        args: {args}
        env: {env}
"""
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: workflow-controller-configmap, namespace: {namespace}}}
data:
  {key}: |
    {text}
"""


def stand(folder: Path, **files: str) -> Ground:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    bundle = load(folder)
    return ground(bundle, bundle.resources)


def deployed(tag: str = "v4.0.6", args: str = "[]", env: str = "[]") -> str:
    return DEPLOYMENT.format(tag=tag, args=args, env=env)


@pytest.mark.parametrize(
    ("key", "text", "mode"),
    [
        ("workflowRestrictions", "templateReferencing: Strict", "Strict"),
        ("config", "workflowRestrictions: {templateReferencing: Secure}", "Secure"),
        ("config", "parallelism: 5", ""),
        ("workflowRestrictions", "templateReferencing: [", ""),
    ],
)
def test_a_deployment_has_its_mode_from_its_configmap(tmp_path: Path, key: str, text: str, mode: str) -> None:
    config = CONFIG.format(namespace="argo", key=key, text=text)
    (found,) = stand(tmp_path, controller=deployed(), config=config).controllers
    assert (found.namespace, found.mode, found.version) == ("argo", mode, "v4.0.6")
    elsewhere = CONFIG.format(namespace="other", key="workflowRestrictions", text="templateReferencing: Strict")
    (found,) = stand(tmp_path, controller=deployed(), config=elsewhere).controllers
    assert found.mode == ""


@pytest.mark.parametrize(
    ("args", "managed"),
    [
        ("[]", ""),
        ("[--namespaced]", "argo"),
        ("[--namespaced, --managed-namespace, flows]", "flows"),
        ("[--managed-namespace=flows]", "flows"),
    ],
)
def test_the_namespace_that_it_manages(tmp_path: Path, args: str, managed: str) -> None:
    (found,) = stand(tmp_path, controller=deployed(args=args)).controllers
    assert found.managed == managed
    assert [found.manages(space) for space in ("argo", "flows", "x")] == [
        managed in ("", space) for space in ("argo", "flows", "x")
    ]


def test_fields_that_it_lets_through(tmp_path: Path) -> None:
    env = '[{name: WORKFLOW_USER_OVERRIDE_ALLOWLIST, value: "priority, serviceAccountName"}]'
    (found,) = stand(tmp_path, controller=deployed(env=env)).controllers
    assert found.overrides == ("priority", "serviceAccountName")


def test_the_bundle_itself() -> None:
    bundle = load(PROJECT)
    for environment in bundle.environments:
        known = ground(bundle, tuple(bundle.of(environment.name)))
        (found,) = known.controllers
        assert (found.namespace, found.managed, found.mode) == ("argo-workflows", "kre-responses", "Strict")
        assert found.version == "v4.0.6"
        assert found.mode_place.path.endswith("argo-workflows/values.yaml")
        assert found.version_place.path.endswith("argo-workflows/crds-application.yaml")
        assert known.holds("kre-responses")
        assert not known.holds("kre-pipeline")
        assert known.argocd == {"argocd"}
        assert {"kre-pipeline", "kre-responses", "argo-events", "argo-workflows", "falco"} <= known.engine
        assert not known.loose
        assert {wall.name for wall in known.walls} >= {"kre-engine-workflows", "kre-engine-approve"}
        assert from_json(json.loads(json.dumps(to_json(known)))) == known


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({}, Controller("argo-workflows")),
        ({"singleNamespace": True}, Controller("argo-workflows", "argo-workflows")),
        ({"images": {"tag": "v4.0.1"}}, Controller("argo-workflows", version="v4.0.1")),
        (
            {"images": {"tag": "v4.0.1"}, "controller": {"image": {"tag": "v3.7.15"}}},
            Controller("argo-workflows", version="v3.7.15"),
        ),
        (
            {"controller": {"clusterWorkflowTemplates": {"enabled": False}, "extraArgs": ["--namespaced"]}},
            Controller("argo-workflows", "argo-workflows", cluster_templates=False),
        ),
        (
            {"controller": {"workflowRestrictions": {"templateReferencing": "Secure"}}},
            Controller("argo-workflows", mode="Secure"),
        ),
    ],
)
def test_a_chart_has_it_from_its_values(tmp_path: Path, values: dict[str, Any], wanted: Controller) -> None:
    bundle = load(PROJECT)
    source = bundle.sources["base/argo-workflows/values.yaml"]
    object.__setattr__(source.documents[0], "value", values)
    (application,) = [item for item in bundle.of("dev", "Application") if item.name == "dev-argo-workflows"]
    (found,) = controllers(bundle, [application])
    fields = ("namespace", "managed", "mode", "version", "overrides", "cluster_templates")
    assert [getattr(found, field) for field in fields] == [getattr(wanted, field) for field in fields]


TEMPLATE = """\
apiVersion: argoproj.io/v1alpha1
kind: {kind}
metadata: {{name: t, namespace: flows}}
spec:
  serviceAccountName: {name}
  podSpecPatch: '{patch}'
"""


@pytest.mark.parametrize(
    ("kind", "name", "patch", "loose"),
    [
        ("WorkflowTemplate", "worker", "", set()),
        ("WorkflowTemplate", "'{{workflow.parameters.who}}'", "", {"flows"}),
        ("WorkflowTemplate", "worker", '{"serviceAccountName": "{{workflow.parameters.who}}"}', {"flows"}),
        ("WorkflowTemplate", "worker", "{{workflow.parameters.patch}}", {"flows"}),
        ("WorkflowTemplate", "worker", '{"serviceAccountName": "other"}', set()),
    ],
)
def test_whom_templates_run_as(tmp_path: Path, kind: str, name: str, patch: str, loose: set[str]) -> None:
    known = stand(tmp_path, template=TEMPLATE.format(kind=kind, name=name, patch=patch))
    assert known.loose == loose
    if not loose:
        assert known.named == {("flows", "worker"), *([("flows", "other")] if patch else [])}


POLICY = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: p}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods, "pods/*"]}
"""
BOUND = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: p}}
spec:
  policyName: p
  validationActions: [{action}]
  matchResources: {{namespaceSelector: {selector}}}
"""


@pytest.mark.parametrize(
    ("action", "selector", "wanted"),
    [
        ("Deny", "{}", [()]),
        ("Audit", "{}", []),
        ("Deny", "{matchLabels: {kubernetes.io/metadata.name: a}}", [("a",)]),
        (
            "Deny",
            "{matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [b, a]}]}",
            [("a", "b")],
        ),
        ("Deny", "{matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [a]}]}", [()]),
    ],
)
def test_a_policy_counts_where_it_is_bound_and_denies(
    tmp_path: Path, action: str, selector: str, wanted: list[tuple[str, ...]]
) -> None:
    known = stand(tmp_path, policy=POLICY, binding=BOUND.format(action=action, selector=selector))
    assert [wall.namespaces for wall in known.walls] == wanted
    for wall in known.walls:
        assert wall.about("create", "", "pods", "a")
        assert not wall.about("delete", "", "pods", "a")
        assert not wall.about("create", "apps", "pods", "a")
        assert not wall.about("create", "", "pods/exec", "a")  # that is a CONNECT


def test_a_secret_with_a_token_and_a_guarded_namespace(tmp_path: Path) -> None:
    known = stand(
        tmp_path,
        secret="apiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata:\n  name: t\n"
        "  namespace: a\n  annotations: {kubernetes.io/service-account.name: x}\n",
        guarded="apiVersion: v1\nkind: Namespace\n"
        "metadata: {name: a, labels: {pod-security.kubernetes.io/enforce: baseline}}\n",
        warned="apiVersion: v1\nkind: Namespace\n"
        "metadata: {name: b, labels: {pod-security.kubernetes.io/warn: baseline}}\n",
    )
    assert known.tokens == (("a", "t", "x"),)
    assert known.guarded == {"a"}


@pytest.mark.parametrize(
    ("version", "count"),
    [
        ("v4.0.6", 0), ("v4.0.5", 1), ("v4.0.4", 3), ("v4.0.1", 4), ("v3.7.15", 0), ("v3.7.14", 1), ("v3.6.2", 4),
        ("v2.12.0", 4), ("v5.0.0", 0), ("4.0.6", 0), ("v4.0.6-rc1", 1), ("latest", 0), ("", 0),
    ],
)  # fmt: skip
def test_the_floors_of_versions(version: str, count: int) -> None:
    assert len(below(version)) == count
    assert Controller("argo", mode="Strict", version=version).holds() == (not any(f.opens for f in below(version)))


def test_the_table_of_floors_is_in_order() -> None:
    assert [floor.published for floor in FLOORS] == sorted(floor.published for floor in FLOORS)
    assert all(set(floor.fixed) == {3, 4} for floor in FLOORS)
