"""How each part is made to fail, and how one knows that it is back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from e2e.controllers import WORKFLOWS
from e2e.engine import DISPATCHER, INTAKE, PIPELINE
from e2e.kubectl import Cluster, Object

RESTART = "KRE_E2E_RESTART_APISERVER"  # a command that ends the API server and starts it again
SENSOR, SOURCE, BUS = "sensor-name=notify", "eventsource-name=falco", "controller=eventbus-controller"
RULES = 1  # the place of the rules among a Sensor's filters


@dataclass(frozen=True)
class Fault:
    """`strike` does it and returns a question: is all back? `acting` asks for Workflows that run to their end
    meanwhile."""

    name: str
    strike: Callable[[Cluster], Callable[[], bool]]
    acting: bool = False


def pods(cluster: Cluster, selector: str, namespace: str = PIPELINE) -> list[Object]:
    return cluster.list("pods", namespace, selector)


def killing(
    selector: str, *, count: int = 99, namespace: str = PIPELINE, hard: bool = True
) -> Callable[[Cluster], Callable[[], bool]]:
    """Deletes so many pods of a kind, with no time to end well if it is hard."""

    def strike(cluster: Cluster) -> Callable[[], bool]:
        before = pods(cluster, selector, namespace)
        names = [pod["metadata"]["name"] for pod in before][:count]
        gone = {pod["metadata"]["uid"] for pod in before if pod["metadata"]["name"] in names}
        how = ("--grace-period=0", "--force") if hard else ()
        cluster.run("-n", namespace, "delete", "pod", *names, "--wait=false", *how)
        return lambda: _back(pods(cluster, selector, namespace), gone, len(before))

    return strike


def _back(now: list[Object], gone: set[str], count: int) -> bool:
    ready = [
        pod["metadata"]["uid"]
        for pod in now
        if any(item["type"] == "Ready" and item["status"] == "True" for item in pod["status"].get("conditions", []))
        and "deletionTimestamp" not in pod["metadata"]
    ]
    return len(ready) == count and not gone & set(ready)


def edited(change: Callable[[Object], Object]) -> Callable[[Cluster], Callable[[], bool]]:
    """Changes the Sensor, as a commit would."""

    def strike(cluster: Cluster) -> Callable[[], bool]:
        before = {pod["metadata"]["uid"] for pod in pods(cluster, SENSOR)}
        sensor = cluster.get("sensor", "notify", PIPELINE)
        cluster.merge("sensor", "notify", PIPELINE, {"spec": change(sensor["spec"])})
        return lambda: _back(pods(cluster, SENSOR), before, 1) and len(pods(cluster, SENSOR)) == 1

    return strike


def _label(spec: Object) -> Object:
    return {"template": {"metadata": {"labels": {"edited": "yes"}}}}


def _filter(spec: Object) -> Object:
    """One more rule that the Sensor listens to."""
    known = spec["dependencies"][0]["filters"]["data"][RULES]
    assert known["path"] == "body.rule"
    known["value"] = [known["value"][0].replace(")$", "|No such rule)$")]
    return {"dependencies": spec["dependencies"]}


def _restart(cluster: Cluster) -> Callable[[], bool]:
    subprocess.run(["sh", "-c", os.environ[RESTART]], check=True, timeout=120, stdout=subprocess.DEVNULL)
    return lambda: cluster.try_run("get", "--raw", "/readyz")[0] == 0


FAULTS = [
    # First: with hundreds of Workflows that wait for a person, a controller that starts again takes a minute for all.
    Fault("workflow controller: pod killed", killing("pod-template-hash", namespace=WORKFLOWS[0]), acting=True),
    Fault("API server: restarted", _restart, acting=True),
    Fault("Sensor: filter edited", edited(_filter)),
    Fault("Sensor: pod killed", killing(SENSOR)),
    Fault("Sensor: pod deleted", killing(SENSOR, hard=False)),
    Fault("Sensor: pod's label edited", edited(_label)),
    Fault("EventSource: one of two pods killed", killing(SOURCE, count=1)),
    Fault("EventSource: both pods killed", killing(SOURCE)),
    Fault("bus: one of three servers killed", killing(BUS, count=1)),
    Fault("dispatcher: both pods killed", killing(DISPATCHER)),
    Fault("dispatcher: both pods deleted", killing(DISPATCHER, hard=False)),
    # Last: what waits in it for its second post goes along, and that of the first of these is needed.
    Fault("intake: one of two pods killed", killing(INTAKE, count=1)),
]
