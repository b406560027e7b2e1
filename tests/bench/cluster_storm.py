"""A storm of alerts about some pods, and what alerts about others wait meanwhile; by the way through the intake, and as
it was, straight to the EventSource."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from bench.cluster_watch import Watch, watching
from e2e.engine import DEMO, INTAKE, PIPELINE, RESPONSES, Engine, pod_spec
from e2e.faults.records import Records, following
from e2e.kubectl import Cluster, Object, alert, wait
from e2e.load import HOST, Answer, Barrage, shot

PROBES, ASSUMED = 20, 400.0  # of each class; alerts a second where the storm has no rate, to spread the probes over it
# response, alerts, pods that they are about, alerts a second (0: as fast as they are taken)
STORMS = (
    ("delete-pod", 1000, 1, 50),
    ("delete-pod", 1000, 50, 50),
    ("isolate-pod", 1000, 50, 50),
    ("delete-pod", 10_000, 50, 0),
)
STRAIGHT = "falco-webhook.kre-pipeline.svc"
QUIET = 5.0  # seconds without anything new, after which a storm is over
# Names of pods begin with these.
PARTS = {"eventbus-": "bus", "falco-eventsource-": "EventSource", "dispatcher-": "dispatcher", "intake-": "intake"}
PARTS |= {"recorder-": "recorder", "": "Sensor"}
STEP = {"isolate-pod": ("pod", "label:kre/quarantine"), "delete-pod": ("workflow", "made")}


@dataclass(frozen=True)
class Storm:
    """What one storm did. Times in seconds: of probes from their POST till they were acted on."""

    response: str
    alerts: int
    pods: int
    asked: float  # alerts a second; 0: as fast as they are taken
    taken: int
    rate: float  # taken a second
    drained: float | None  # from the first POST till the last record of a first delivery
    workflows: int | None
    memory: dict[str, tuple[float, float]]  # part -> MiB before, MiB at the end
    outcomes: dict[str, int] = field(default_factory=dict)
    same: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)


@contextmanager
def straight(cluster: Cluster) -> Iterator[str]:
    """A way past the intake, until the block ends; gives the address."""
    sender = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "falco"}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "falcosidekick"}},
    }
    spec = {
        "podSelector": {"matchLabels": {"eventsource-name": "falco"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [sender], "ports": [{"port": 12000}]}],
    }
    metadata = {"name": "bench-straight", "namespace": PIPELINE}
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    cluster.apply(json.dumps({**kind, "metadata": metadata, "spec": spec}))
    try:
        yield STRAIGHT
    finally:
        cluster.run("-n", PIPELINE, "delete", "networkpolicy", "bench-straight")


@contextmanager
def targets(cluster: Cluster, name: str, count: int, namespace: str = DEMO) -> Iterator[list[tuple[str, str]]]:
    """(name, uid) of so many pods that no node runs: what is measured is how soon something is done about them."""
    idle = pod_spec(["true"]) | {"schedulerName": "nobody"}
    names = [f"{name}-{index}" for index in range(count)]
    pods: list[Object] = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": each, "namespace": namespace}, "spec": idle}
        for each in names
    ]
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
    try:
        known = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in cluster.list("pods", namespace)}
        yield [(each, known[each]) for each in names]
    finally:
        gone = ("--wait=false", "--grace-period=0", "--force", "--ignore-not-found")
        cluster.run("-n", namespace, "delete", "pods", *names, *gone)


def storm(engine: Engine, response: str, alerts: int, pods: int, asked: float, host: str = HOST) -> Storm:
    """Posts `alerts` about `pods` pods in turn, `asked` a second, and probes of this response and of another about
    other pods meanwhile."""
    cluster, other = engine.cluster, next(name for name in STEP if name != response)
    paths = (f"/api/v1/namespaces/{DEMO}/pods", f"/apis/argoproj.io/v1alpha1/namespaces/{RESPONSES}/workflows")
    engine.hurry()  # or second posts of the storm before would act, for what it counted is forgotten
    engine.forget()
    cluster.run("-n", RESPONSES, "delete", "workflows", "--all")
    wait("the end of their pods", lambda: not cluster.list("pods", RESPONSES))
    before = memory(cluster)
    with (
        following(cluster) as records,
        watching(*paths) as watch,
        targets(cluster, "storm", pods) as hit,
        targets(cluster, "probe", 2 * PROBES) as probed,
    ):
        made = [alert(response, DEMO, *hit[index % pods]) for index in range(alerts)]
        probes = [(response if index % 2 else other, pod) for index, pod in enumerate(probed)]
        told = {pod[0]: alert(kind, DEMO, *pod) for kind, pod in probes}
        rate = 2 * PROBES * (asked or ASSUMED) / alerts
        with ThreadPoolExecutor() as pool:
            flood = pool.submit(posted_all, made, host, asked)
            few = pool.submit(posted_all, list(told.values()), host, rate)
        answers, probe_answers = flood.result(), few.result()
        waits: dict[str, list[float]] = {response: [], other: []}
        for kind, (pod, _) in probes:
            step, state = STEP[kind]
            waits[kind].append(waited(watch, (step, pod, state), probe_answers[told[pod]["uuid"]].sent))
        settled(lambda: len(records.by_alert()))
        return _figures((response, pods, asked), answers, records, cluster, before, (waits[response], waits[other]))


def posted_all(made: list[Object], host: str, rate: float) -> dict[str, Answer]:
    """All of them, with what came of each. Asked for their answers seldom, for there are megabytes of them."""
    return Barrage([shot(each) for each in made], rate=rate, host=host, detached=True).answers(600, 3)


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


def settled(count: Callable[[], int]) -> None:
    """Until there are no more of what it counts, of alerts that somebody has spoken of, say."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < QUIET:
        if (now := count()) != seen:
            seen, since = now, time.monotonic()
        time.sleep(0.5)


def waited(watch: Watch, key: tuple[str, str, str], sent: float) -> float:
    """Seconds from then until that was seen."""
    wait(f"{key}", lambda: key in watch.seen, 600, 0.05)
    return watch.seen[key] - sent


def _repeated(cluster: Cluster) -> set[str]:
    """The alerts that the intakes say they kept back."""
    lines = cluster.logs(PIPELINE, INTAKE, lines=100_000).splitlines()
    found = (json.loads(line) for line in lines if '"repeated"' in line)
    return {str(each["alert"]) for each in found if each["outcome"] == "repeated"}


def _figures(
    about: tuple[str, int, float],
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
    said = [told[answer.key][0] for answer in taken if answer.key in told]
    outcomes = Counter(str(each["outcome"]) for each in said)
    repeated = _repeated(cluster)
    outcomes["kept back"] = sum(answer.key in repeated for answer in taken if answer.key not in told)
    outcomes["lost"] = len(taken) - len(said) - outcomes["kept back"]
    workflows = len(cluster.list("workflows", RESPONSES, f"kre/response={about[0]}")) - len(waits[0])
    after = memory(cluster)
    return Storm(
        about[0],
        len(answers),
        *about[1:],
        len(taken),
        len(taken) / sending,
        max(datetime.fromisoformat(each["time"]).timestamp() for each in said) - first,
        workflows,
        {part: (before.get(part, 0.0), used) for part, used in after.items()},
        dict(outcomes),
        *waits,
    )
