"""What things need from what they do: one small folder of manifests for each operation of the table."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from kre.load.bundle import load
from kre.rbac.require.acts import acts
from kre.rbac.require.model import Level
from kre.rbac.require.table import Object, rows
from kre.rbac.require.verdict import Verdict, verdicts

SENSOR = """
apiVersion: argoproj.io/v1alpha1
kind: Sensor
metadata: {{name: s, namespace: events{metadata}}}
spec:
  template: {{serviceAccountName: sensor}}
  dependencies: [{{name: d, eventSourceName: e, eventName: n}}]
  triggers:
  - template:
      name: t
      {template}
{more}
"""
SOURCE = """
apiVersion: argoproj.io/v1alpha1
kind: EventSource
metadata: {{name: e, namespace: events}}
spec:
  template: {{serviceAccountName: source}}
  {spec}
"""
TEMPLATE = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {{name: w, namespace: work}}
spec:
  serviceAccountName: worker
  {spec}
  templates:
  - name: main
    {template}
"""
EXECUTOR = {"create workflowtaskresults work", "patch workflowtaskresults work"}


def k8s(operation: str, body: str, **more: str) -> str:
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    return f"k8s: {{operation: {operation}, source: {{resource: {body}}}{extra}}}"


def argo(operation: str, kind: str = "Workflow", spec: str = "{}") -> str:
    body = f"{{apiVersion: argoproj.io/v1alpha1, kind: {kind}, metadata: {{name: x, namespace: work}}, spec: {spec}}}"
    return f"argoWorkflow: {{operation: {operation}, source: {{resource: {body}}}}}"


POD = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop}}"
TRIGGERS = {
    k8s("create", POD): {"create pods shop"},
    k8s("create", "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}"): {"create configmaps events"},
    k8s("create", "{apiVersion: v1, kind: Namespace, metadata: {name: c}}"): {"create namespaces "},
    k8s("create", "{apiVersion: example.com/v1, kind: Policy, metadata: {name: c}}"): {"create policies events"},
    k8s("update", POD): {"get pods shop", "update pods shop"},
    k8s("patch", POD): {"get pods shop", "patch pods shop"},
    k8s("delete", POD): {"get pods shop", "delete pods shop"},
    argo("submit"): {"create workflows work", "list workflows work"},
    argo("submit", spec="{workflowTemplateRef: {name: w}}"): {
        "create workflows work", "list workflows work", "get workflowtemplates work",
    },
    argo("submit", spec="{workflowTemplateRef: {name: w, clusterScope: true}}"): {
        "create workflows work", "list workflows work", "get clusterworkflowtemplates ",
    },
    argo("submit-from", "WorkflowTemplate"): {
        "get workflowtemplates work", "get workflows work", "create workflows work",
    },
    argo("submit-from", "CronWorkflow"): {"get cronworkflows work", "get workflows work", "create workflows work"},
    argo("resubmit"): {"get workflows work", "create workflows work"},
    argo("retry"): {"get workflows work", "update workflows work", "delete pods work"},
    argo("suspend"): {"get workflows work", "update workflows work"},
    argo("resume"): {"get workflows work", "update workflows work"},
    argo("stop"): {"get workflows work", "patch workflows work"},
    argo("terminate"): {"get workflows work", "patch workflows work"},
    "http: {url: http://x, method: POST, payload: []}": set(),
    "log: {}": set(),
}  # fmt: skip
TEMPLATES = {
    "container: {image: i}": EXECUTOR,
    "script: {image: i, source: x}": EXECUTOR,
    "containerSet: {containers: [{name: main, image: i}]}": EXECUTOR,
    "data: {source: {}, transformation: []}": EXECUTOR,
    "suspend: {}": set(),
    "http: {url: http://x}": {"watch workflowtasksets work", "patch workflowtasksets/status work"},
    "plugin: {hello: {}}": {"watch workflowtasksets work", "patch workflowtasksets/status work"},
}
MANIFEST = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: shop}}"
ACTIONS = {
    "get": {"get"}, "create": {"create"}, "apply": {"get", "create", "patch"}, "replace": {"get", "update"},
    "patch": {"patch"}, "delete": {"delete"},
}  # fmt: skip


def write(folder: Path, *texts: str) -> Path:
    for number, text in enumerate(texts):
        (folder / f"{number}.yaml").write_text(text)
    return folder


def needed(folder: Path, who: str, level: Level = Level.REQUIRED) -> set[str]:
    found = acts(load(folder), None)[who]
    return {
        f"{need.verb} {need.resource} {need.namespace}" for act in found for need in act.needs if need.level is level
    }


def unknown(folder: Path, who: str) -> list[str]:
    return [act.unknown for act in acts(load(folder), None)[who] if act.unknown]


def sensor(template: str, more: str = "", metadata: str = "") -> str:
    return SENSOR.format(template=template, more=more, metadata=metadata)


def verdict(folder: Path, who: str) -> Verdict:
    return next(found for found in verdicts(load(folder), None) if found.who == who)


@pytest.mark.parametrize("template", TRIGGERS)
def test_a_trigger(template: str, tmp_path: Path) -> None:
    write(tmp_path, sensor(template))
    assert needed(tmp_path, "ServiceAccount events/sensor") == TRIGGERS[template]
    assert unknown(tmp_path, "ServiceAccount events/sensor") == []


@pytest.mark.parametrize("operation", ["update", "patch"])
def test_what_creates_what_is_not_there_may_create_no_pod(operation: str, tmp_path: Path) -> None:
    write(tmp_path, sensor(k8s(operation, POD)))
    assert needed(tmp_path, "ServiceAccount events/sensor", Level.FORBIDDEN) == {"create pods shop"}
    assert needed(tmp_path, "ServiceAccount events/sensor", Level.TOLERATED) == {"create pods shop"}


def test_a_dead_letter_trigger_counts(tmp_path: Path) -> None:
    dead = "    dlqTrigger: {template: {name: d, " + k8s("create", POD) + "}, atLeastOnce: true}"
    write(tmp_path, sensor("log: {}", dead))
    assert needed(tmp_path, "ServiceAccount events/sensor") == {"create pods shop"}


def test_a_policy_looks_at_what_was_made(tmp_path: Path) -> None:
    write(tmp_path, sensor(k8s("create", POD), "    policy: {k8s: {labels: {a: b}, backoff: {steps: 1}}}"))
    assert needed(tmp_path, "ServiceAccount events/sensor") == {"create pods shop", "get pods shop"}


@pytest.mark.parametrize(
    "template",
    [
        k8s("create", POD, parameters="[{src: {dependencyName: d}, dest: metadata.namespace}]"),
        "k8s: {operation: create, source: {git: {url: http://x}}}",
        k8s("recreate", POD),
    ],
)
def test_what_comes_with_the_event_or_from_elsewhere_is_not_known(template: str, tmp_path: Path) -> None:
    write(tmp_path, sensor(template))
    assert len(unknown(tmp_path, "ServiceAccount events/sensor")) == 1


LEASE = {"get leases events", "create leases events", "update leases events"}
ELECTS = ", annotations: {events.argoproj.io/leader-election: k8s}"
KAFKA = """
apiVersion: argoproj.io/v1alpha1
kind: EventBus
metadata: {name: default, namespace: events}
spec: {kafka: {}}
"""


def test_leader_election(tmp_path: Path) -> None:
    who = "ServiceAccount events/sensor"
    write(tmp_path, sensor("log: {}", metadata=ELECTS))
    assert needed(tmp_path, who) == LEASE
    write(tmp_path, sensor("log: {}", metadata=ELECTS), KAFKA)
    assert needed(tmp_path, who) == set()  # replicas share the work there


def test_eventsources(tmp_path: Path) -> None:
    who = "ServiceAccount events/source"
    watched = "resource: {pods: {group: '', version: v1, resource: pods, namespace: shop, eventTypes: [ADD]}}"
    write(tmp_path, SOURCE.format(spec=watched))
    assert needed(tmp_path, who) == {"list pods shop", "watch pods shop"}
    write(tmp_path, SOURCE.format(spec=watched.replace(" namespace: shop,", "")))
    assert needed(tmp_path, who) == {"list pods ", "watch pods "}
    write(tmp_path, SOURCE.format(spec="calendar: {c: {schedule: x, persistence: {configMap: {name: c}}}}"))
    assert needed(tmp_path, who) == {"get configmaps events", "update configmaps events"}
    write(tmp_path, SOURCE.format(spec="webhook: {c: {port: '1', endpoint: /, method: POST}}"))
    assert needed(tmp_path, who) == set()
    write(tmp_path, SOURCE.format(spec="webhook: {c: {port: '1', endpoint: /, method: POST}}"), KAFKA)
    assert needed(tmp_path, who) == set()  # all of its replicas take requests
    write(tmp_path, SOURCE.format(spec="calendar: {c: {schedule: x}}"), KAFKA)
    assert needed(tmp_path, who) == LEASE


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template(template: str, tmp_path: Path) -> None:
    write(tmp_path, TEMPLATE.format(spec="", template=template))
    found = acts(load(tmp_path), None)
    assert found == {} or set(found) == {"ServiceAccount work/worker"}
    assert (needed(tmp_path, "ServiceAccount work/worker") if found else set()) == TEMPLATES[template]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_resource_template(action: str, tmp_path: Path) -> None:
    write(tmp_path, TEMPLATE.format(spec="", template=f"resource: {{action: {action}, manifest: '{MANIFEST}'}}"))
    wanted = {f"{verb} configmaps shop" for verb in ACTIONS[action]}
    assert needed(tmp_path, "ServiceAccount work/worker") == wanted | EXECUTOR


@pytest.mark.parametrize(
    "more",
    [
        "resource: {successCondition: a=b, ",
        "outputs: {parameters: [{name: o, valueFrom: {jsonPath: x}}]}\n    resource: {",
    ],
)
def test_whoever_waits_for_a_resource_or_reads_it_gets_it(more: str, tmp_path: Path) -> None:
    write(tmp_path, TEMPLATE.format(spec="", template=f"{more}action: create, manifest: '{MANIFEST}'}}"))
    assert "get configmaps shop" in needed(tmp_path, "ServiceAccount work/worker")


def test_a_manifest_whose_namespace_is_a_parameter_is_not_known(tmp_path: Path) -> None:
    manifest = MANIFEST.replace("shop", "{{inputs.parameters.ns}}")
    write(tmp_path, TEMPLATE.format(spec="", template=f"resource: {{action: get, manifest: '{manifest}'}}"))
    assert len(unknown(tmp_path, "ServiceAccount work/worker")) == 1
    manifest = MANIFEST.replace("name: c", "name: '{{inputs.parameters.name}}'").replace("'", '"')
    write(tmp_path, TEMPLATE.format(spec="", template=f"resource: {{action: get, manifest: '{manifest}'}}"))
    assert unknown(tmp_path, "ServiceAccount work/worker") == []


def test_the_executors_account_reports_and_runs_resource_templates(tmp_path: Path) -> None:
    """Its token is mounted into every container of Argo's own, the main one of a resource template among them."""
    spec = "executor: {serviceAccountName: executor}"
    write(tmp_path, TEMPLATE.format(spec=spec, template=f"resource: {{action: get, manifest: '{MANIFEST}'}}"))
    assert needed(tmp_path, "ServiceAccount work/executor") == EXECUTOR | {"get configmaps shop"}
    assert (needed(tmp_path, "ServiceAccount work/worker"), unknown(tmp_path, "ServiceAccount work/worker")) == (
        set(),
        [],
    )
    write(tmp_path, TEMPLATE.format(spec=spec, template="container: {image: i}"))
    assert needed(tmp_path, "ServiceAccount work/executor") == EXECUTOR
    assert needed(tmp_path, "ServiceAccount work/worker") == set()


def test_a_template_with_an_account_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, TEMPLATE.format(spec="", template="serviceAccountName: own\n    container: {image: i}"))
    assert needed(tmp_path, "ServiceAccount work/own") == EXECUTOR


STEP = "steps: [[{name: a, templateRef: {name: other, template: t}}]]"
OTHER = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: other, namespace: work}
spec:
  serviceAccountName: unasked
  templates: [{name: t, container: {image: i, command: [kubectl, get, pods]}}]
"""


def test_a_template_of_another_runs_as_whoever_refers_to_it(tmp_path: Path) -> None:
    who = "ServiceAccount work/worker"
    write(tmp_path, TEMPLATE.format(spec="", template=STEP), OTHER)
    assert needed(tmp_path, who) == EXECUTOR | {"list pods work"}
    assert unknown(tmp_path, who) == []
    (tmp_path / "1.yaml").unlink()
    assert unknown(tmp_path, who) == ["template t of other is not here"]


@pytest.mark.parametrize("spec", ["x", "[]", "null"])
def test_a_spec_that_is_none_needs_nothing(spec: str, tmp_path: Path) -> None:
    kinds = ("Sensor", "EventSource", "EventBus", "WorkflowTemplate", "CronWorkflow", "Pod", "Deployment")
    head = "apiVersion: argoproj.io/v1alpha1\nmetadata: {name: x, namespace: work}\n"
    write(tmp_path, *(f"{head}kind: {kind}\nspec: {spec}\n" for kind in kinds))
    assert all(not act.needs for done in acts(load(tmp_path), None).values() for act in done)


def test_artifact_gc(tmp_path: Path) -> None:
    spec = "artifactGC: {strategy: OnWorkflowDeletion, serviceAccountName: gc}"
    write(tmp_path, TEMPLATE.format(spec=spec, template="suspend: {}"))
    wanted = {"list workflowartifactgctasks work", "patch workflowartifactgctasks/status work"}
    assert needed(tmp_path, "ServiceAccount work/gc") == wanted


def test_a_workflow_of_a_trigger_runs_its_template_as_whom_it_names(tmp_path: Path) -> None:
    spec = "{workflowTemplateRef: {name: w}, serviceAccountName: other}"
    write(tmp_path, sensor(argo("submit", spec=spec)), TEMPLATE.format(spec="", template="container: {image: i}"))
    assert needed(tmp_path, "ServiceAccount work/other") == EXECUTOR


KUBECTL = {
    "kubectl get pods -n shop": {"list pods shop"},
    "kubectl -n shop get pod web -o yaml": {"get pods shop"},
    "kubectl delete pod/web": {"delete pods work"},
    "kubectl label pod web a=b": {"get pods work", "patch pods work"},
    "kubectl get nodes": {"list nodes "},
    "kubectl get pods -A": {"list pods "},
    "kubectl exec web -- sh": {"get pods work", "create pods/exec work"},
    "kubectl logs web": {"get pods work", "get pods/log work"},
    "kubectl rollout restart deploy/web": {"get deployments work"},
    "set -e; kubectl apply cm x | kubectl patch cm y -p z": {
        "get configmaps work", "create configmaps work", "patch configmaps work",
    },
}  # fmt: skip


@pytest.mark.parametrize("command", KUBECTL)
def test_kubectl_is_a_guess(command: str, tmp_path: Path) -> None:
    body = f"container: {{image: i, command: [sh, -c], args: ['{command}']}}"
    write(tmp_path, TEMPLATE.format(spec="", template=body))
    assert needed(tmp_path, "ServiceAccount work/worker") == KUBECTL[command] | EXECUTOR
    assert verdict(tmp_path, "ServiceAccount work/worker").guessed


@pytest.mark.parametrize("command", ["kubectl apply -f /x", "kubectl frobnicate pods", "kubectl get pods -n $NS"])
def test_kubectl_that_does_not_say_what_it_is_about(command: str, tmp_path: Path) -> None:
    body = f"container: {{image: i, command: [sh, -c], args: ['{command}']}}"
    write(tmp_path, TEMPLATE.format(spec="", template=body))
    assert len(unknown(tmp_path, "ServiceAccount work/worker")) == 1


def test_a_pod_without_a_token_needs_nothing(tmp_path: Path) -> None:
    pod = "{kind: Pod, apiVersion: v1, metadata: {name: p, namespace: a}, spec: {%scontainers: [{name: c, image: i}]}}"
    write(tmp_path, pod % "")
    assert len(unknown(tmp_path, "ServiceAccount a/default")) == 1
    write(tmp_path, pod % "automountServiceAccountToken: false, ")
    assert unknown(tmp_path, "ServiceAccount a/default") == []
    account = "{kind: ServiceAccount, apiVersion: v1, metadata: {name: default, namespace: a}, "
    write(tmp_path, pod % "", account + "automountServiceAccountToken: false}")
    assert unknown(tmp_path, "ServiceAccount a/default") == []


ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: r, namespace: shop}}
rules: [{rule}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: r, namespace: shop}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}}
subjects: [{{kind: ServiceAccount, name: sensor, namespace: events}}]
"""


def judged(folder: Path, template: str, rule: str) -> tuple[set[str], set[str], set[str]]:
    write(folder, sensor(template), ROLE.format(rule=rule))
    found = verdict(folder, "ServiceAccount events/sensor")
    missing, excess = ({f"{it.need.verb}" for it in found.missing}, {str(it) for it in found.excess})
    return missing, excess, {one.need.verb for one in found.forbidden}


PODS = "{apiGroups: [''], resources: [pods], verbs: [%s]}"
NAMED = "{apiGroups: [''], resources: [pods], resourceNames: [p], verbs: [get, delete]}"


@pytest.mark.parametrize(
    ("operation", "rule", "missing", "excess", "forbidden"),
    [
        ("delete", PODS % "get, delete", set(), set(), set()),
        ("delete", PODS % "delete", {"get"}, set(), set()),
        ("delete", PODS % "get, delete, list", set(), {"list pods"}, set()),
        ("delete", PODS % "'*'", set(), {"* pods"}, {"deletecollection"}),
        ("delete", PODS % "get, delete, deletecollection", set(), set(), {"deletecollection"}),
        ("create", "{apiGroups: ['*'], resources: [pods], verbs: [create]}", set(), {"create pods.*"}, set()),
        ("delete", NAMED, {"get", "delete"}, set(), set()),
        ("patch", PODS % "get, patch, create", set(), set(), {"create"}),
        ("create", PODS % "create", set(), set(), set()),
    ],
)  # fmt: skip
def test_need_beside_grant(
    operation: str, rule: str, missing: set[str], excess: set[str], forbidden: set[str], tmp_path: Path
) -> None:
    assert judged(tmp_path, k8s(operation, POD), rule) == (missing, excess, forbidden)


def test_what_is_not_known_has_no_excess_but_what_it_lacks(tmp_path: Path) -> None:
    """An object from Git, and one that is known."""
    template = "k8s: {operation: create, source: {git: {url: http://x}}}"
    more = "".join(f"  - template:\n      name: t\n      {k8s(word, POD)}\n" for word in ("recreate", "patch"))
    write(tmp_path, sensor(template, more), ROLE.format(rule=PODS % "get, list"))
    found = verdict(tmp_path, "ServiceAccount events/sensor")
    assert ([one.need.verb for one in found.missing], found.excess, len(found.unknown)) == (["patch"], (), 2)


def test_every_row_says_where_it_was_read_and_contradicts_itself_nowhere() -> None:
    for row in rows().values():
        assert row.source.split()[0] in ("argo-events", "argo-workflows", "kubectl"), row.id
        needs = list(row.of("own", Object("apps", "deployments", "shop")))
        for level in (Level.TOLERATED, Level.FORBIDDEN):
            required = {need.right for need in needs if need.level is Level.REQUIRED}
            assert not required & {need.right for need in needs if need.level is level}, row.id
        assert all(need.why for need in needs if need.level is Level.FORBIDDEN), row.id


def test_the_file_has_no_row_twice() -> None:
    text = (Path(__file__).parents[3] / "tools/kre/rbac/data/needs.yaml").read_text()
    listed = [entry["id"] for entry in yaml.safe_load(text)["operations"]]
    assert len(listed) == len(set(listed)) == len(rows())
