"""The controllers of Argo: in one namespace of the engine each, by Roles of ours, told to take nothing risky."""

from __future__ import annotations

from collections.abc import Iterator

from kre.model.resource import Resource, dig
from safety.promise import VALUES, World, each, exactly, without


@each(VALUES)
def argo_events_manages_one_namespace(item: Resource, _: World) -> Iterator[str]:
    if item.name != "argo-events":
        return
    values = item.body["values"]
    found = {
        **values,
        "global": {},
        "controller": without(values.get("controller") or {}, "containerSecurityContext", "resources"),
    }
    wanted = {
        "crds": {"install": True, "keep": True},
        "createAggregateRoles": False,
        "global": {},
        "controller": {"rbac": {"enabled": False, "namespaced": True, "managedNamespace": "kre-pipeline"}},
    }
    yield from exactly(found, wanted, "no right in the whole cluster; its CRDs stay when it goes")
    yield from exactly(without(values.get("global") or {}, "securityContext"), {}, "images are the chart's")


@each(VALUES)
def argo_workflows_runs_templates_of_one_namespace(item: Resource, _: World) -> Iterator[str]:
    if item.name != "argo-workflows":
        return
    values = item.body["values"]
    found = without(values, "executor", "controller", "images")
    wanted = {
        "crds": {"install": False},
        "createAggregateRoles": False,
        "server": {"enabled": False},
        "workflow": {"serviceAccount": {"create": False}, "rbac": {"create": False}},
    }
    yield from exactly(found, wanted, "no server to attack, no roles of the chart's")
    controller = without(values.get("controller") or {}, "podSecurityContext", "resources")
    wanted_controller = {
        "rbac": {"create": False},
        "extraArgs": ["--namespaced", "--managed-namespace", "kre-responses"],
        "workflowNamespaces": [],
        "clusterWorkflowTemplates": {"enabled": False},
        "workflowRestrictions": {"templateReferencing": "Strict"},
        "extraEnv": [
            {"name": "EXPRESSION_TEMPLATES", "value": "false"},
            {"name": "DEFAULT_REQUEUE_TIME", "value": "1s"},
        ],
        "parallelism": 500,
        "namespaceParallelism": 500,
    }
    why = "whoever creates a Workflow chooses no pod, nothing in a parameter is evaluated, a storm is slowed down"
    yield from exactly(controller, wanted_controller, why, "controller")
    yield from exactly(
        without(values.get("executor") or {}, "securityContext", "resources"), {}, "its image is the chart's"
    )
    yield from exactly(dig(values, "images"), {"pullPolicy": "IfNotPresent"}, "a registry that is away stops nothing")
