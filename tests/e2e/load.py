"""Many posts to the EventSource by one process in a pod that has Falcosidekick's label and Secret."""

from __future__ import annotations

import base64
import json
import subprocess
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from e2e.kubectl import JSON, wait

HOST, PORT, PATH = "falco-eventsource.kre-pipeline.svc", 12000, "/falco"
OWN = "own"  # as a token: the one that the sender's environment has

# Reads shots, one JSON object a line, and prints an answer for each, as soon as it is there. No retry, and a
# connection for each, so that every post finds out by itself which EventSource is there. With the name of a file it
# goes on by itself and writes there: an exec ends with the API server, which some tests restart.
_SEND = """
import base64, http.client, json, os, queue, sys, threading, time
host, port, rate, workers, file = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
shots, lock, todo, out = [json.loads(line) for line in sys.stdin], threading.Lock(), queue.SimpleQueue(), sys.stdout
if file:
    if os.fork():
        os._exit(0)
    os.setsid()
    out, nothing = open(file, "w"), os.open(os.devnull, os.O_RDWR)
    for each in (0, 1, 2):
        os.dup2(nothing, each)
own = dict(entry.split(":", 1) for entry in os.environ.get("WEBHOOK_CUSTOMHEADERS", "").split(",") if entry)
start = time.time() + 0.05
for index, shot in enumerate(shots):
    todo.put((start + index / rate if rate else start, shot))

def fire():
    while True:
        try:
            due, shot = todo.get_nowait()
        except queue.Empty:
            return
        time.sleep(max(0, due - time.time()))
        headers = {"User-Agent": "Falcosidekick"} | shot["headers"] | (own if shot["token"] == "own" else {})
        if shot["token"] not in ("", "own"):
            headers["Authorization"] = shot["token"]
        sent, code = time.time(), "unreachable"
        try:
            connection = http.client.HTTPConnection(host, port, timeout=10)
            connection.request(shot["method"], shot["path"], base64.b64decode(shot["body"]), headers)
            code = str(connection.getresponse().status)
            connection.close()
        except (OSError, http.client.HTTPException) as error:
            code = "unreachable"
        answer = {"key": shot["key"], "sent": sent, "status": code, "seconds": time.time() - sent}
        with lock:
            print(json.dumps(answer), file=out, flush=True)

threads = [threading.Thread(target=fire) for _ in range(workers)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@dataclass(frozen=True)
class Shot:
    """One post; `key` names it in the answer, `token` is the Authorization header: OWN, "" for none, or its value."""

    key: str
    body: bytes
    method: str = "POST"
    path: str = PATH
    token: str = OWN
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": JSON})

    def line(self) -> str:
        return json.dumps(self.__dict__ | {"body": base64.b64encode(self.body).decode()})


@dataclass(frozen=True)
class Answer:
    """What came of a shot: epoch seconds when it was sent, the HTTP status or "unreachable", how long it took."""

    key: str
    sent: float
    status: str
    seconds: float


class Barrage:
    """Shots on their way, `rate` of them a second (0: as fast as they go). `answers` waits for the last of them.
    Detached, they need no API server on their way."""

    def __init__(
        self,
        shots: list[Shot],
        *,
        rate: float = 0,
        workers: int = 8,
        by: str = "falcosidekick",
        host: str = HOST,
        detached: bool = False,
    ) -> None:
        self._count = len(shots)
        self._exec = ["kubectl", "-n", "falco", "exec", "-i", by, "--"]
        self._file = f"/dev/shm/{uuid.uuid4()}" if detached else ""
        command = [*self._exec, "python3", "-c", _SEND, host, str(PORT), str(rate), str(workers), self._file]
        self._out = self._run(command, "\n".join(shot.line() for shot in shots) + "\n")

    @staticmethod
    def _run(command: list[str], stdin: str = "") -> str:
        return subprocess.run(command, input=stdin, stdout=subprocess.PIPE, text=True, timeout=240, check=True).stdout

    def count(self) -> int:
        """How many have been answered. Raises CalledProcessError while there is no API server."""
        if self._file:
            self._out = self._run([*self._exec, "cat", self._file])
        return self._out.count("\n")

    def answers(self, seconds: float = 60, pause: float = 0.5) -> dict[str, Answer]:
        """By key. Detached, it asks every `pause` seconds."""
        wait(f"answers to {self._count} posts", self._all, seconds, pause)
        found = [Answer(**json.loads(line)) for line in self._out.splitlines()]
        return {answer.key: answer for answer in found}

    def _all(self) -> bool:
        with suppress(subprocess.CalledProcessError):
            return self.count() >= self._count
        return False


def shot(alert: dict[str, Any], **how: Any) -> Shot:
    """An alert as Falcosidekick posts it, known by its uuid."""
    return Shot(str(alert["uuid"]), json.dumps(alert).encode(), **how)
