"""What the tests ask of a cluster, through kubectl."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
OPTIONS = PROJECT / "base/responses/options"
Object = dict[str, Any]

# Sends an alert as Falcosidekick does: its content type and agent, its headers split out of one variable at commas
# and colons (config.go), no retry.
_POST = """
import os, ssl, sys, urllib.error, urllib.request
kind, token, address = sys.argv[1:]
headers = {"Content-Type": kind, "User-Agent": "Falcosidekick"}
if token == "own":
    for entry in os.environ["WEBHOOK_CUSTOMHEADERS"].split(","):
        key, value = entry.split(":")
        headers[key] = value
elif token:
    headers["Authorization"] = token
request = urllib.request.Request(address, sys.stdin.buffer.read(), headers)
try:
    print(urllib.request.urlopen(request, timeout=10).status)
except urllib.error.HTTPError as error:
    print(error.code)
except OSError as error:
    print("unreachable")
"""
WEBHOOK = "http://falco-eventsource.kre-pipeline.svc:12000/falco"
JSON = "application/json; charset=utf-8"


class Cluster:
    """kubectl on the cluster that KUBECONFIG names; `user` and `groups` are impersonated where they are given."""

    def __init__(self, user: str = "", *groups: str) -> None:
        self._as = [f"--as={user}", *(f"--as-group={group}" for group in groups)] if user else []

    def run(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        code, out, error = self.try_run(*arguments, stdin=stdin)
        assert not check or code == 0, f"kubectl {' '.join(arguments)}: {error}"
        return out

    def try_run(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        """(exit code, standard output, standard error)."""
        command = ["kubectl", *self._as, *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=240, check=False)
        return done.returncode, done.stdout, done.stderr

    def apply(self, manifests: str) -> None:
        self.run("apply", "--filename=-", stdin=manifests)

    def try_get(self, kind: str, name: str, namespace: str) -> Object | None:
        text = self.run("-n", namespace, "get", kind, name, "--output=json", "--ignore-not-found", check=False)
        return json.loads(text) if text.strip() else None

    def get(self, kind: str, name: str, namespace: str) -> Object:
        found = self.try_get(kind, name, namespace)
        assert found is not None, f"there is no {kind} {name} in {namespace}"
        return found

    def list(self, kind: str, namespace: str, *options: str) -> list[Object]:
        return json.loads(self.run("-n", namespace, "get", kind, "--output=json", *options))["items"]

    def conditions(self, kind: str, name: str, namespace: str) -> bool:
        """Whether the controller has taken the object up and all of its conditions are true."""
        found = (self.try_get(kind, name, namespace) or {}).get("status", {}).get("conditions", [])
        return bool(found) and all(condition["status"] == "True" for condition in found)

    def running(self, namespace: str) -> dict[str, str]:
        """uid -> name of every pod that is not being deleted."""
        pods = [pod["metadata"] for pod in self.list("pods", namespace)]
        return {pod["uid"]: pod["name"] for pod in pods if "deletionTimestamp" not in pod}

    def merge(self, kind: str, name: str, namespace: str, patch: Object, check: bool = True) -> tuple[int, str, str]:
        """A merge patch."""
        arguments = ("-n", namespace, "patch", kind, name, "--type=merge", f"--patch={json.dumps(patch)}")
        code, out, error = self.try_run(*arguments)
        assert not check or code == 0, error
        return code, out, error

    def post(
        self, body: object, *, header: str = "own", by: str = "falcosidekick", kind: str = JSON, to: str = WEBHOOK
    ) -> str:
        """Posts an alert, or raw text, from a pod in namespace falco; returns the HTTP status, or "unreachable"."""
        text = body if isinstance(body, str) else json.dumps(body)
        command = ("-n", "falco", "exec", "-i", by, "--", "python3", "-c", _POST, kind, header, to)
        return self.run(*command, stdin=text).strip()


def recorded(response: str, index: int = 1) -> Object:
    """A recorded alert of a response, in Falcosidekick's exact form."""
    path = sorted((OPTIONS / response / "alerts").glob("*.json"))[index - 1]
    found: Object = json.loads(path.read_text())
    return found


def alert(response: str, namespace: str, pod: str, uid: str, **changes: Any) -> Object:
    """An alert that fires a response, about a pod, with a uuid of its own."""
    made = recorded(response)
    made["output_fields"] |= {"k8s.ns.name": namespace, "k8s.pod.name": pod, "k8s.pod.uid": uid}
    return made | {"uuid": str(uuid.uuid4())} | changes


def wait(what: str, condition: Callable[[], Any], seconds: float = 120, pause: float = 0.3) -> Any:
    """Asks until the answer is true, and returns it; fails with `what` when time is up."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(pause)
    return found
