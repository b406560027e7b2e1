"""Every way in which one pull request could make prod less safe, each by another file: all are noticed and refused.

prod runs delete-pod on target shop there, as it would once somebody uses it.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from kre.load.bundle import load
from kre.load.source import parse
from kre.model.bundle import Bundle
from kre.model.source import Source
from support.comparing import (
    FACTS,
    LEAF,
    PROD,
    Edit,
    add,
    all_of,
    compared,
    copy,
    kinds,
    patch,
    patches_entry,
    put,
    refusals,
    resource,
    stage,
    swap,
)

SENSOR = "apiVersion: argoproj.io/v1alpha1\nkind: Sensor\nmetadata: {name: delete-pod, namespace: kre-pipeline}\n"
SOURCE = "apiVersion: argoproj.io/v1alpha1\nkind: EventSource\nmetadata: {name: falco, namespace: kre-pipeline}\n"
BUS = "apiVersion: argoproj.io/v1alpha1\nkind: EventBus\nmetadata: {name: default, namespace: kre-pipeline}\n"
DISPATCHER = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: dispatcher, namespace: kre-pipeline}\n"
POLICY = (
    "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: kre-engine-never}\n"
)
BINDING = POLICY.replace("AdmissionPolicy\n", "AdmissionPolicyBinding\n")
NETWORK = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: %s, namespace: kre-pipeline}\n"
RBAC = "apiVersion: rbac.authorization.k8s.io/v1\n"
GONE = "$patch: delete\n"
FALCO = f"{PROD}/values/falco.yaml"
SIDEKICK = f"{PROD}/values/falcosidekick.yaml"
APPLICATION = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: pipeline, namespace: argocd}\n"


def both(key: str, value: str) -> Edit:
    """A patch of the settings of both namespaces."""
    text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: %s}\ndata: {%s: "%s"}\n'
    return all_of(*(patch(text % (space, key, value)) for space in ("kre-pipeline", "kre-responses")))


def op(kind: str, name: str, text: str, leaf: str = "responses") -> Edit:
    """A JSON patch of one object in a leaf of prod."""
    entry = f"- target: {{kind: {kind}, name: {name}}}\n  patch: |-\n    {json.dumps(yaml.safe_load(text))}\n"
    return patches_entry(entry, leaf)


def root_patch(text: str) -> Edit:
    """A patch of the Applications."""
    indented = "".join(f"    {line}\n" for line in text.strip("\n").splitlines())
    return add(f"{PROD}/kustomization.yaml", f"patches:\n- patch: |-\n{indented}")


WAYS: dict[str, tuple[Edit, dict[str, str]]] = {
    # ---- environment facts
    "facts: mode": (swap(FACTS, "mode: observe", "mode: enforce"), {"mode-changed": "from observe to enforce"}),
    "facts: a target": (
        all_of(swap(FACTS, "- shop\n", "- shop\n  - till\n"), swap(FACTS, "^(shop)$", "^(shop|till)$")),
        {"targets-widened": "namespace till becomes a target", "detection-gap": "alerts are lost while it changes"},
    ),
    "facts: a pattern alone": (swap(FACTS, "^(shop)$", ".*"), {"targets-widened": "whatever .* does"}),
    "facts: another repository": (
        swap(FACTS, "https://github.com/example/kre.git", "https://github.com/eve/kre.git"),
        {"delivery-changed": "eve/kre.git", "project-widened": "sourceRepos now has https://github.com/eve/kre.git"},
    ),
    "facts: another revision": (swap(FACTS, "revision: main", "revision: eve"), {"delivery-changed": "to eve"}),
    "facts: another chart repository": (
        swap(FACTS, "https://falcosecurity.github.io/charts", "https://charts.example.com"),
        {"delivery-changed": "to https://charts.example.com"},
    ),
    "facts: another cluster": (
        swap(FACTS, "server: https://kubernetes.default.svc", "server: https://10.0.0.1"),
        {"delivery-changed": "the cluster is another", "targets-widened": "10.0.0.1"},
    ),
    "facts: what they fill in": (
        all_of(
            swap(f"{PROD}/environment/kustomization.yaml", "fieldPath: spec.mode", "fieldPath: metadata.name"),
            swap(FACTS, "  name: prod\n  annotations", "  name: enforce\n  annotations"),
        ),
        {"mode-changed": "to enforce"},
    ),
    # ---- settings
    "settings: a mode of one response": (
        both("delete-pod.mode", "enforce"),
        {"mode-changed": "delete-pod.mode is set"},
    ),
    "settings: targets of one response": (both("delete-pod.targets", "^(shop|vault)$"), {"targets-widened": "vault"}),
    "settings: a lane": (both("delete-pod.lane", "label"), {"mode-changed": "from workflow to label"}),
    "settings: owners": (both("protected-owners", ""), {"protected-loosened": "protected-owners goes from DaemonSet"}),
    "settings: the cap": (both("cap", "2000"), {"protected-loosened": "cap goes from 20 to 2000"}),
    "settings: what must be left": (both("min-healthy", "0"), {"protected-loosened": "min-healthy goes from 1 to 0"}),
    "settings: the window": (both("window", "1"), {"protected-loosened": "window goes from 600 to 1"}),
    "settings: old alerts": (both("max-age", "1"), {"detection-gap": "older alerts are dropped"}),
    # ---- rights
    "rights: a binding": (
        resource(
            "responses",
            "more-clusterrolebinding.yaml",
            f"{RBAC}kind: ClusterRoleBinding\nmetadata: {{name: more}}\n"
            "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n"
            "subjects: [{kind: ServiceAccount, name: sensor, namespace: kre-pipeline}]\n",
        ),
        {"rbac-widened": "kre-pipeline/sensor may do whatever ClusterRole cluster-admin allows in every namespace"},
    ),
    "rights: a rule": (
        op(
            "ClusterRole",
            "kre-delete-pod",
            '[{op: add, path: /rules/-, value: {apiGroups: [""], resources: [secrets], verbs: [get]}}]',
        ),
        {"rbac-widened": "kre-responses/delete-pod may get secrets in shop"},
    ),
    "rights: another subject": (
        swap(
            f"{PROD}/leaves/targets/shop/kre-delete-pod-rolebinding.yaml",
            "namespace: kre-responses",
            "namespace: kre-responses\n- kind: Group\n  apiGroup: rbac.authorization.k8s.io\n  name: everyone",
        ),
        {"rbac-widened": "Group everyone may"},
    ),
    "rights: another role": (
        swap(
            f"{PROD}/leaves/targets/shop/kre-dispatcher-rolebinding.yaml",
            "name: kre-dispatcher\nsub",
            "name: admin\nsub",
        ),
        {"rbac-widened": "whatever ClusterRole admin allows in shop"},
    ),
    "rights: an identity of the cloud": (
        patch(
            "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: delete-pod\n  namespace: kre-responses\n"
            "  annotations: {eks.amazonaws.com/role-arn: root}\n"
        ),
        {"rbac-widened": "act as eks.amazonaws.com/role-arn=root"},
    ),
    # ---- authentication
    "webhook: no token": (
        patch(f"{SOURCE}spec: {{webhook: {{alerts: {{authSecret: null}}}}}}\n", "pipeline"),
        {"authentication-weaker": "authSecret is taken away"},
    ),
    "webhook: another token": (
        patch(f"{SOURCE}spec: {{webhook: {{alerts: {{authSecret: {{name: other}}}}}}}}\n", "pipeline"),
        {"authentication-weaker": "authSecret.name goes from"},
    ),
    "webhook: a second way in": (
        patch(
            f"{SOURCE}spec: {{webhook: {{open: {{port: '12001', endpoint: /x, method: POST}}}}}}\n",
            "pipeline",
        ),
        {"authentication-weaker": "a way in without a token: open"},
    ),
    "webhook: another address": (
        patch(f"{SOURCE}spec: {{webhook: {{alerts: {{endpoint: /x}}}}}}\n", "pipeline"),
        {"detection-gap": "endpoint goes from /falco to /x"},
    ),
    "sensor: no token": (
        op("Sensor", "delete-pod", "[{op: remove, path: /spec/triggers/0/template/http/secureHeaders}]"),
        {"authentication-weaker": "shows another token, or none"},
    ),
    "token: one that never expires": (
        resource(
            "responses",
            "x.token-secret.yaml",
            "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata:\n  name: x.token\n"
            "  namespace: kre-responses\n  annotations: {kubernetes.io/service-account.name: delete-pod}\n",
        ),
        {"authentication-weaker": "never expires"},
    ),
    # ---- network
    "network: gone": (
        patch(f"{GONE}{NETWORK % 'eventsource'}", "pipeline"),
        {"network-widened": "this policy is gone"},
    ),
    "network: from anywhere": (
        op("NetworkPolicy", "eventsource", "[{op: remove, path: /spec/ingress/0/from}]", "pipeline"),
        {"network-widened": "ingress rule 1 lets more through"},
    ),
    "network: a new one that allows": (
        resource(
            "pipeline",
            "open-networkpolicy.yaml",
            f"{NETWORK % 'open'}spec: {{podSelector: {{}}, policyTypes: [Ingress], ingress: [{{}}]}}\n",
        ),
        {"network-widened": "policies add up"},
    ),
    "network: not for ingress any more": (
        op("NetworkPolicy", "dispatcher", "[{op: remove, path: /spec/policyTypes/0}]"),
        {"network-widened": "is taken away (was Ingress)"},
    ),
    "network: nobody gets through": (
        op("NetworkPolicy", "eventsource", "[{op: replace, path: /spec/ingress, value: []}]", "pipeline"),
        {"detection-gap": "lets less through"},
    ),
    "network: the dispatcher's address": (
        op("Service", "dispatcher", "[{op: add, path: /spec/type, value: LoadBalancer}]"),
        {"network-widened": "LoadBalancer"},
    ),
    "network: another behind the address": (
        op("Service", "dispatcher", "[{op: replace, path: /spec/selector, value: {app: eve}}]"),
        {"network-widened": "selector"},
    ),
    # ---- admission
    "admission: gone": (patch(f"{GONE}{POLICY}"), {"admission-loosened": "this policy is gone"}),
    "admission: only a warning": (
        patch(f"{BINDING}spec: {{validationActions: [Warn]}}\n"),
        {"admission-loosened": "from Deny to Warn"},
    ),
    "admission: ignores faults": (
        patch(f"{POLICY}spec: {{failurePolicy: Ignore}}\n"),
        {"admission-loosened": "Ignore"},
    ),
    "admission: a condition": (
        op(
            "ValidatingAdmissionPolicy",
            "kre-engine-never",
            "[{op: add, path: /spec/matchConditions/-, value: {name: x, expression: 'false'}}]",
        ),
        {"admission-loosened": "matchConditions[x]"},
    ),
    "admission: the root's": (
        swap("apps/prod/kre-prod-root-validatingadmissionpolicy.yaml", 'project == "kre-prod"', 'project != ""'),
        {"admission-loosened": "validations[0].expression"},
    ),
    # ---- the way of an alert
    "bus: streamConfig": (
        patch(f"{BUS}spec: {{jetstream: {{streamConfig: 'maxAge: 1h'}}}}\n", "pipeline"),
        {"stream-config": "write-once"},
    ),
    "bus: not kept": (
        swap(
            f"{PROD}/leaves/pipeline/kustomization.yaml",
            "patches:\n- path: patches/default-eventbus-persistence-patch.yaml\n",
            "",
        ),
        {"detection-gap": "persistence is taken away"},
    ),
    "bus: another": (
        op("EventBus", "default", "[{op: replace, path: /spec, value: {nats: {native: {}}}}]", "pipeline"),
        {"stream-config": "another bus"},
    ),
    "sensor: filters": (
        op("Sensor", "delete-pod", "[{op: replace, path: /spec/dependencies/0/filters/data/1/value/0, value: x}]"),
        {"detection-gap": "filters.data[1].value[0]"},
    ),
    "sensor: posts elsewhere": (
        op("Sensor", "delete-pod", "[{op: replace, path: /spec/triggers/0/template/http/url, value: 'http://x'}]"),
        {"detection-gap": "url goes from"},
    ),
    "sensor: gone": (patch(f"{GONE}{SENSOR}"), {"detection-gap": "this Sensor is gone"}),
    "response: disabled": (
        swap(LEAF, "- ../../release/responses/options/delete-pod\n", ""),
        {"detection-gap": "this Sensor is gone"},
    ),
    "application: gone": (
        swap(f"{PROD}/kustomization.yaml", "- release/falco\n", ""),
        {"detection-gap": "this Application is gone"},
    ),
    "nobody decides": (patch(f"{DISPATCHER}spec: {{replicas: 0}}\n"), {"detection-gap": "replicas goes from 2 to 0"}),
    # ---- what runs
    "workload: another image": (
        op("Deployment", "dispatcher", "[{op: replace, path: /spec/template/spec/containers/0/image, value: eve}]"),
        {"workload-changed": "to eve"},
    ),
    "workload: another command": (
        op("Deployment", "dispatcher", "[{op: replace, path: /spec/template/spec/containers/0/command, value: [x]}]"),
        {"workload-changed": "command"},
    ),
    "workload: root": (
        op("Deployment", "dispatcher", "[{op: remove, path: /spec/template/spec/securityContext}]"),
        {"workload-changed": "securityContext is taken away"},
    ),
    "workload: no approval": (
        op("WorkflowTemplate", "delete-pod", "[{op: remove, path: /spec/templates/0/steps/0}]"),
        {"workload-changed": "steps"},
    ),
    "workload: another code": (
        patch(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: responder-code, namespace: kre-responses}\n"
            "data: {guard.py: 'x = 1'}\n"
        ),
        {"workload-changed": "guard.py is not the file of the release"},
    ),
    "workload: another file of code": (
        all_of(
            put(f"{PROD}/leaves/responses/guard.py", "x = 1\n"),
            add(
                LEAF,
                "configMapGenerator:\n- name: responder-code\n  namespace: kre-responses\n  behavior: merge\n"
                "  files: [guard.py]\n",
            ),
        ),
        {"workload-changed": "guard.py is not the file of the release"},
    ),
    "workload: one of its own": (
        resource(
            "responses",
            "miner-deployment.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: miner, namespace: kre-pipeline}\n"
            "spec: {template: {spec: {containers: [{name: m, image: 'eve:1'}]}}}\n",
        ),
        {"workload-changed": "a Deployment that is in no release"},
    ),
    "workload: pods of any kind": (
        patch(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: kre-responses\n"
            "  labels: {pod-security.kubernetes.io/enforce: privileged}\n",
            "argo-workflows",
        ),
        {"workload-changed": "pod-security.kubernetes.io/enforce"},
    ),
    "quota": (
        op("ResourceQuota", "kre-responses", "[{op: remove, path: /spec/hard}]"),
        {"protected-loosened": "spec.hard"},
    ),
    # ---- what Argo CD applies
    "application: by hand": (
        root_patch(f"{APPLICATION}spec: {{syncPolicy: {{automated: null}}}}\n"),
        {"delivery-changed": "syncPolicy.automated is taken away"},
    ),
    "application: another folder": (
        root_patch(f"{APPLICATION}spec: {{source: {{path: overlays/staging/leaves/pipeline}}}}\n"),
        {"delivery-changed": "overlays/staging"},
    ),
    "application: another project": (
        root_patch(f"{APPLICATION}spec: {{project: default}}\n"),
        {"delivery-changed": "to default"},
    ),
    "object: not kept in order": (
        patch(f"{POLICY.replace('}', ', annotations: {argocd.argoproj.io/compare-options: IgnoreExtraneous}}')}"),
        {"delivery-changed": "argocd.argoproj.io/compare-options"},
    ),
    "project: more kinds": (
        add("apps/prod/kre-prod-appproject.yaml", '  - {group: "*", kind: "*"}\n'),
        {"project-widened": "namespaceResourceWhitelist"},
    ),
    "project: more places": (
        swap(
            "apps/prod/kre-prod-appproject.yaml",
            "namespace: kre-responses}",
            "namespace: kre-responses}\n  - {server: '*', namespace: '*'}",
        ),
        {"targets-widened": "destinations now has"},
    ),
    # ---- values
    "values: alerts of the highest kind only": (
        put(SIDEKICK, "config: {webhook: {minimumpriority: emergency}}\n"),
        {"detection-gap": "config.webhook.minimumpriority goes from notice to emergency"},
    ),
    "values: alerts to somebody else": (
        put(SIDEKICK, "config: {webhook: {address: http://eve.example}}\n"),
        {"detection-gap": "config.webhook.address"},
    ),
    "values: another token": (
        put(SIDEKICK, "config: {existingSecret: x}\n"),
        {"authentication-weaker": "existingSecret"},
    ),
    "values: rules": (
        put(FALCO, "customRules: {x.yaml: '- {rule: x, enabled: false}'}\n"),
        {"detection-gap": "customRules"},
    ),
    "values: fewer nodes": (put(FALCO, "nodeSelector: {falco: please}\n"), {"detection-gap": "nodeSelector"}),
    "values: none of it": (put(SIDEKICK, "replicaCount: 0\n"), {"detection-gap": "replicaCount goes from 2 to 0"}),
    "values: rights": (
        put(f"{PROD}/values/argo-events.yaml", "controller: {rbac: {namespaced: false}}\n"),
        {"rbac-widened": "controller.rbac"},
    ),
    "values: an image": (
        put(f"{PROD}/values/argo-workflows.yaml", "executor: {image: {repository: eve}}\n"),
        {"workload-changed": "executor.image"},
    ),
    "values: what nobody knows": (
        put(f"{PROD}/values/argo-workflows.yaml", "controller: {workflowDefaults: {spec: {}}}\n"),
        {"values-changed": "workflowDefaults"},
    ),
    "values: another file": (
        root_patch(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: falco, namespace: argocd}\n"
            "spec: {syncPolicy: {managedNamespaceMetadata: {labels: {a: b}}}}\n"
        ),
        {"delivery-changed": "managedNamespaceMetadata"},
    ),
    # ---- policy
    "policy: no soak": (
        swap("overlays/environments.yaml", "soak: 24h", "soak: 0h"),
        {"policy-loosened": "gates.soak goes from 24h to 0h"},
    ),
    "policy: no gate": (
        swap("overlays/environments.yaml", "    policy: true\n", ""),
        {"policy-loosened": "gates.policy"},
    ),
    "policy: from dev": (
        swap("overlays/environments.yaml", "from: staging", "from: dev"),
        {"policy-loosened": "from goes from staging to dev"},
    ),
    "policy: from nowhere": (
        swap("overlays/environments.yaml", "  from: staging\n", ""),
        {"policy-loosened": "from is taken away"},
    ),
    "policy: what may be promoted": (
        swap("overlays/environments.yaml", '"**/values/**"', ""),
        {"policy-loosened": "promote.forbid"},
    ),
    "policy: units": (
        swap("overlays/environments.yaml", "[pipeline, responses]", "[pipeline]"),
        {"policy-loosened": "promote.units.engine"},
    ),
    "exceptions": (
        all_of(
            swap("kre.yaml", "images: []", "images:\n- {image: 'eve:1', reason: x}"),
            op(
                "Deployment",
                "dispatcher",
                "[{op: replace, path: /spec/template/spec/containers/0/image, value: 'eve:1'}]",
            ),
        ),
        {"policy-loosened": "kre.yaml excepts image eve:1", "workload-changed": "to eve:1"},
    ),
    "exceptions: a kind": (
        all_of(
            swap("kre.yaml", "kinds:", "kinds:\n- {kind: x.example/v1/Backdoor, reason: x}\nkinds2:"),
            resource("responses", "x-backdoor.yaml", "apiVersion: x.example/v1\nkind: Backdoor\nmetadata: {name: x}\n"),
        ),
        {"policy-loosened": "kre.yaml excepts kind x.example/v1/Backdoor"},
    ),
}


POLICY_FILE = "overlays/environments.yaml"


def policy(root: Path, more: str) -> Source:
    """The policy of a repository, with a line more."""
    return parse(POLICY_FILE, (root / POLICY_FILE).read_bytes() + more.encode())


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Bundle]:
    """The repository before, and its Bundle."""
    root = stage(tmp_path_factory.mktemp("ways") / "repository")
    return root, load(root, ["prod"])


@pytest.fixture
def change(base: tuple[Path, Bundle], tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(base[0], tmp_path / "repository"))


@pytest.mark.parametrize("name", WAYS)
def test_way_around(name: str, base: tuple[Path, Bundle], change: Path) -> None:
    edit, expected = WAYS[name]
    edit(change)
    found = kinds(compared(base[1], change))
    for kind, says in expected.items():
        assert any(says in text for text in found.get(kind, [])), (kind, says, found)


def test_what_changes_nothing_is_no_risk(base: tuple[Path, Bundle], change: Path) -> None:
    add(FACTS, "# nothing\n")(change)
    assert compared(base[1], change).deltas == ()
    assert refusals(base[1], change) == []


# ---- what the rules make of it


def message(base: tuple[Path, Bundle], change: Path, rule: str, only: list[str] | None = None) -> str:
    """The one finding of a rule, with its severity."""
    (found,) = [item for item in refusals(base[1], change, only or ["prod"]) if item.rule == rule]
    return f"{found.severity}: {found.message} | {found.hint}"


def accept(base: tuple[Path, Bundle], root: Path) -> None:
    """Writes the entries that accept every risk of prod as it is now."""
    risks = compared(base[1], root).risks
    lines = "".join(f"- {{kind: {risk.kind}, digest: '{risk.digest}', reason: agreed}}\n" for risk in risks)
    put(f"{PROD}/accepted-risks.yaml", f"version: 1\naccepted:\n{lines}")(root)


def test_a_refusal_says_how_to_accept_it(base: tuple[Path, Bundle], change: Path) -> None:
    swap(FACTS, "mode: observe", "mode: enforce")(change)
    said = message(base, change, "P03")
    assert said.startswith("error: prod: mode-changed: facts: mode goes from observe to enforce, and 2 more")
    assert "overlays/prod/accepted-risks.yaml says so: {kind: mode-changed, digest: sha256:" in said
    accept(base, change)
    assert message(base, change, "P03").startswith("info: prod: mode-changed")
    assert "accepted: agreed" in message(base, change, "P03")
    swap(FACTS, "mode: enforce", "mode: approve")(change)  # something else was accepted
    assert message(base, change, "P03").startswith("error: ")


def test_a_policy_that_asks_for_less_counts_once_it_is_merged(base: tuple[Path, Bundle], change: Path) -> None:
    """Under `acceptedRisks: base` the same pull request can't accept, nor loosen that word."""
    strict = replace(base[1], sources={**base[1].sources, POLICY_FILE: policy(base[0], "acceptedRisks: base\n")})
    swap(FACTS, "mode: observe", "mode: enforce")(change)
    accept(base, change)
    said = message((base[0], strict), change, "P03")
    assert said.startswith("error: ")
    assert "environments.yaml says acceptedRisks: base" in said
    assert message((base[0], strict), change, "P14").startswith("error: prod: policy-loosened: policy of promotions")


def test_owners_are_those_of_the_older_revision(base: tuple[Path, Bundle], change: Path) -> None:
    swap(FACTS, "mode: observe", "mode: enforce")(change)
    accept(base, change)
    put(".github/CODEOWNERS", "* @everybody\n")(change)
    said = message((base[0], replace(base[1], owners=())), change, "P03")
    assert "accepted-risks.yaml accepts it in the same change, and has no code owner" in said


def test_a_new_environment_is_one_risk(base: tuple[Path, Bundle], change: Path) -> None:
    for folder in ("apps", "overlays"):
        shutil.copytree(change / folder / "prod", change / folder / "prod2")
    for path in (*(change / "apps/prod2").iterdir(), *(change / "overlays/prod2").rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        path.write_text(
            text.replace("overlays/prod", "overlays/prod2").replace("kre-prod", "kre-prod2"), encoding="utf-8"
        )
    add("overlays/environments.yaml", "")(change)
    swap("overlays/environments.yaml", "promote:\n", "- name: prod2\n  from: staging\npromote:\n")(change)
    swap("overlays/prod2/environment/environment.yaml", "mode: observe", "mode: enforce")(change)
    said = message(base, change, "P15", ["prod2"])
    assert said.startswith("error: prod2: environment-changed: environment prod2: a new environment, and ")
    assert "overlays/prod2/accepted-risks.yaml says so" in said


def test_a_renamed_environment_is_one_that_is_gone_and_a_new_one(base: tuple[Path, Bundle], change: Path) -> None:
    for folder in ("apps", "overlays"):
        (change / folder / "prod").rename(change / folder / "live")
    swap("overlays/environments.yaml", "name: prod", "name: live")(change)
    found = [item for item in refusals(base[1], change, ["live"]) if item.rule == "P15"]
    assert sorted(item.message.partition(",")[0] for item in found) == [
        "live: environment-changed: environment live: a new environment",
        "prod: environment-changed: environment prod: the environment is gone: nothing of it is compared",
    ]
    assert {item.severity for item in found} == {"error"}


def test_an_environment_is_not_taken_out_of_the_rules_by_what_it_says(base: tuple[Path, Bundle], change: Path) -> None:
    """Without `from` it would be one that runs base/, of which the rules only warn."""
    swap("overlays/environments.yaml", "  from: staging\n", "")(change)
    swap(FACTS, "mode: observe", "mode: enforce")(change)
    assert message(base, change, "P03").startswith("error: ")
    assert message(base, change, "P14").startswith("error: ")


def test_of_dev_they_warn(tmp_path: Path) -> None:
    root = copy(tmp_path / "repository")
    before = load(root, ["dev"])
    swap("overlays/dev/environment/environment.yaml", "mode: enforce", "mode: approve")(root)
    found = refusals(before, root, ["dev"])
    assert {item.rule for item in found} == {"P03"}
    assert {item.severity for item in found} == {"warning"}
