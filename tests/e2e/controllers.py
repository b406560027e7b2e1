"""The controllers that a cluster came with, under the rights, flags and limits that the charts give them here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import yaml

from e2e.kubectl import PROJECT, Cluster, Object, wait

# Namespace, Deployment of the cluster, ServiceAccount and Deployment of the chart, the one namespace that it manages.
EVENTS = ("argo-events", "controller-manager", "argo-events-controller-manager", "kre-pipeline")
LIMITS = ("parallelism", "namespaceParallelism")
WORKFLOWS = ("argo-workflows", "workflow-controller", "argo-workflows-workflow-controller", "kre-responses")


def confine(cluster: Cluster) -> None:
    """Lets both run as the ServiceAccount that the chart makes, managing one namespace, with no ClusterRole, and Argo
    Workflows run as many Workflows at once. `confined` waits until they do.

    Those that a chart has installed do so."""
    _limit(cluster)
    for namespace, name, account, managed in installed(cluster):
        if name == account:
            continue
        deployment = cluster.get("deployment", name, namespace)
        spec = deployment["spec"]["template"]["spec"]
        flags = ["--namespaced", "--managed-namespace", managed]
        arguments = spec["containers"][0].get("args", [])
        if spec.get("serviceAccountName") == account and arguments[-3:] == flags:
            continue
        made: Object = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": account, "namespace": namespace},
        }
        cluster.apply(json.dumps(made))
        change = [
            {"op": "add", "path": "/spec/template/spec/serviceAccountName", "value": account},
            {"op": "add", "path": "/spec/template/spec/containers/0/args", "value": [*arguments, *flags]},
            {"op": "add", "path": "/spec/template/spec/containers/0/env", "value": _environment(spec, namespace)},
        ]
        cluster.run("-n", namespace, "patch", "deployment", name, "--type=json", f"--patch={json.dumps(change)}")


def confined(cluster: Cluster) -> None:
    """Waits until there is one of each, and it is at work."""
    for namespace, name, *_ in installed(cluster):
        cluster.run("-n", namespace, "rollout", "status", f"deployment/{name}", "--timeout=120s")
    wait("one controller pod each", lambda: all(len(cluster.running(part[0])) == 1 for part in (EVENTS, WORKFLOWS)))
    for namespace, *_ in installed(cluster):
        _succeed(cluster, namespace)


def _succeed(cluster: Cluster, namespace: str) -> None:
    """The Lease of a controller that is gone would keep the next one waiting for a quarter of a minute."""
    cluster.run("-n", namespace, "delete", "leases", "--all")


def _limit(cluster: Cluster) -> None:
    """The controller reads its limits as it starts."""
    namespace, name, account, _ = WORKFLOWS
    if cluster.try_get("deployment", account, namespace):
        return
    data = {key: json.dumps(value) for key, value in _values(namespace).items() if key in LIMITS}
    before = cluster.get("configmap", "workflow-controller-configmap", namespace)["data"]
    if before | data != before:
        cluster.merge("configmap", "workflow-controller-configmap", namespace, {"data": data})
        cluster.run("-n", namespace, "rollout", "restart", f"deployment/{name}")


def _values(component: str) -> Object:
    """The controller's."""
    values: Object = yaml.safe_load((PROJECT / "base" / component / "values.yaml").read_text())["controller"]
    return values


def installed(cluster: Cluster) -> list[tuple[str, str, str, str]]:
    """Both, each under the name that its Deployment has here: the cluster's, or the chart's."""
    return [
        (namespace, account if cluster.try_get("deployment", account, namespace) else name, account, managed)
        for namespace, name, account, managed in (EVENTS, WORKFLOWS)
    ]


@contextmanager
def without_workflows(cluster: Cluster) -> Iterator[None]:
    """No workflow controller until the block ends: no Workflow gets any further."""
    namespace, name, *_ = next(part for part in installed(cluster) if part[0] == WORKFLOWS[0])
    scale = ("-n", namespace, "scale", f"deployment/{name}")
    cluster.run(*scale, "--replicas=0")
    try:
        wait("it to be gone", lambda: not cluster.list("pods", namespace))  # one on its way out acts still
        _succeed(cluster, namespace)
        yield
    finally:
        cluster.run(*scale, "--replicas=1")
        cluster.run("-n", namespace, "rollout", "status", f"deployment/{name}", "--timeout=120s")


def _environment(spec: Object, component: str) -> list[Object]:
    """What the container has, and what the component's values give it."""
    extra: list[Object] = _values(component).get("extraEnv", [])
    names = [item["name"] for item in extra]
    return [*(item for item in spec["containers"][0].get("env", []) if item["name"] not in names), *extra]
