"""Where the record goes in these tests: a sink in the cluster, whose log outlives every recorder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from e2e.engine import ENDED, PIPELINE, Engine, pod_spec
from e2e.kubectl import PROJECT, Cluster, Object, wait

RECORDER = "app.kubernetes.io/name=recorder"
MONITORING = "monitoring"
NAME = "record-sink"
# Prints what it is sent, and says so; while there is the file, it says that it can't.
_SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        away = os.path.exists("/tmp/away")
        if not away:
            print(body, flush=True)
        self.send_response(503 if away else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""


def _objects() -> list[Object]:
    label = {"app": NAME}
    spec = pod_spec(["python3", "-c", _SERVER])
    spec["volumes"] = [{"name": "tmp", "emptyDir": {}}]
    spec["containers"][0]["volumeMounts"] = [{"name": "tmp", "mountPath": "/tmp"}]
    metadata = {"name": NAME, "namespace": MONITORING}
    url = f"http://{NAME}.{MONITORING}.svc:8080/"
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": MONITORING}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata | {"labels": label}, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": label, "ports": [{"port": 8080}]},
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "recorder-sink", "namespace": PIPELINE},
            "stringData": {"url": url, "format": "json"},
        },
    ]


class Recording:
    """What the sink has, and what may happen to the recorder and to the sink."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def lines(self) -> list[Object]:
        text = self.cluster.logs(MONITORING, f"app={NAME}", lines=100_000)
        return [json.loads(line) for line in text.splitlines()]

    def ends(self) -> dict[str, Object]:
        """Workflow -> its end, once. Copies must agree; but what was to be deleted may have gone on before it went."""
        found: dict[str, Object] = {}
        for line in self.lines():
            if line["outcome"] != "late":
                first = found.setdefault(line["workflow"], line)
                assert first["key"] == line["key"], (first, line)
                if first["outcome"] != line["outcome"]:
                    assert first["phase"] not in ENDED, (first, line)
                    found[line["workflow"]] = line
        return found

    def end(self, workflow: str, seconds: float = 120) -> Object:
        """Waits for the end of one, and until it has been let go or is gone."""
        found: Object = wait(f"the line of {workflow}", lambda: self.ends().get(workflow), seconds)
        wait(f"{workflow} to be let go", lambda: workflow not in self.held())
        return found

    def held(self) -> list[str]:
        listed = self.cluster.list("workflows", "kre-responses")
        return [one["metadata"]["name"] for one in listed if "kre/record" in one["metadata"].get("finalizers", [])]

    def kill(self) -> None:
        """The recorder, with no time to end well."""
        names = [pod["metadata"]["name"] for pod in self.cluster.list("pods", PIPELINE, RECORDER)]
        if names:
            self.cluster.run(
                "-n", PIPELINE, "delete", "pod", *names, "--grace-period=0", "--force", "--ignore-not-found"
            )

    def ready(self) -> None:
        self.cluster.run("-n", PIPELINE, "rollout", "status", "deployment/recorder", "--timeout=120s")

    @contextmanager
    def away(self) -> Iterator[None]:
        """The sink takes nothing."""
        inside = ("-n", MONITORING, "exec", NAME, "--")
        self.cluster.run(*inside, "touch", "/tmp/away")
        try:
            yield
        finally:
            self.cluster.run(*inside, "rm", "/tmp/away")


@contextmanager
def recording(engine: Engine) -> Iterator[Recording]:
    """A recorder with a sink, until the block ends."""
    cluster, policy = engine.cluster, PROJECT / "base/responses/record-sink/recorder-sink-networkpolicy.yaml"
    for made in _objects():
        cluster.apply(json.dumps(made))
    cluster.apply(policy.read_text())
    cluster.run("-n", MONITORING, "wait", "--for=condition=Ready", f"pod/{NAME}", "--timeout=120s")
    made = Recording(cluster)
    made.kill()  # the next one has the Secret from its beginning
    made.ready()
    try:
        yield made
    finally:
        cluster.run("-n", PIPELINE, "delete", "secret", "recorder-sink", "--ignore-not-found")
        cluster.run("-n", PIPELINE, "delete", "networkpolicy", "recorder-sink", "--ignore-not-found")
        cluster.run(
            "-n",
            MONITORING,
            "delete",
            f"pod/{NAME}",
            f"service/{NAME}",
            "--ignore-not-found",
            "--grace-period=0",
            "--force",
        )
        made.kill()
        made.ready()
