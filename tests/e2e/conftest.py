"""A cluster that has opted in, with the engine of dev on it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from e2e.kubectl import PROJECT, Cluster, wait

LEAVES = ("argo-events", "argo-workflows", "detection", "demo", "pipeline", "responses", "targets")


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The cluster of KUBECONFIG. Nothing is touched before it has said that it may be."""
    known = Cluster()
    if known.try_get("configmap", "kre-e2e", "kube-system") is None:
        pytest.fail("this cluster has no ConfigMap kre-e2e in kube-system: see tests/e2e/README.md", pytrace=False)
    return known


@pytest.fixture(scope="session")
def engine(cluster: Cluster) -> Iterator[Cluster]:
    """dev's leaves applied as they are rendered, everything up, and nothing left of an earlier run."""
    token = subprocess.run([sys.executable, "-m", "kre", "token"], check=True, capture_output=True, text=True).stdout
    cluster.apply(token)
    cluster.apply(SENDER)
    for leaf in LEAVES:
        cluster.run("apply", "--kustomize", str(PROJECT / "overlays/dev/leaves" / leaf))
    cluster.run("-n", "kre-responses", "delete", "workflows", "--all")
    for kind, name in (("eventbus", "default"), ("eventsource", "falco"), ("sensor", "delete-pod")):
        wait(f"{kind} {name}", lambda kind=kind, name=name: cluster.conditions(kind, name, "kre-pipeline"))
    for namespace in ("kre-pipeline", "kre-demo", "falco"):
        cluster.run("-n", namespace, "wait", "--for=condition=Ready", "pods", "--all", "--timeout=180s")
    yield cluster
    cluster.run("-n", "falco", "delete", "pod", "falcosidekick", "stranger", "--grace-period=0", "--force")


_POD = """
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: falco
  labels: {{app.kubernetes.io/name: {name}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: {image}
    command: [python3, -c, "import time; time.sleep(1e6)"]
    envFrom:
    - secretRef: {{name: falcosidekick-webhook}}
---
"""
IMAGE = "docker.io/library/python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b"
# Stands for Falcosidekick, with its label and its Secret; and a neighbour that has the Secret but not the label.
SENDER = "".join(_POD.format(name=name, image=IMAGE) for name in ("falcosidekick", "stranger"))
