"""Two peers on the same cluster: a Sensor that makes the Workflow by itself, and Falco Talon."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from e2e.engine import IMAGE, PERSON, WALLS
from e2e.kubectl import Cluster, Object, wait

PIPELINE, RESPONSES, TARGET = "bench-pipeline", "bench-responses", "bench-target"
TALON = "KRE_BENCH_TALON"  # the path of a falco-talon, built from github.com/falcosecurity/falco-talon
RULE = "Terminal shell in container"
SERVED = 2803
_DELETE = """
import json, os, ssl, urllib.request
home = "/var/run/secrets/kubernetes.io/serviceaccount/"
address = "https://kubernetes.default.svc/api/v1/namespaces/%s/pods/%s" % (os.environ["NS"], os.environ["POD"])
body = json.dumps({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 1}).encode()
headers = {"Authorization": "Bearer " + open(home + "token").read(), "Content-Type": "application/json"}
request = urllib.request.Request(address, body, headers, method="DELETE")
urllib.request.urlopen(request, context=ssl.create_default_context(cafile=home + "ca.crt")).read()
"""


def _meta(name: str, namespace: str = "") -> Object:
    return {"name": name} | ({"namespace": namespace} if namespace else {})


def _object(version: str, kind: str, name: str, namespace: str = "", **rest: Any) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": _meta(name, namespace), **rest}


def listed(objects: list[Object]) -> str:
    """All of them for one `kubectl apply`."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def _grant(account: str, home: str, namespace: str, rules: list[Object]) -> list[Object]:
    """A Role in a namespace for a ServiceAccount of another."""
    group = "rbac.authorization.k8s.io"
    subject = {"kind": "ServiceAccount", "name": account, "namespace": home}
    ref = {"apiGroup": group, "kind": "Role", "name": account}
    return [
        _object(f"{group}/v1", "Role", account, namespace, rules=rules),
        _object(f"{group}/v1", "RoleBinding", account, namespace, roleRef=ref, subjects=[subject]),
    ]


def _bus() -> Object:
    """JetStream as the engine has it."""
    return {
        "version": "2.10.10",
        "replicas": 3,
        "securityContext": PERSON | {"runAsUser": 65532, "fsGroup": 65532},
        **{key: {"securityContext": WALLS} for key in ("containerTemplate", "reloaderContainerTemplate")},
        "metricsContainerTemplate": {"securityContext": WALLS},
    }


def _pipeline() -> list[Object]:
    """Bus, EventSource, and a Sensor with a `k8s` trigger of operation create, as the posts about Falco with Argo have
    it: rule and namespace are filtered, the pod's name goes into a Workflow."""
    template = {"securityContext": PERSON, "container": {"securityContext": WALLS}}
    hook = {"port": "12000", "endpoint": "/falco", "method": "POST"}
    filters = [
        {"path": "body.rule", "type": "string", "value": [f"^{RULE}$"]},
        {"path": r"body.output_fields.k8s\.ns\.name", "type": "string", "value": [f"^{TARGET}$"]},
    ]
    ask = {"name": "alert", "eventSourceName": "falco", "eventName": "alerts", "filters": {"data": filters}}
    values = [{"name": "namespace", "value": ""}, {"name": "pod", "value": ""}]
    resource = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "delete-pod-", "namespace": RESPONSES},
        "spec": {"workflowTemplateRef": {"name": "delete-pod"}, "arguments": {"parameters": values}},
    }
    fields = [
        {
            "src": {"dependencyName": "alert", "dataKey": rf"body.output_fields.k8s\.{key}\.name"},
            "dest": f"spec.arguments.parameters.{at}.value",
        }
        for at, key in enumerate(("ns", "pod"))
    ]
    create = {"operation": "create", "source": {"resource": resource}, "parameters": fields}
    triggers = [{"template": {"name": "delete-pod", "k8s": create}}]
    argo = "argoproj.io/v1alpha1"
    return [
        _object("v1", "ServiceAccount", "sensor", PIPELINE),
        *_grant(
            "sensor",
            PIPELINE,
            RESPONSES,
            [{"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": ["create"]}],
        ),
        _object(argo, "EventBus", "default", PIPELINE, spec={"jetstream": _bus()}),
        _object(
            argo,
            "EventSource",
            "falco",
            PIPELINE,
            spec={
                "template": template,
                "service": {"ports": [{"port": 12000, "targetPort": 12000}]},
                "webhook": {"alerts": hook},
            },
        ),
        _object(
            argo,
            "Sensor",
            "delete-pod",
            PIPELINE,
            spec={"template": template | {"serviceAccountName": "sensor"}, "dependencies": [ask], "triggers": triggers},
        ),
    ]


def _responses() -> list[Object]:
    """The WorkflowTemplate, with the same image as the engine's responders."""
    step = {
        "name": "main",
        "inputs": {
            "parameters": [{"name": key, "value": f"{{{{workflow.parameters.{key}}}}}"} for key in ("namespace", "pod")]
        },
        "container": {
            "image": IMAGE,
            "command": ["python3", "-c", _DELETE],
            "env": [
                {"name": "NS", "value": "{{inputs.parameters.namespace}}"},
                {"name": "POD", "value": "{{inputs.parameters.pod}}"},
            ],
            "securityContext": WALLS,
        },
    }
    spec = {
        "entrypoint": "main",
        "serviceAccountName": "responder",
        "securityContext": PERSON,
        "arguments": {"parameters": [{"name": "namespace"}, {"name": "pod"}]},
        "templates": [step],
    }
    results = [{"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}]
    return [
        _object("v1", "ServiceAccount", "responder", RESPONSES),
        *_grant(
            "responder", RESPONSES, TARGET, [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "delete"]}]
        ),
        *_grant("responder", RESPONSES, RESPONSES, results),
        _object("argoproj.io/v1alpha1", "WorkflowTemplate", "delete-pod", RESPONSES, spec=spec),
    ]


def _controllers(cluster: Cluster) -> list[Object]:
    """Both controllers of the cluster once more, for these namespaces alone. Neither waits to be the leader."""
    made: list[Object] = []
    for namespace, name, managed, alone in (
        ("argo-events", "controller-manager", PIPELINE, ["--leader-election=false"]),
        ("argo-workflows", "workflow-controller", RESPONSES, []),
    ):
        spec = cluster.get("deployment", name, namespace)["spec"]
        labels = {"bench": name}
        spec["selector"], spec["template"]["metadata"] = {"matchLabels": labels}, {"labels": labels}
        pod, container = spec["template"]["spec"], spec["template"]["spec"]["containers"][0]
        arguments = container.get("args", [])
        own = arguments[: arguments.index("--namespaced")] if "--namespaced" in arguments else arguments
        container["args"] = [*own, *alone, "--namespaced", "--managed-namespace", managed]
        container["env"] = [*container.get("env", []), {"name": "LEADER_ELECTION_DISABLE", "value": "true"}]
        pod["serviceAccountName"] = pod["serviceAccount"] = "bench"
        group, subject = (
            "rbac.authorization.k8s.io",
            {"kind": "ServiceAccount", "name": "bench", "namespace": namespace},
        )
        role = {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"}
        made += [
            _object("v1", "ServiceAccount", "bench", namespace),
            _object(f"{group}/v1", "ClusterRoleBinding", f"bench-{namespace}", roleRef=role, subjects=[subject]),
            _object("apps/v1", "Deployment", f"bench-{name}", namespace, spec=spec),
        ]
    return made


@contextmanager
def blog(cluster: Cluster) -> Iterator[str]:
    """The first peer, in namespaces of its own; gives the address that takes alerts, inside of the cluster."""
    spaces = [_object("v1", "Namespace", name) for name in (PIPELINE, RESPONSES, TARGET)]
    controllers = _controllers(cluster)
    try:
        for objects in (spaces, controllers, _responses(), _pipeline()):
            cluster.apply(listed(objects))
        for kind, name in (("eventbus", "default"), ("eventsource", "falco"), ("sensor", "delete-pod")):
            wait(f"{kind} of the peer", lambda kind=kind, name=name: cluster.conditions(kind, name, PIPELINE))
        cluster.run("-n", PIPELINE, "wait", "--for=condition=Ready", "pods", "--all", "--timeout=120s")
        yield f"falco-eventsource-svc.{PIPELINE}.svc"
    finally:
        for kind in ("sensor", "eventsource", "eventbus"):
            cluster.run("-n", PIPELINE, "delete", kind, "--all", "--timeout=60s", check=False)
        cluster.run("-n", RESPONSES, "delete", "workflows", "--all", "--timeout=60s", check=False)
        for each in controllers:
            where = each["metadata"].get("namespace", "default")
            cluster.run("-n", where, "delete", each["kind"], each["metadata"]["name"], check=False)
        cluster.run("delete", "namespace", PIPELINE, RESPONSES, "--timeout=60s", check=False)


_RULES = f"""
- action: Label the pod
  actionner: kubernetes:label
  parameters:
    labels:
      bench/quarantine: "true"
- action: Terminate the pod
  actionner: kubernetes:terminate
  parameters:
    grace_period_seconds: 1
    ignore_standalone_pods: false
- rule: Label
  match:
    rules: [Contact K8S API Server From Container]
    output_fields: [k8s.ns.name={TARGET}]
  actions:
  - action: Label the pod
- rule: Terminate
  match:
    rules: [{RULE}]
    output_fields: [k8s.ns.name={TARGET}]
  actions:
  - action: Terminate the pod
"""


@contextmanager
def talon() -> Iterator[Callable[[Object], float]]:
    """The second peer, as a process here that is an administrator; gives a way to post an alert, which returns when."""
    with tempfile.TemporaryDirectory() as home:
        config, rules = Path(home, "config.yaml"), Path(home, "rules.yaml")
        config.write_text(
            f'listen_address: "127.0.0.1"\nlisten_port: {SERVED}\nkubeconfig: {os.environ["KUBECONFIG"]}\n'
            "watch_rules: false\nlog_format: json\nrules_files: []\ndeduplication: {leader_election: false}\n"
        )
        rules.write_text(_RULES)
        command = [os.environ[TALON], "server", "--config", str(config), "--rules", str(rules)]
        with open(f"{home}/log", "w", encoding="utf-8") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=home)
        try:
            wait("Falco Talon", _serves, 30)
            yield _post
        finally:
            print(Path(home, "log").read_text()[-2000:])
            process.terminate()
            process.wait()


def _serves() -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", SERVED)) == 0


def _post(alert: Object) -> float:
    body, headers = json.dumps(alert).encode(), {"Content-Type": "application/json"}
    sent = time.time()
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{SERVED}/", body, headers), timeout=10).close()
    return sent
