"""capture-evidence on a cluster: logs that a container has really written, and who may do what to them then."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from e2e.beside import plain as beside
from e2e.engine import DEMO, Engine, deployment
from e2e.kubectl import Cluster, Object, wait
from e2e.test_responses import check_record, others_are_untouched, state

pytestmark = pytest.mark.e2e
HOME, SECRET = "kre-evidence", "hunter2-of-the-environment"
# Writes what a terminal would take for commands, a record of its own making, a secret, and more than fits.
NOISY = (
    "import sys, time; out = sys.stdout.buffer; "
    'out.write(b\'\\x1b]0;owned\\x07 {{workflow.name}}\\n{"outcome": "deleted"}\\npassword=hunter2\\n\'); '
    f"out.write(b'the value is {SECRET}\\n'); out.write(b'x' * 2000000 + b'\\n'); out.flush(); time.sleep(1e6)"
)


@contextmanager
def noisy(engine: Engine) -> Iterator[tuple[str, str]]:
    """(name, uid) of a pod whose log is hostile: another each time, for a response acts on one once."""
    name = f"noisy-{secrets.token_hex(3)}"
    made = deployment(name, 1, ["python3", "-c", NOISY])
    made["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "DB_PASSWORD", "value": SECRET}]
    engine.cluster.apply(json.dumps(made))
    try:
        engine.cluster.run("-n", DEMO, "wait", "--for=condition=Available", f"deployment/{name}", "--timeout=180s")
        (pod,) = engine.cluster.list("pods", DEMO, f"app={name}")
        engine.given.add(pod["metadata"]["uid"])  # it comes and goes with its test
        wait("its log", lambda: "owned" in engine.cluster.logs(DEMO, f"app={name}", container="main"))
        yield pod["metadata"]["name"], pod["metadata"]["uid"]
    finally:
        gone(engine, name)


def gone(engine: Engine, name: str) -> None:
    """Takes a Deployment away, and waits until its pods went."""
    engine.cluster.run("-n", DEMO, "delete", "deployment", name)
    wait(f"the end of {name}", lambda: not engine.cluster.list("pods", DEMO, f"app={name}"))


@contextmanager
def restarting(engine: Engine) -> Iterator[Object]:
    """A pod whose container has ended once, and stays then: of more lives the runtime may have no log any more."""
    once = (
        "import os, sys, time; os.path.exists('/tmp/x') and time.sleep(1e6); open('/tmp/x', 'w').close(); "
        "print('the first run', flush=True); time.sleep(1); sys.exit(1)"
    )
    made = deployment("restarting", 1, ["python3", "-c", once])
    spec = made["spec"]["template"]["spec"]
    spec["volumes"] = [{"name": "tmp", "emptyDir": {}}]
    spec["containers"][0]["volumeMounts"] = [{"name": "tmp", "mountPath": "/tmp"}]
    engine.cluster.apply(json.dumps(made))

    def restarted() -> Object | None:
        for pod in engine.cluster.list("pods", DEMO, "app=restarting"):
            if any(one["restartCount"] for one in pod.get("status", {}).get("containerStatuses", [])):
                return pod
        return None

    try:
        pod: Object = wait("a restart", restarted, 180)
        engine.given.add(pod["metadata"]["uid"])
        yield pod
    finally:
        gone(engine, "restarting")


def kept(engine: Engine, record: Object) -> dict[str, bytes]:
    """The pieces, having seen that the record vouches for each."""
    where, name = record["evidence"]["in"].removeprefix("Secret ").split("/")
    assert where == HOME
    data = engine.cluster.get("secret", name, HOME)["data"]
    pieces = {key: base64.b64decode(value) for key, value in data.items()}
    hashes = {key: hashlib.sha256(value).hexdigest() for key, value in pieces.items()}
    assert hashes.pop("index.json") == record["evidence"]["index"]
    assert hashes == record["evidence"]["sha256"]
    return pieces


@beside
def test_what_is_kept_is_what_the_record_says(engine: Engine) -> None:
    with noisy(engine) as (name, uid):
        before = state(engine)
        record = engine.respond("capture-evidence", DEMO, name, uid)
        check_record(engine, record, "capture-evidence", uid, "captured")
        others_are_untouched(engine, before)
    pieces = kept(engine, record)
    assert sum(map(len, pieces.values())) < 1 << 20
    everything = b"".join(pieces.values())
    assert SECRET.encode() not in everything
    assert b"password=hunter2" not in everything
    assert b"\x1b]0;owned\x07 {{workflow.name}}" in pieces["log.main"]
    assert "log.main" in json.loads(pieces["index.json"])["cut"]
    assert json.loads(pieces["pod.json"])["metadata"]["uid"] == uid
    assert [json.loads(pieces[f"owner-{n}.json"])["kind"] for n in (1, 2)] == ["ReplicaSet", "Deployment"]
    assert "owned" not in json.dumps(record)


@beside
def test_the_run_before_and_its_events(engine: Engine) -> None:
    with restarting(engine) as pod:
        metadata = pod["metadata"]
        record = engine.respond("capture-evidence", DEMO, metadata["name"], metadata["uid"])
    pieces = kept(engine, record)
    assert b"the first run" in pieces["previous.main"]
    assert {one["involvedObject"]["uid"] for one in json.loads(pieces["events.json"])} == {metadata["uid"]}


@beside
def test_nobody_changes_it(engine: Engine) -> None:
    with noisy(engine) as pod:
        record = engine.respond("capture-evidence", DEMO, *pod)
    name = record["evidence"]["in"].rpartition("/")[2]
    writer = Cluster("system:serviceaccount:kre-responses:capture-evidence", "system:serviceaccounts:kre-responses")
    for command in (("get", "secret", name), ("delete", "secret", name), ("label", "secret", name, "x=y")):
        assert writer.try_run("-n", HOME, *command)[0] != 0
    kept(engine, record)
