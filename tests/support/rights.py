"""Who may do what, and where: the one table. An identity that is not in it holds no right at all."""

from __future__ import annotations

from collections.abc import Iterable

Rights = frozenset[tuple[str, str, str]]  # verb, API group, resource

APPS = ("deployments", "replicasets", "statefulsets")
ARGO, CORE, COORDINATION = "argoproj.io", "", "coordination.k8s.io"


def _on(group: str, resources: str, verbs: str) -> Rights:
    return frozenset((verb, group, resource) for resource in resources.split() for verb in verbs.split())


OWNERS = _on("apps", "deployments replicasets statefulsets", "get")
LOOK = _on(CORE, "pods namespaces", "get") | _on(CORE, "events", "create")
DELETE = LOOK | OWNERS | _on(CORE, "pods", "list delete")
ISOLATE = (
    LOOK | OWNERS | _on(CORE, "pods", "list patch")
    | _on("networking.k8s.io", "networkpolicies", "list") | _on(CORE, "services", "list")
)  # fmt: skip
LABEL = LOOK | _on(CORE, "pods", "patch")
CAPTURE = (
    LOOK | OWNERS | _on(CORE, "pods/log", "get") | _on(CORE, "events", "list")
    | _on("apps", "daemonsets", "get") | _on("batch", "jobs cronjobs", "get")
)  # fmt: skip
SCALE = LOOK | OWNERS | _on("apps", "deployments statefulsets", "update")
RELEASE = LABEL - _on(CORE, "namespaces", "get")  # what isolation was allowed to do, it may undo

# Of a response's identity (ServiceAccount in kre-responses) in each target.
RESPONSES: dict[str, Rights] = {
    "capture-evidence": CAPTURE,
    "contain-pod": DELETE | ISOLATE,
    "cordon-node": LOOK,
    "delete-pod": DELETE,
    "isolate-pod": ISOLATE,
    "label-pod": LABEL,
    "notify": LOOK,
    "release-pod": RELEASE,
    "scale-down": SCALE,
}
ENABLED = tuple(name for name in RESPONSES if name != "cordon-node")  # in dev
# And elsewhere: "" is the whole cluster, which of all responses cordon-node alone has anything in.
BESIDE: dict[str, dict[str, Rights]] = {
    "capture-evidence": {"kre-evidence": _on(CORE, "secrets", "create")},
    "cordon-node": {"": _on(CORE, "nodes", "get list patch")},
}
# Of the dispatcher in each target; and where a response of its fast lane is enabled.
FINDING = _on(CORE, "pods", "get")
DISPATCHER = FINDING | OWNERS | _on(CORE, "pods", "list patch") | _on(CORE, "namespaces", "get")
FAST = ("isolate-pod",)

# identity -> namespace -> rights, in the engine's own namespaces. Identities: namespace:ServiceAccount, group:name.
OWN: dict[str, dict[str, Rights]] = {
    "kre-pipeline:dispatcher": {
        "kre-responses": _on(ARGO, "workflows", "create"),
        "kre-pipeline": _on(COORDINATION, "leases", "get create update"),
    },
    "kre-pipeline:recorder": {"kre-responses": _on(ARGO, "workflows", "list watch patch")},
    "kre-responses:executor": {"kre-responses": _on(ARGO, "workflowtaskresults", "create patch")},
    "group:kre-approvers": {"kre-responses": _on(ARGO, "workflows", "get list watch patch")},
    "group:kre-operators": {"kre-responses": _on(ARGO, "workflows", "get list watch create")},
}
# The controllers, in the namespace of their own and in the one that each manages.
CONTROLLERS: dict[str, dict[str, Rights]] = {
    "argo-events:argo-events-controller-manager": {
        "argo-events": _on(COORDINATION, "leases", "get create update") | _on(CORE, "events", "create patch"),
        "kre-pipeline": (
            _on(ARGO, "eventbus eventsources sensors", "get list watch update")
            | _on(ARGO, "eventbus/status eventsources/status sensors/status", "update patch")
            | _on("apps", "deployments statefulsets", "get list watch create update delete")
            | _on(CORE, "configmaps services", "get list watch create update delete")
            | _on(CORE, "secrets", "get list create update delete")
            | _on(CORE, "persistentvolumeclaims", "list watch")
            | _on(CORE, "events", "create patch")
        ),
    },
    "argo-workflows:argo-workflows-workflow-controller": {
        "argo-workflows": (
            _on(CORE, "configmaps", "get list watch")
            | _on(COORDINATION, "leases", "get create update")
            | _on(CORE, "events", "create patch")
        ),
        "kre-responses": (
            _on(ARGO, "workflows", "get list watch update patch delete")
            | _on(ARGO, "workflowtemplates", "get list watch")
            | _on(ARGO, "workflowtaskresults", "list watch deletecollection")
            | _on(ARGO, "cronworkflows workflowartifactgctasks workflowtasksets", "list watch")
            | _on(CORE, "pods", "get list watch create patch delete")
            | _on(CORE, "configmaps", "get list watch")
            | _on(CORE, "serviceaccounts", "get")
            | _on(CORE, "events", "create patch")
        ),
    },
}
NONE = (
    "kre-pipeline:sensor",
    "kre-pipeline:eventsource",
    "kre-pipeline:eventbus",
    "kre-pipeline:intake",
    "kre-pipeline:default",
    "kre-responses:default",
)


def table(targets: list[str], responses: list[str]) -> dict[str, dict[str, Rights]]:
    """identity -> namespace -> rights of an environment with these targets, in which these responses (release-pod
    among them) are bound."""
    found: dict[str, dict[str, Rights]] = {**{name: {} for name in NONE}, **OWN, **CONTROLLERS}
    for name in responses:
        found[f"kre-responses:{name}"] = {**dict.fromkeys(targets, RESPONSES[name]), **BESIDE.get(name, {})}
    dispatcher = {**OWN["kre-pipeline:dispatcher"], **dict.fromkeys(targets, dispatching(responses))}
    return {**found, "kre-pipeline:dispatcher": dispatcher}


def dispatching(responses: Iterable[str]) -> Rights:
    """What the dispatcher may in a target, where these responses are enabled."""
    return DISPATCHER if set(FAST) & set(responses) else FINDING


# What is asked, of everybody, everywhere.
VERBS = (
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "impersonate",
    "bind",
    "escalate",
)
KINDS = (
    ("", "pods"), ("", "pods/exec"), ("", "pods/eviction"), ("", "pods/log"), ("", "pods/ephemeralcontainers"),
    ("", "secrets"), ("", "configmaps"), ("", "services"), ("", "events"), ("", "namespaces"), ("", "nodes"),
    ("", "serviceaccounts"), ("", "serviceaccounts/token"), ("apps", "deployments"), ("apps", "replicasets"),
    ("apps", "statefulsets"), ("apps", "daemonsets"), ("apps", "deployments/scale"),
    ("batch", "jobs"), ("batch", "cronjobs"), ("networking.k8s.io", "networkpolicies"),
    ("coordination.k8s.io", "leases"), ("argoproj.io", "workflows"), ("argoproj.io", "workflowtemplates"),
    ("argoproj.io", "workflowtaskresults"), ("argoproj.io", "sensors"), ("argoproj.io", "eventsources"),
    ("argoproj.io", "applications"), ("rbac.authorization.k8s.io", "roles"),
    ("rbac.authorization.k8s.io", "rolebindings"), ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
)  # fmt: skip
PLACES = (
    "",
    "kre-demo",
    "kre-evidence",
    "kre-pipeline",
    "kre-responses",
    "argo-events",
    "argo-workflows",
    "argocd",
    "falco",
    "kube-system",
    "default",
)
