"""Storms of the same alerts with the two peers, as far as they can be had."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

from bench import cluster_peers as peers
from bench.cluster_storm import PROBES, Storm, posted_all, settled, targets, waited
from bench.cluster_watch import watching
from e2e.kubectl import Cluster, Object, alert

STORMS = ((1000, 1, 50), (1000, 50, 50))  # alerts, pods that they are about, alerts a second
PODS = f"/api/v1/namespaces/{peers.TARGET}/pods"
WORKFLOWS = f"/apis/argoproj.io/v1alpha1/namespaces/{peers.RESPONSES}/workflows"
Sent = dict[str, tuple[float, bool]]  # uuid -> when (epoch seconds), and whether it was taken


def blog(cluster: Cluster) -> list[Storm]:
    """A Sensor that makes a Workflow for each alert; as with this engine, none of them runs."""
    with peers.blog(cluster) as host:
        scale = ("scale", "deployment/bench-workflow-controller", "--replicas=0")
        cluster.run("-n", "argo-workflows", *scale)
        made = []
        for alerts, pods, rate in STORMS:
            made.append(_blog(cluster, host, alerts, pods, rate))
            cluster.run("-n", peers.RESPONSES, "delete", "workflows", "--all")
        return made


def _blog(cluster: Cluster, host: str, alerts: int, pods: int, rate: float) -> Storm:
    def send(flood: list[Object], few: list[Object]) -> Sent:
        with ThreadPoolExecutor() as pool:
            both = [
                pool.submit(posted_all, flood, host, rate),
                pool.submit(posted_all, few, host, rate * len(few) / alerts),
            ]
        found = {key: each for one in both for key, each in one.result().items()}
        return {key: (each.sent, each.status == "200") for key, each in found.items()}

    kinds = {"delete-pod": ("workflow", "made")}
    with _storm(cluster, (alerts, pods, rate), kinds, send, WORKFLOWS) as (flood, sent, waits):
        settled(lambda: len(cluster.list("workflows", peers.RESPONSES)))
        there = cluster.list("workflows", peers.RESPONSES)
        taken = [sent[each["uuid"]][0] for each in flood if sent[each["uuid"]][1]]
        mine = [item["metadata"]["creationTimestamp"] for item in there if "storm-" in json.dumps(item["spec"])]
        drained = max(datetime.fromisoformat(each).timestamp() for each in mine) - min(taken)
        outcomes = {"kept back": 0, "lost": len(taken) - len(mine)}
        (same,) = waits.values()
    return Storm("delete-pod", alerts, pods, rate, len(taken), _rate(taken), drained, len(mine), {}, outcomes, same, [])


def talon(cluster: Cluster) -> list[Storm]:
    """Falco Talon, which labels; and deletes, for the other alerts."""
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": peers.TARGET}}))
    with peers.talon() as post:
        return [_talon(cluster, post, *each) for each in STORMS]


def _talon(cluster: Cluster, post: Callable[[Object], float], alerts: int, pods: int, rate: float) -> Storm:
    def send(flood: list[Object], few: list[Object]) -> Sent:
        start = time.time()
        due = [(start + index / rate, each) for index, each in enumerate(flood)]
        due += [(start + index * alerts / rate / len(few), each) for index, each in enumerate(few)]

        def one(at: float, each: Object) -> tuple[float, bool]:
            time.sleep(max(0.0, at - time.time()))
            return post(each), True

        with ThreadPoolExecutor(16) as pool:
            made = {each["uuid"]: pool.submit(one, at, each) for at, each in sorted(due, key=lambda pair: pair[0])}
        return {key: each.result() for key, each in made.items()}

    kinds = {"notify": ("pod", "label:bench/quarantine"), "delete-pod": ("pod", "going")}
    with _storm(cluster, (alerts, pods, rate), kinds, send, PODS) as (flood, sent, waits):
        taken = [sent[each["uuid"]][0] for each in flood]
        same, other = waits.values()
    return Storm("label", alerts, pods, rate, len(taken), _rate(taken), None, None, {}, {}, same, other)


def _rate(taken: list[float]) -> float:
    return len(taken) / (max(taken) - min(taken))


@contextmanager
def _storm(
    cluster: Cluster,
    about: tuple[int, int, float],
    kinds: dict[str, tuple[str, str]],
    send: Callable[[list[Object], list[Object]], Sent],
    path: str,
) -> Iterator[tuple[list[Object], Sent, dict[str, list[float]]]]:
    """Sends the storm of the first kind, and probes of each kind meanwhile; gives what was sent, and how long each
    probe took by kind."""
    alerts, pods, _ = about
    first = next(iter(kinds))
    with (
        targets(cluster, "storm", pods, peers.TARGET) as hit,
        targets(cluster, "probe", len(kinds) * PROBES, peers.TARGET) as probed,
        watching(path) as watch,
    ):
        flood = [_alert(first, *hit[index % pods]) for index in range(alerts)]
        probes = [(list(kinds)[index % len(kinds)], pod) for index, pod in enumerate(probed)]
        few = [_alert(kind, *pod) for kind, pod in probes]
        sent = send(flood, few)
        waits: dict[str, list[float]] = {kind: [] for kind in kinds}
        for (kind, (pod, _)), each in zip(probes, few, strict=True):
            step, state = kinds[kind]
            waits[kind].append(waited(watch, (step, pod, state), sent[each["uuid"]][0]))
        yield flood, sent, waits


def _alert(kind: str, pod: str, uid: str) -> Object:
    return alert(kind, peers.TARGET, pod, uid, output=f"about {pod}")  # Falco Talon takes the text for an id
