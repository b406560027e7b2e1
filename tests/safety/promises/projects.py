"""The walls around what Argo CD may apply for the engine, and around its namespaces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kre.model.resource import Resource, dig
from safety.promise import World, each, exactly

SPACES = ("argo-events", "argo-workflows", "falco", "kre-pipeline", "kre-responses")
CLUSTER = [
    *(("", "Namespace", name) for name in ("argo-events", "argo-workflows", "falco", "kre-*")),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "kre-engine-*"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "kre-engine-*"),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "*.argoproj.io"),
    ("rbac.authorization.k8s.io", "ClusterRole", "kre-*"),
]
NAMESPACED = {
    "": "ConfigMap ResourceQuota Secret Service ServiceAccount",
    "apps": "DaemonSet Deployment",
    "argoproj.io": "EventBus EventSource Sensor WorkflowTemplate",
    "networking.k8s.io": "NetworkPolicy",
    "policy": "PodDisruptionBudget",
    "rbac.authorization.k8s.io": "Role RoleBinding",
}
WAVES = {"argocd.argoproj.io/sync-wave": "-1"}
KEPT = {"argocd.argoproj.io/sync-options": "ServerSideApply=true"}
STAYS = {
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
}
QUOTAS = {"kre-responses": {"pods": "60"}, "kre-evidence": {"pods": "0", "secrets": "100"}}


def _kinds() -> list[dict[str, str]]:
    return [{"group": group, "kind": kind} for group, kinds in NAMESPACED.items() for kind in kinds.split()]


def _sorted(values: Any) -> list[Any]:
    return sorted(values, key=str) if isinstance(values, list) else [values]


@each("AppProject")
def argo_cd_applies_no_more_than_the_engine(item: Resource, world: World) -> Iterator[str]:
    facts, env = world.environment.spec, world.environment.name
    git, server = facts["repository"]["url"], facts["cluster"]["server"]
    root = item.name == f"kre-{env}-root"
    evidence = ["kre-evidence"] if "capture-evidence" in world.responses else []
    spaces = ["argocd"] if root else [*SPACES, *evidence, *facts["targets"]]
    charts = [] if root else [*facts["charts"].values(), *facts["crds"].values()]
    wanted = {
        "sourceRepos": [git, *charts],
        "destinations": [{"server": server, "namespace": name} for name in spaces],
        "clusterResourceWhitelist": [] if root else [{"group": g, "kind": k, "name": n} for g, k, n in CLUSTER],
        "namespaceResourceWhitelist": [{"group": "argoproj.io", "kind": "Application"}] if root else _kinds(),
    }
    spec = dig(item.body, "spec") or {}
    found = {key: _sorted(value) for key, value in spec.items()}
    made = {key: _sorted(value) for key, value in wanted.items()}
    yield from exactly(found, made, "of these kinds, into these namespaces, from these repositories")


@each("Namespace")
def a_namespace_takes_no_pod_with_rights_on_its_node(item: Resource, _: World) -> Iterator[str]:
    level = "privileged" if item.name == "falco" else "restricted"  # Falco reads the kernel
    labels = {"pod-security.kubernetes.io/enforce": level}
    own = item.name != "kre-demo"
    yield from exactly(
        item.metadata.get("labels"),
        {**labels, **({"app.kubernetes.io/part-of": "kre"} if own else {})},
        "the API server refuses other pods, whoever makes them",
        "labels",
    )
    shared = item.name in ("kre-pipeline", "falco")  # a Secret may be there before it
    wanted = {**WAVES, **(KEPT if shared else {})} if own else None
    if item.name == "kre-evidence":
        wanted = {**WAVES, **STAYS}
    why = "it comes first, and takes over one that is there; evidence outlives the response that has made it"
    yield from exactly(item.metadata.get("annotations"), wanted, why, "annotations")
    yield from exactly(sorted(item.body), ["apiVersion", "kind", "metadata"], "a namespace is its labels")


@each("ResourceQuota")
def a_storm_makes_no_more_than_so_many_pods_and_pieces_of_evidence(item: Resource, _: World) -> Iterator[str]:
    wanted = {"hard": QUOTAS.get(item.namespace)}
    yield from exactly(dig(item.body, "spec"), wanted, "what gets past the caps ends here; evidence runs nothing")
