"""A storm of alerts about some pods, and what alerts about others wait meanwhile."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from bench.cluster_watch import Watch, watching
from e2e.engine import DEMO, PIPELINE, RESPONSES, Engine, pod_spec
from e2e.faults.records import Records, following
from e2e.kubectl import Cluster, Object, alert, wait
from e2e.load import Answer, Barrage, shot

PROBES, SPREAD = 20, 16.0  # of each class; all of them a second, from the beginning of the storm on
# Names of pods begin with these.
PARTS = {"eventbus-": "bus", "falco-eventsource-": "EventSource", "dispatcher-": "dispatcher", "": "Sensor"}
STEP = {"isolate-pod": ("pod", "label:kre/quarantine"), "delete-pod": ("workflow", "made")}


@dataclass(frozen=True)
class Storm:
    """What one storm did. Times in seconds: of probes from their POST till they were acted on."""

    response: str
    alerts: int
    pods: int
    taken: int
    rate: float  # taken a second
    drained: float  # from the first POST till the last record
    workflows: int
    memory: dict[str, tuple[float, float]]  # part -> MiB before, MiB at the end
    outcomes: dict[str, int] = field(default_factory=dict)
    same: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)


@contextmanager
def targets(cluster: Cluster, name: str, count: int) -> Iterator[list[tuple[str, str]]]:
    """(name, uid) of so many pods that no node runs: what is measured is how soon something is done about them."""
    idle = pod_spec(["true"]) | {"schedulerName": "nobody"}
    names = [f"{name}-{index}" for index in range(count)]
    pods: list[Object] = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": each, "namespace": DEMO}, "spec": idle}
        for each in names
    ]
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
    try:
        known = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in cluster.list("pods", DEMO)}
        yield [(each, known[each]) for each in names]
    finally:
        gone = ("--wait=false", "--grace-period=0", "--force", "--ignore-not-found")
        cluster.run("-n", DEMO, "delete", "pods", *names, *gone)


def storm(engine: Engine, response: str, alerts: int, pods: int) -> Storm:
    """Posts `alerts` as fast as they are taken, about `pods` pods in turn, and probes of this response and of another
    about other pods meanwhile."""
    cluster, other = engine.cluster, next(name for name in STEP if name != response)
    paths = (f"/api/v1/namespaces/{DEMO}/pods", f"/apis/argoproj.io/v1alpha1/namespaces/{RESPONSES}/workflows")
    engine.forget()
    cluster.run("-n", RESPONSES, "delete", "workflows", "--all")
    before = memory(cluster)
    with (
        following(cluster) as records,
        watching(*paths) as watch,
        targets(cluster, "storm", pods) as hit,
        targets(cluster, "probe", 2 * PROBES) as probed,
    ):
        made = [alert(response, DEMO, *hit[index % pods]) for index in range(alerts)]
        probes = [(response if index % 2 else other, pod) for index, pod in enumerate(probed)]
        asked = {pod[0]: alert(kind, DEMO, *pod) for kind, pod in probes}
        with ThreadPoolExecutor() as pool:
            flood = pool.submit(lambda: Barrage([shot(each) for each in made]).answers())
            few = pool.submit(lambda: Barrage([shot(each) for each in asked.values()], rate=SPREAD).answers())
        answers, probe_answers = flood.result(), few.result()
        taken = [key for key, answer in answers.items() if answer.status == "200"]
        _settled(records, [*taken, *probe_answers])
        waits: dict[str, list[float]] = {response: [], other: []}
        for kind, (pod, _) in probes:
            waits[kind].append(_waited(watch, kind, pod, probe_answers[asked[pod]["uuid"]]))
        return _figures((response, pods), answers, records, cluster, before, (waits[response], waits[other]))


def memory(cluster: Cluster) -> dict[str, float]:
    """MiB in use by each part of the pipeline, by what the kubelets say: the most of its pods."""
    found: dict[str, float] = {}
    for node in json.loads(cluster.run("get", "nodes", "--output=json"))["items"]:
        path = f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary"
        for pod in json.loads(cluster.run("get", "--raw", path))["pods"]:
            if pod["podRef"]["namespace"] == PIPELINE and "memory" in pod:
                part = next(each for each in PARTS if pod["podRef"]["name"].startswith(each))
                used = pod["memory"].get("workingSetBytes", 0) / 2**20
                found[PARTS[part]] = max(found.get(PARTS[part], 0.0), used)
    return found


def _settled(records: Records, keys: list[str]) -> None:
    wait("a record of each alert", lambda: records.by_alert().keys() >= set(keys), 300, 0.5)


def _waited(watch: Watch, response: str, pod: str, sent: Answer) -> float:
    kind, state = STEP[response]
    key = (kind, pod, state)
    wait(f"{state} of {pod}", lambda: key in watch.seen, 60, 0.05)
    return watch.seen[key] - sent.sent


def _figures(
    storm: tuple[str, int],
    answers: dict[str, Answer],
    records: Records,
    cluster: Cluster,
    before: dict[str, float],
    waits: tuple[list[float], list[float]],
) -> Storm:
    told = records.by_alert()
    taken = [answer for answer in answers.values() if answer.status == "200"]
    first = min(answer.sent for answer in taken)
    sending = max(answer.sent + answer.seconds for answer in taken) - first
    ends = [datetime.fromisoformat(told[answer.key][-1]["time"]).timestamp() for answer in taken]
    outcomes = Counter(told[answer.key][-1]["outcome"] for answer in taken)
    workflows = len(cluster.list("workflows", RESPONSES, f"kre/response={storm[0]}")) - len(waits[0])
    after = memory(cluster)
    return Storm(
        storm[0],
        len(answers),
        storm[1],
        len(taken),
        len(taken) / sending,
        max(ends) - first,
        workflows,
        {part: (before.get(part, 0.0), used) for part, used in after.items()},
        dict(outcomes),
        *waits,
    )
