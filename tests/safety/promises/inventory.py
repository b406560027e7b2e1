"""What is there at all: a defence that is not rendered defends nothing, and nothing may stand beside what is known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from kre.model.resource import Resource
from safety.promise import VALUES, World, each, exactly, together
from safety.promises.admission import POLICIES
from safety.promises.applications import CHARTS
from safety.promises.network import TYPES
from safety.promises.workflows import OWN_CODE

GROUPS = {
    "Namespace": "v1",
    "ConfigMap": "v1",
    "Secret": "v1",
    "Service": "v1",
    "ServiceAccount": "v1",
    "ResourceQuota": "v1",
    "Deployment": "apps/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
    "Application": "argoproj.io/v1alpha1",
    "AppProject": "argoproj.io/v1alpha1",
    "Sensor": "argoproj.io/v1alpha1",
    "EventSource": "argoproj.io/v1alpha1",
    "EventBus": "argoproj.io/v1alpha1",
    "WorkflowTemplate": "argoproj.io/v1alpha1",
}
GROUPS |= dict.fromkeys(("Role", "ClusterRole", "RoleBinding"), "rbac.authorization.k8s.io/v1")
GROUPS |= dict.fromkeys(
    ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"), "admissionregistration.k8s.io/v1"
)
METADATA = {"name", "namespace", "labels"}
ALLOWED = {"annotations": ("Application", "Namespace", "Secret", "Service"), "finalizers": ("Application",)}
CONTENT = {
    "Namespace": set[str](),
    "ConfigMap": {"data"},
    "Secret": {"type"},
    "ServiceAccount": {"automountServiceAccountToken"},
    "Role": {"rules"},
    "ClusterRole": {"rules"},
    "RoleBinding": {"roleRef", "subjects"},
}
APPLICATIONS = (
    "argo-events",
    "argo-events-access",
    "argo-workflows",
    "argo-workflows-access",
    "argo-workflows-crds",
    "detection",
    "falco",
    "falcosidekick",
    "pipeline",
    "responses",
    "targets",
)
BOUND = {
    "argo-events": ["controller"],
    "argo-workflows": ["controller"],
    "kre-pipeline": ["argo-events", "dispatcher-leases"],
    "kre-responses": ["argo-workflows", "approver", "dispatcher-workflows", "executor", "operator", "recorder"],
}
# What comes with capture-evidence, in the namespace of its own.
EVIDENCE = (("Role", "evidence-writer"), ("RoleBinding", "evidence-writer"), ("ResourceQuota", "kre-evidence"))


def expected(world: World) -> Iterator[tuple[str, str, str]]:
    """(kind, namespace, name) of everything."""
    env, targets = world.environment.name, list(world.environment.spec["targets"])
    names = [*APPLICATIONS, *(["demo"] if env == "dev" else [])]
    yield from (("Application", "argocd", f"{env}-{name}") for name in names)
    yield "Application", "argocd", f"kre-{env}-root"
    yield from (("AppProject", "argocd", name) for name in (f"kre-{env}", f"kre-{env}-root"))
    for kind in ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"):
        yield from ((kind, "", name) for name in (f"kre-{env}-root", *POLICIES))
    spaces = ["argo-events", "argo-workflows", "falco", "kre-pipeline", "kre-responses"]
    yield from (("Namespace", "", name) for name in [*spaces, *(["kre-demo"] if env == "dev" else [])])
    for namespace, listed in BOUND.items():
        yield from ((kind, namespace, name) for name in listed for kind in ("Role", "RoleBinding"))
    yield from _responses(world, targets)
    options = {"notify": "notify" in world.responses, "intake": world.intake}
    yield from (("NetworkPolicy", *key) for key in TYPES if options.get(key[1], True))
    if world.intake:
        kinds = ("ConfigMap intake-code", "Deployment intake", "PodDisruptionBudget intake", "Service falco-webhook")
        for kind, name in (each_.split() for each_ in (*kinds, "ServiceAccount intake")):
            yield kind, "kre-pipeline", name
    yield from (("ConfigMap", "kre-pipeline", name) for name in ("settings", "dispatcher-code", "recorder-code"))
    yield from (("ConfigMap", "kre-responses", name) for name in ("settings", "responder-code"))
    yield from (
        ("ServiceAccount", "kre-pipeline", name)
        for name in ("dispatcher", "eventbus", "eventsource", "recorder", "sensor")
    )
    yield from (("Service", "kre-pipeline", name) for name in ("dispatcher", "falco-eventsource"))
    for name in ("dispatcher", "falco-eventsource", "default-eventbus"):
        yield "PodDisruptionBudget", "kre-pipeline", name
    yield from (("Deployment", "kre-pipeline", name) for name in ("dispatcher", "recorder"))
    yield "EventBus", "kre-pipeline", "default"
    yield from (("EventSource", "kre-pipeline", "falco"), ("ResourceQuota", "kre-responses", "kre-responses"))
    yield from (
        ("Secret", "kre-responses", "executor.service-account-token"),
        ("ServiceAccount", "kre-responses", "executor"),
    )
    yield "ClusterRole", "", "kre-dispatcher"
    yield from (("ConfigMap", "kre-responses", f"{name}-code") for name in OWN_CODE if name in world.responses)
    if "capture-evidence" in world.responses:
        yield "Namespace", "", "kre-evidence"
        yield from ((kind, "kre-evidence", name) for kind, name in EVIDENCE)
    if env == "dev":
        yield "Deployment", "kre-demo", "shop"


def _responses(world: World, targets: list[str]) -> Iterator[tuple[str, str, str]]:
    yield from (("Sensor", "kre-pipeline", name) for name in world.responses)
    for name in world.workflows:
        yield from ((kind, "kre-responses", name) for kind in ("WorkflowTemplate", "ServiceAccount"))
        yield "ClusterRole", "", f"kre-{name}"
    for target in targets:
        yield from (("RoleBinding", target, f"kre-{name}") for name in (*world.workflows, "dispatcher"))
        yield "NetworkPolicy", target, "kre-quarantine"


@together(*GROUPS, "ClusterRoleBinding", "Lease", "Workflow")
def everything_is_there_once(world: World) -> Iterator[str]:
    found = Counter((item.kind, item.namespace, _name(item)) for item in world.objects)
    wanted = Counter(expected(world))
    yield from (f"{' '.join(key)} is missing" for key in sorted((wanted - found).elements()))
    yield from (f"{' '.join(key)} is not known" for key in sorted((found - wanted).elements()))


def _name(item: Resource) -> str:
    return (
        re.sub(r"^((?:dispatcher|intake|recorder)-code)-[a-z0-9]{10}$", r"\1", item.name)
        if item.kind == "ConfigMap"
        else item.name
    )


@each(*GROUPS)
def an_object_is_of_its_kind(item: Resource, _: World) -> Iterator[str]:
    if item.api_version != GROUPS[item.kind]:
        yield f"apiVersion {item.api_version}"
    content = CONTENT.get(item.kind, {"spec"})
    if odd := set(item.body) - {"apiVersion", "kind", "metadata", *content}:
        yield f"it has {sorted(odd)}"
    allowed = METADATA | {field for field, kinds in ALLOWED.items() if item.kind in kinds}
    if odd := set(item.metadata) - allowed:
        yield f"metadata has {sorted(odd)}"


@each(*GROUPS)
def labels_are_those_of_the_one_table(item: Resource, world: World) -> Iterator[str]:
    """Policies and Services select pods by label, rules and replacements Applications: a stray one may join a group."""
    yield from exactly(
        item.metadata.get("labels") or {}, labels(item, world), "by labels things are selected", "labels"
    )


def labels(item: Resource, world: World) -> dict[str, str]:
    """What an object has to be labelled with."""
    name, env = item.name, world.environment.name
    if item.kind == "AppProject":
        return {"kre/project": "root" if name.endswith("-root") else "engine"}
    if item.kind == "Application":
        return _source(name, env)
    if item.kind == "Namespace":
        return dict(item.metadata.get("labels") or {})  # a promise of its own
    targets = world.environment.spec["targets"]
    if item.namespace in targets or name == f"kre-{env}-root":
        return {}
    found = {"app.kubernetes.io/part-of": "kre"}
    response = name.removeprefix("kre-") if item.kind == "ClusterRole" else name
    if item.kind in ("ClusterRole", "ServiceAccount", "WorkflowTemplate", "Sensor", "NetworkPolicy"):
        found |= {"kre/response": response} if response in world.workflows else {}
    if (item.kind, name) in EVIDENCE:
        found |= {"kre/response": "capture-evidence"}
    if item.kind == "ConfigMap" and name.removesuffix("-code") in OWN_CODE:
        found |= {"kre/response": name.removesuffix("-code")}
    return found | ({"app.kubernetes.io/name": name} if item.kind == "Deployment" else {})


def _source(name: str, env: str) -> dict[str, str]:
    """Of an Application: by which replacement it gets its repository."""
    if (chart := name.removeprefix(f"{env}-")) in CHARTS:
        return {"kre/source": "chart", "kre/chart-repository": "argo" if chart.startswith("argo") else "falco"}
    return {"kre/source": "root" if name == f"kre-{env}-root" else "crds" if name.endswith("-crds") else "single"}


@together(VALUES)
def charts_are_these_four(world: World) -> Iterator[str]:
    yield from exactly(sorted(item.name for item in world.objects), sorted(CHARTS), "no promise is about another")
