"""What the tests ask of a cluster, through kubectl."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
ALERT = PROJECT / "base/responses/options/delete-pod/alerts/1-shell.json"

# Sends an alert as Falcosidekick does: its content type and agent, its headers split out of one variable at commas
# and colons (config.go), no retry.
_POST = """
import json, os, sys, urllib.error, urllib.request
headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Falcosidekick"}
if sys.argv[1] == "token":
    for entry in os.environ["WEBHOOK_CUSTOMHEADERS"].split(","):
        key, value = entry.split(":")
        headers[key] = value
address = "http://falco-eventsource.kre-pipeline.svc:12000/falco"
request = urllib.request.Request(address, sys.stdin.buffer.read(), headers)
try:
    print(urllib.request.urlopen(request, timeout=5).status)
except urllib.error.HTTPError as error:
    print(error.code)
except OSError as error:
    print("unreachable")
"""


class Cluster:
    """kubectl on the cluster that KUBECONFIG names."""

    def run(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        done = subprocess.run(
            ["kubectl", *arguments], input=stdin, capture_output=True, text=True, timeout=240, check=False
        )
        assert not check or done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def apply(self, manifests: str) -> None:
        self.run("apply", "--filename=-", stdin=manifests)

    def try_get(self, kind: str, name: str, namespace: str) -> dict[str, Any] | None:
        text = self.run("-n", namespace, "get", kind, name, "--output=json", "--ignore-not-found", check=False)
        return json.loads(text) if text.strip() else None

    def list(self, kind: str, namespace: str) -> list[dict[str, Any]]:
        return json.loads(self.run("-n", namespace, "get", kind, "--output=json"))["items"]

    def conditions(self, kind: str, name: str, namespace: str) -> bool:
        """Whether the controller has taken the object up and all of its conditions are true."""
        found = (self.try_get(kind, name, namespace) or {}).get("status", {}).get("conditions", [])
        return bool(found) and all(condition["status"] == "True" for condition in found)

    def running(self, namespace: str) -> dict[str, str]:
        """uid -> name of every pod that is not being deleted."""
        pods = [pod["metadata"] for pod in self.list("pods", namespace)]
        return {pod["uid"]: pod["name"] for pod in pods if "deletionTimestamp" not in pod}

    def post(self, alert: dict[str, Any], *, token: bool = True, by: str = "falcosidekick") -> str:
        """Posts an alert from a pod in namespace falco; returns the HTTP status, or "unreachable"."""
        arguments = ("-n", "falco", "exec", "-i", by, "--", "python3", "-c", _POST, "token" if token else "none")
        return self.run(*arguments, stdin=json.dumps(alert)).strip()

    def workflow(self, uid: str) -> dict[str, Any] | None:
        """The Workflow about a pod, None where there is none."""
        return self.try_get("workflow", f"delete-pod-{uid}", "kre-responses")

    def follow(self, uid: str) -> dict[str, Any]:
        """Waits for the end of the Workflow about a pod, and returns the responder's record."""
        name = f"delete-pod-{uid}"

        wait(f"the end of {name}", lambda: self.phase(uid) in ("Succeeded", "Failed", "Error"))
        text = self.run("-n", "kre-responses", "logs", f"--selector=workflows.argoproj.io/workflow={name}")
        record: dict[str, Any] = json.loads(next(line for line in text.splitlines() if line.startswith("{")))
        return record

    def phase(self, uid: str) -> str:
        return str(((self.workflow(uid) or {}).get("status") or {}).get("phase", ""))


def alert(namespace: str, pod: str, uid: str, **changes: Any) -> dict[str, Any]:
    """The seed's alert, "Terminal shell in container", about a pod; in Falcosidekick's exact form."""
    made: dict[str, Any] = json.loads(ALERT.read_text())
    made["output_fields"] |= {"k8s.ns.name": namespace, "k8s.pod.name": pod, "k8s.pod.uid": uid}
    return made | changes


def wait(what: str, condition: Callable[[], Any], seconds: float = 120, pause: float = 0.5) -> Any:
    """Asks until the answer is true, and returns it; fails with `what` when time is up."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(pause)
    return found
