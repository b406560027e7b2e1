"""The measuring: one alert after the other, each until the API server tells of what came of it."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench import cluster_peers as peers
from bench import cluster_report as report
from bench import cluster_storm_peers as storm_peers
from bench import cluster_storm_report as storm_report
from bench import page
from bench.cluster_storm import HOST, STORMS, Storm, storm, straight
from bench.cluster_watch import Watch, watching
from e2e.conftest import _sender
from e2e.controllers import without_workflows
from e2e.engine import DEMO, ENDED, PIPELINE, RESPONSES, Engine, pod_spec
from e2e.kubectl import Cluster, Object, alert, wait
from e2e.load import Barrage, shot

ROUNDS = int(os.environ.get("KRE_BENCH_ROUNDS", "20"))
FOREVER = ["python3", "-c", "import signal, sys; signal.signal(15, lambda *_: sys.exit()); signal.pause()"]
QUARANTINE = "label:kre/quarantine"
WARM_UP = ("delete-pod", 200, 1, 20)  # what the parts do for the first time is no storm's
Times = dict[str, list[float]]


def victims(cluster: Cluster, namespace: str, name: str) -> list[tuple[str, str]]:
    """(name, uid) of so many pods without an owner, all running."""
    pods: list[Object] = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"{name}-{index}", "namespace": namespace, "labels": {"bench": name}},
            "spec": pod_spec(FOREVER) | {"terminationGracePeriodSeconds": 5},
        }
        for index in range(ROUNDS)
    ]
    cluster.apply(peers.listed(pods))
    cluster.run("-n", namespace, "wait", "--for=condition=Ready", "pods", f"--selector=bench={name}", "--timeout=240s")
    found = cluster.list("pods", namespace, f"bench={name}")
    return [(pod["metadata"]["name"], pod["metadata"]["uid"]) for pod in found]


@contextmanager
def some(cluster: Cluster, namespace: str, name: str) -> Iterator[list[tuple[str, str]]]:
    try:
        yield victims(cluster, namespace, name)
    finally:
        names = [f"{name}-{index}" for index in range(ROUNDS)]  # not by the label: isolation takes it
        cluster.run("-n", namespace, "delete", "pods", *names, "--wait=false", "--grace-period=1", "--ignore-not-found")


def posted(made: Object, host: str = HOST) -> float:
    """Posts it as Falcosidekick does; returns when (epoch seconds)."""
    answer = Barrage([shot(made)], host=host).answers()[made["uuid"]]
    assert answer.status == "200", answer
    return answer.sent


def one(watch: Watch, sent: float, times: Times, *steps: tuple[str, tuple[str, str, str]]) -> None:
    """Waits until each of the steps was seen, and notes how long it took."""
    for name, key in steps:
        wait(f"{name} of {key[1]}", lambda key=key: key in watch.seen, 60, 0.05)
        times.setdefault(name, []).append(watch.seen[key] - sent)


def engine(cluster: Cluster, host: str = HOST) -> Times:
    """This engine, its way begun at `host`: isolate-pod, whose label is set by the fast lane, and delete-pod."""
    ran, times = Engine(cluster), Times()
    ran.forget()
    cluster.run("-n", RESPONSES, "delete", "workflows", "--all")  # pods of these names had others before
    cap = cluster.get("configmap", "settings", PIPELINE)["data"]["cap"]
    ran.set(cap="1000")
    collections = (f"/api/v1/namespaces/{DEMO}/pods", f"/apis/argoproj.io/v1alpha1/namespaces/{RESPONSES}/workflows")
    try:
        with watching(*collections) as watch:
            with some(cluster, DEMO, "bench-isolate") as pods:
                for pod, uid in pods:
                    sent = posted(alert("isolate-pod", DEMO, pod, uid), host)
                    one(watch, sent, times, ("label set", ("pod", pod, QUARANTINE)))
                    _quiet(cluster, RESPONSES)
            with some(cluster, DEMO, "bench-delete") as pods:
                for pod, uid in pods:
                    sent = posted(alert("delete-pod", DEMO, pod, uid), host)
                    one(watch, sent, times, *_steps(pod))
                    _quiet(cluster, RESPONSES)
    finally:
        ran.set(cap=cap)
        ran.forget()
    return times


def before(cluster: Cluster) -> Times:
    """This engine as it was before the intake."""
    with straight(cluster) as host:
        return engine(cluster, host)


def _steps(pod: str) -> tuple[tuple[str, tuple[str, str, str]], ...]:
    return (
        ("Workflow made", ("workflow", pod, "made")),
        ("deletion asked for", ("pod", pod, "going")),
        ("pod gone", ("pod", pod, "gone")),
    )


def _quiet(cluster: Cluster, namespace: str) -> None:
    """Until every Workflow has ended: one alert at a time."""

    def ended() -> bool:
        phases = [item.get("status", {}).get("phase") for item in cluster.list("workflows", namespace)]
        return all(phase in ENDED for phase in phases)

    wait("the end of the Workflows", ended, 60, 0.2)


def storms(cluster: Cluster) -> dict[str, list[Storm]]:
    """The same storms by both ways, with a cap that none of them meets, and once more with their Workflows running."""
    ran = Engine(cluster)
    cap = cluster.get("configmap", "settings", PIPELINE)["data"]["cap"]
    ran.set(cap="20000")
    storm(ran, *WARM_UP)
    try:
        with without_workflows(cluster):
            found = {storm_report.INTAKE: [_told(storm(ran, *each)) for each in STORMS]}
            with straight(cluster) as host:
                found[storm_report.STRAIGHT] = [_told(storm(ran, *each, host)) for each in STORMS]
        found[storm_report.RUNNING] = [_told(storm(ran, *each)) for each in STORMS]
    finally:
        ran.set(cap=cap)
        ran.forget()
    return found


def _told(storm: Storm) -> Storm:
    """It takes minutes for each."""
    print(storm, file=sys.stderr, flush=True)
    return storm


def blog(cluster: Cluster) -> Times:
    """A Sensor that makes the Workflow by itself."""
    times = Times()
    with peers.blog(cluster) as host:
        collections = (
            f"/api/v1/namespaces/{peers.TARGET}/pods",
            f"/apis/argoproj.io/v1alpha1/namespaces/{peers.RESPONSES}/workflows",
        )
        with watching(*collections) as watch, some(cluster, peers.TARGET, "bench-delete") as pods:
            for pod, uid in pods:
                sent = posted(alert("delete-pod", peers.TARGET, pod, uid), host)
                one(watch, sent, times, *_steps(pod))
                _quiet(cluster, peers.RESPONSES)
    return times


def talon(cluster: Cluster) -> Times:
    """Falco Talon: no Workflow, it acts by itself."""
    times = Times()
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": peers.TARGET}}))
    with peers.talon() as post, watching(f"/api/v1/namespaces/{peers.TARGET}/pods") as watch:
        with some(cluster, peers.TARGET, "bench-label") as pods:
            for pod, uid in pods:
                made = alert("notify", peers.TARGET, pod, uid, output=f"about {pod}")  # it takes the text for an id
                one(watch, post(made), times, ("label set", ("pod", pod, "label:bench/quarantine")))
        with some(cluster, peers.TARGET, "bench-delete") as pods:
            for pod, uid in pods:
                made = alert("delete-pod", peers.TARGET, pod, uid, output=f"about {pod}")
                one(watch, post(made), times, *_steps(pod)[1:])
    return times


def versions(cluster: Cluster) -> str:
    """What ran, as far as the cluster says."""
    known = json.loads(cluster.run("version", "--output=json"))["serverVersion"]["gitVersion"]
    parts = [f"Kubernetes {known.lstrip('v')}"]
    for name, namespace, deployment in (
        ("Argo Events", "argo-events", "controller-manager"),
        ("Argo Workflows", "argo-workflows", "workflow-controller"),
    ):
        text = cluster.run("-n", namespace, "logs", f"deployment/{deployment}", "--tail=-1", check=False)
        parts.append(f"{name} {report.version(text) or os.environ.get(report.variable(name), 'of the cluster')}")
    return ", ".join(parts)


def run() -> int:
    """Measures, and writes the page. Returns 3 where the cluster has not opted in."""
    cluster = Cluster()
    if cluster.try_get("configmap", "kre-e2e", "kube-system") is None:
        print("this cluster has no ConfigMap kre-e2e in kube-system: see tests/e2e/README.md", file=sys.stderr)
        return 3
    cluster.run("-n", "falco", "delete", "pod", "falcosidekick", "--ignore-not-found", "--grace-period=0", "--force")
    cluster.apply(json.dumps(_sender("falcosidekick")))
    cluster.run("-n", "falco", "wait", "--for=condition=Ready", "pod/falcosidekick", "--timeout=60s")
    machine = f"{os.cpu_count()} CPUs, Python {platform.python_version()}, {versions(cluster)}"
    only = os.environ.get("KRE_BENCH_ONLY", "")
    if only in ("", "storms"):
        peer = {report.BLOG: storm_peers.blog}
        if os.environ.get(peers.TALON):
            peer[report.TALON] = storm_peers.talon
        beside = {name: [_told(each) for each in measure(cluster)] for name, measure in peer.items()}
        text = storm_report.section(machine, storms(cluster), beside)
        page.write(storm_report.TITLE, text)
        print(text)
    return 0 if only == "storms" else alone(cluster, machine)


def alone(cluster: Cluster, machine: str) -> int:
    """One alert after the other, beside peers."""
    runs: dict[str, Callable[[Cluster], Times]] = {report.ENGINE: engine, report.STRAIGHT: before, report.BLOG: blog}
    if os.environ.get(peers.TALON):
        runs[report.TALON] = talon
    taken = {name: measure(cluster) for name, measure in runs.items()}
    cluster.run("delete", "namespace", peers.TARGET, "--ignore-not-found", "--wait=false")
    text = report.section(machine, taken, report.figures(os.environ.get("KRE_E2E_FIGURES", "")))
    if counts := report.account(os.environ.get("KRE_E2E_FIGURES", "")):
        text += report.ACCOUNT.format(**counts)
    page.write(report.TITLE, text)
    print(text)
    return 0
