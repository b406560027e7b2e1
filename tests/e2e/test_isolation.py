"""What isolation cuts, and what it says that it does not: real packets between real pods."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from e2e.beside import Beside
from e2e.engine import DEMO, Engine, deployment, pod_spec
from e2e.kubectl import Object, wait
from e2e.test_responses import release, state

pytestmark = pytest.mark.e2e
beside = Beside()
REPLICAS = 5

# Answers on 8080 with its own name; on 9090 gives back every line, for as long as the connection lasts.
_SERVER = """
import http.server, os, socketserver, threading
class Name(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.uname().nodename.encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)
class Lines(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
threading.Thread(target=Lines(("", 9090), Echo).serve_forever, daemon=True).start()
http.server.ThreadingHTTPServer(("", 8080), Name).serve_forever()
"""
_ASK = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=2).read().decode())"
# Says hello over one connection; again when there is a file /tmp/go; both answers are printed.
_TALK = """
import os, socket, sys, time
talk = socket.create_connection((sys.argv[1], 9090), timeout=5)
def say(word):
    talk.sendall(word + b"\\n")
    return talk.recv(64).decode().strip()
print(say(b"before"), flush=True)
time.sleep(float(sys.argv[2]))
print(say(b"after"), flush=True)
"""
SERVER, FOREVER = ["python3", "-c", _SERVER], ["python3", "-c", "import time; time.sleep(1e6)"]


def policy(name: str, selector: Object) -> Object:
    """Lets everything in and out for the pods that it selects."""
    spec = {"podSelector": selector, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]}
    metadata = {"name": name, "namespace": DEMO}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


@pytest.fixture(scope="module")
def web(up: Engine) -> Iterator[Engine]:
    """A Deployment and a StatefulSet behind a Service each, a client, and a policy that lets everything through."""
    cluster = up.cluster
    client = {"metadata": {"name": "client", "namespace": DEMO, "labels": {"app": "client"}}, "spec": pod_spec(FOREVER)}
    objects: list[Object] = [{"apiVersion": "v1", "kind": "Pod", **client}, policy("web-allow", _labels("web"))]
    for name in ("web", "db"):
        objects.append(deployment(name, REPLICAS, SERVER))
        service = {"selector": {"app": name}, "ports": [{"port": 8080}]}
        metadata = {"name": name, "namespace": DEMO}
        objects.append({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service})
    stateful = objects[-2]
    stateful["kind"] = "StatefulSet"
    stateful["spec"]["serviceName"] = "db"
    for item in objects:
        cluster.apply(json.dumps(item))
    cluster.run("-n", DEMO, "wait", "--for=condition=Ready", "pod", "--all", "--timeout=120s")
    up.forget()
    yield up
    kinds = "deployment/web,statefulset/db,service/web,service/db,networkpolicy/web-allow,pod/client"
    cluster.run("-n", DEMO, "delete", *kinds.split(","), "--wait=false", "--grace-period=0")


def _labels(name: str) -> Object:
    return {"matchLabels": {"app": name}}


def reaches(engine: Engine, by: str, address: str) -> bool:
    code, *_ = engine.cluster.try_run("-n", DEMO, "exec", by, "--", "python3", "-c", _ASK, f"http://{address}:8080/")
    return code == 0


def address(engine: Engine, pod: str) -> str:
    found: str = engine.cluster.get("pod", pod, DEMO)["status"]["podIP"]
    return found


@beside
def test_a_pod_that_a_policy_lets_through_is_cut_off_both_ways(web: Engine) -> None:
    name, uid = web.victim("web")
    here, client = address(web, name), address(web, "client")
    assert reaches(web, "client", here)
    assert not reaches(web, name, client)  # nobody listens there
    other = next(iter(web.victims(1, "web").values()))
    assert reaches(web, name, address(web, other))
    record = web.respond("isolate-pod", DEMO, name, uid)
    assert record["outcome"] == "isolated", record
    wait("it to be cut off", lambda: not reaches(web, "client", here), 20)
    assert not reaches(web, name, address(web, other))
    wait("it to leave the Service", lambda: here not in served(web), 20)
    wait("a replacement to serve", lambda: served(web).count("ready: true") == REPLICAS, 60)
    assert release(web, name, uid)["outcome"] == "released"


def served(engine: Engine) -> str:
    return engine.cluster.run(
        "-n", DEMO, "get", "endpointslices", "--selector=kubernetes.io/service-name=web", "-oyaml"
    )


def test_an_empty_selector_lets_it_through_still_and_the_record_says_so(web: Engine) -> None:
    web.cluster.apply(json.dumps(policy("everybody", {})))
    try:
        name, uid = web.victim("web")
        record = web.respond("isolate-pod", DEMO, name, uid)
        assert record["outcome"] == "partly-isolated"
        assert "partly isolated: policy everybody;" in record["reason"]
        assert reaches(web, "client", address(web, name))
    finally:
        web.cluster.run("-n", DEMO, "delete", "networkpolicy", "everybody")
    wait("it to be cut off", lambda: not reaches(web, "client", address(web, name)), 20)
    web.cluster.run("-n", DEMO, "delete", "pod", name, "--wait=false")


@beside
def test_a_pod_of_a_statefulset_keeps_its_labels(web: Engine) -> None:
    """Without them its owner could make no replacement, the name being taken, and would wait for ever."""
    name, uid = web.victim("db")
    before = state(web)[uid]["labels"]
    record = web.respond("isolate-pod", DEMO, name, uid)
    assert record["outcome"] == "partly-isolated"
    assert "Service db" in record["reason"]
    assert state(web)[uid]["labels"] == before | {"kre/quarantine": "true"}
    wait("it to be cut off", lambda: not reaches(web, "client", address(web, name)), 20)  # no policy names it
    assert release(web, name, uid)["outcome"] == "released"
    assert state(web)[uid]["labels"] == before
    wait("it to be reached again", lambda: reaches(web, "client", address(web, name)), 20)


@beside
def test_what_was_connected_before_stays_so_as_the_record_says(web: Engine) -> None:
    name, uid = web.victim("web")
    command = f"python3 -c '{_TALK}' {address(web, name)} 12 > /tmp/talk 2>&1 &"
    pod = pod_spec(["sh", "-c", f"{command} sleep 1000000"])
    pod["volumes"] = [{"name": "tmp", "emptyDir": {}}]
    pod["containers"][0]["volumeMounts"] = [{"name": "tmp", "mountPath": "/tmp"}]
    metadata = {"name": "talker", "namespace": DEMO, "labels": {"app": "client"}}
    web.cluster.apply(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod}))

    def said() -> str:
        return web.cluster.run("-n", DEMO, "exec", "talker", "--", "cat", "/tmp/talk", check=False)

    try:
        wait("the connection", lambda: "before" in said(), 30)
        record = web.respond("isolate-pod", DEMO, name, uid)
        assert "connections that were open before survive" in record["reason"]
        wait("new ones to be cut off", lambda: not reaches(web, "client", address(web, name)), 20)
        wait("the second word", lambda: "after" in said(), 30)
    finally:
        web.cluster.run("-n", DEMO, "delete", "pod", "talker", name, "--wait=false")
