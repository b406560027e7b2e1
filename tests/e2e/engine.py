"""The engine of dev on a cluster, as an operator sees it: alerts in, records, Workflows and Events out."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from e2e.kubectl import Cluster, Object, alert, wait

PIPELINE, RESPONSES, DEMO = "kre-pipeline", "kre-responses", "kre-demo"
DISPATCHER = "app.kubernetes.io/name=dispatcher"
INTAKE = "app.kubernetes.io/name=intake"
VICTIMS = 12  # pods of the Deployment that most alerts are about
LINES = 600  # of a log that are read for what was said a moment ago
ENDED = ("Succeeded", "Failed", "Error")
IMAGE = "docker.io/library/python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b"
WALLS: Object = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
PERSON: Object = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}


def pod_spec(command: list[str]) -> Object:
    """A pod that a restricted namespace takes, and that ends at once."""
    container = {"name": "main", "image": IMAGE, "command": command, "securityContext": WALLS}
    quick = {"terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False}
    return quick | {"securityContext": PERSON, "containers": [container]}


class Engine:
    """What is asked and told, on one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.given, self._busy = set[str](), set[str]()  # uids of pods
        self._lock = Lock()

    def said(self, alert_id: str, part: str = "dispatcher") -> list[Object]:
        """The records about an alert, of the intake, the dispatcher or the responders."""
        mine = {"dispatcher": DISPATCHER, "intake": INTAKE}
        where = (PIPELINE, mine[part]) if part in mine else (RESPONSES, "workflows.argoproj.io/workflow")
        text = self.cluster.logs(*where, container="" if part in mine else "main", lines=LINES)
        lines = [json.loads(line) for line in text.splitlines() if alert_id in line and line.startswith("{")]
        return [line for line in lines if line.get("alert") == alert_id and line.get("part") == part]

    def send(self, response: str, namespace: str, pod: str, uid: str, **changes: Any) -> Object:
        """Posts an alert about a pod, and waits for what the dispatcher says of it."""
        made = alert(response, namespace, pod, uid, **changes)
        status = self.cluster.post(made)
        assert status == "200", status
        return wait(f"the dispatcher's record of {made['uuid']}", lambda: self.said(made["uuid"]))[-1]

    def workflow(self, name: str) -> Object:
        return self.cluster.get("workflow", name, RESPONSES)

    def phase(self, name: str) -> str:
        found = self.cluster.try_get("workflow", name, RESPONSES) or {}
        return str(found.get("status", {}).get("phase", ""))

    def finish(self, name: str, seconds: float = 120) -> Object:
        """Waits for the end of a Workflow, and returns the record of its last responder, as the Workflow has it."""
        wait(f"the end of {name}", lambda: self.phase(name) in ENDED, seconds)
        nodes = self.workflow(name)["status"]["nodes"].values()
        done = sorted((node for node in nodes if node["type"] == "Pod"), key=lambda node: node["finishedAt"])
        outputs = [entry for node in done for entry in node.get("outputs", {}).get("parameters", [])]
        records: list[Object] = [json.loads(entry["value"]) for entry in outputs if entry["name"] == "record"]
        return records[-1]

    def respond(self, response: str, namespace: str, pod: str, uid: str, **changes: Any) -> Object:
        """From the alert to the responder's record."""
        said = self.send(response, namespace, pod, uid, **changes)
        assert said["outcome"] == "dispatched", said
        return self.finish(said["workflow"])

    def events(self, namespace: str, workflow: str) -> list[Object]:
        """The Events of a Workflow in a target."""
        found = self.cluster.list("events", namespace)
        return [item for item in found if item["metadata"]["name"].startswith(f"{workflow}.")]

    def set(self, **settings: str | None) -> None:
        """Changes settings in both namespaces, as a commit that Argo CD has synced would; `_` stands for - or `.` by
        the keys that are there. Waits until the dispatchers have them."""
        data = {key.replace("__", ".").replace("_", "-"): value for key, value in settings.items()}
        for namespace in (PIPELINE, RESPONSES):
            self.cluster.merge("configmap", "settings", namespace, {"data": data})
        wait(f"{data} in each dispatcher", lambda: self._looked(data), pause=0.5)

    def _looked(self, data: dict[str, str | None]) -> bool:
        """A kubelet looks again when a pod changes, and else after a minute; it may hear of the pod first."""
        mark = f"kre-e2e/settings={secrets.token_hex(4)}"
        self.cluster.run("-n", PIPELINE, "annotate", "pods", f"--selector={DISPATCHER}", "--overwrite", mark)
        time.sleep(0.5)
        return self._all_have(data)

    def _all_have(self, data: dict[str, str | None]) -> bool:
        pods = [pod["metadata"] for pod in self.cluster.list("pods", PIPELINE, DISPATCHER)]
        names = [pod["name"] for pod in pods if "deletionTimestamp" not in pod]
        read = "cd /etc/kre/settings; for key; do cat $key 2>/dev/null || echo '(none)'; echo; done"
        wanted = ["(none)" if value is None else value.strip() for value in data.values()]
        for name in names:
            text = self.cluster.run("-n", PIPELINE, "exec", name, "--", "sh", "-c", read, "sh", *data, check=False)
            if text.split() != wanted:
                return False
        return True

    @contextmanager
    def every_alert_once(self) -> Iterator[None]:
        """The intake keeps no repeat back and posts nothing again, until the block ends: what is sent is what comes."""
        where = ("-n", PIPELINE)
        plain, shipped = ("KRE_REPEAT=0", "KRE_AGAIN=0"), ("KRE_REPEAT-", "KRE_AGAIN-")
        try:
            self.cluster.run(*where, "set", "env", "deployment/intake", *plain)
            self.cluster.run(*where, "rollout", "status", "deployment/intake", "--timeout=120s")
            yield
        finally:
            self.cluster.run(*where, "set", "env", "deployment/intake", *shipped)
            self.cluster.run(*where, "rollout", "status", "deployment/intake", "--timeout=120s")

    def hurry(self) -> None:
        """New intakes: what the old ones were to post a second time they post now."""
        where = ("-n", PIPELINE, "rollout")
        self.cluster.run(*where, "restart", "deployment/intake")
        self.cluster.run(*where, "status", "deployment/intake", "--timeout=120s")
        self.still()

    def still(self) -> None:
        """Waits until no part of the pipeline is on its way out."""
        known = self.cluster
        wait("all of it to stand still", lambda: len(known.running(PIPELINE)) == len(known.list("pods", PIPELINE)))

    def forget(self, namespace: str = DEMO) -> None:
        """Takes back what the Lease has counted, so that one test's actions are not another's cap."""
        self.cluster.run("-n", PIPELINE, "delete", "lease", f"target-{namespace}", "--ignore-not-found")

    def rest(self) -> None:
        """Pods that were given out until now are no longer needed by anybody."""
        self._busy.clear()

    def victims(self, count: int = 1, name: str = "victim") -> dict[str, str]:
        """uid -> name of ready pods of a Deployment that keeps more than enough of them. None is given out twice: the
        dispatcher remembers for which it has acted."""
        with self._lock:
            found = wait(f"{count} fresh pods {name}", lambda: self._fresh(count, name))
            self.given |= found.keys()
            self._busy |= found.keys()
        return found

    def _fresh(self, count: int, name: str) -> dict[str, str] | None:
        pods = [pod["metadata"] for pod in self.cluster.list("pods", DEMO, f"app={name}") if _ready(pod)]
        known = {pod["uid"]: pod["name"] for pod in pods}
        found = {uid: pod for uid, pod in known.items() if uid not in self.given}
        worn = [pod for uid, pod in known.items() if uid in self.given - self._busy]
        if len(found) < count and worn:
            self.cluster.run("-n", DEMO, "delete", "pod", *worn, "--wait=false")
        return dict(list(found.items())[:count]) if len(found) >= count and len(known) > count else None

    def victim(self, name: str = "victim") -> tuple[str, str]:
        """(name, uid) of one of them."""
        uid, pod = next(iter(self.victims(1, name).items()))
        return pod, uid


def _ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def deployment(name: str, replicas: int, command: list[str], namespace: str = DEMO, **labels: str) -> Object:
    """A Deployment of such pods."""
    selector = {"app": name}
    template = {"metadata": {"labels": selector | labels}, "spec": pod_spec(command)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": replicas, "selector": {"matchLabels": selector}, "template": template},
    }
