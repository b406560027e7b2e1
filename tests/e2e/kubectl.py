"""What the tests ask of a cluster: reads over HTTP, which cost a millisecond, the rest through kubectl."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from e2e.http import Http
from e2e.kinds import Kinds
from e2e.posting import poster

PROJECT = Path(__file__).resolve().parents[2]
OPTIONS = PROJECT / "base/responses/options"
Object = dict[str, Any]

WEBHOOK = "http://falco-eventsource.kre-pipeline.svc:12000/falco"
JSON = "application/json; charset=utf-8"

# By websockets kubectl now and then loses what a command prints at once ("Unknown stream id 1, discarding message").
os.environ.setdefault("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "false")


@cache
def _door() -> tuple[Http, Kinds]:
    http = Http()
    return http, Kinds(http)


class Cluster:
    """The cluster that KUBECONFIG names. kubectl impersonates `user` and `groups` where they are given; what is read by
    `try_get`, `get` and `list` is read by whoever KUBECONFIG names."""

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
        """None where there is no such object, or no such kind."""
        known = _door()[1].get(kind)
        return _read(known.path(namespace, name)) if known else None

    def get(self, kind: str, name: str, namespace: str) -> Object:
        found = self.try_get(kind, name, namespace)
        assert found is not None, f"there is no {kind} {name} in {namespace}"
        return found

    def list(self, kind: str, namespace: str, selector: str = "") -> list[Object]:
        """All of a kind (or of several, with commas), in a namespace where it has any."""
        items: list[Object] = []
        for name in kind.split(","):
            known = _door()[1].get(name)
            assert known is not None, f"the cluster serves no {name}"
            found = _read(f"{known.path(namespace)}?{urlencode({'labelSelector': selector})}") or {"items": []}
            items += [{"apiVersion": known.api_version, "kind": known.kind, **item} for item in found["items"]]
        return items

    def logs(self, namespace: str, selector: str, container: str = "", lines: int = 5000) -> str:
        """What the pods of a selector have written last."""
        query = urlencode({"tailLines": lines} | ({"container": container} if container else {}))
        names = [pod["metadata"]["name"] for pod in self.list("pods", namespace, selector)]
        replies = [_door()[0].ask("GET", f"/api/v1/namespaces/{namespace}/pods/{name}/log?{query}") for name in names]
        return "".join(reply.text for reply in replies if reply.status == HTTPStatus.OK)  # else it is not yet there

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
        return poster(by).post(body if isinstance(body, str) else json.dumps(body), kind, header, to)


def _read(path: str) -> Object | None:
    reply = _door()[0].ask("GET", path)
    if reply.status == HTTPStatus.NOT_FOUND:
        return None
    assert reply.status == HTTPStatus.OK, f"GET {path}: {reply.status} {reply.message}"
    return reply.body


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


def wait(what: str, condition: Callable[[], Any], seconds: float = 120, pause: float = 0.1) -> Any:
    """Asks until the answer is true, and returns it; fails with `what` when time is up. What takes long is asked for
    less often: a question costs the cluster's time too."""
    began = time.monotonic()
    while not (found := condition()):
        waited = time.monotonic() - began
        assert waited < seconds, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(max(pause, min(waited / 20, 1)))
    return found
