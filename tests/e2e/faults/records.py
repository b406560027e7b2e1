"""What the dispatchers say, followed while they come and go: the log of a pod ends with it."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException

from e2e.engine import DISPATCHER, PIPELINE
from e2e.kubectl import Cluster, Object


class Records:
    """Every line of every dispatcher since the beginning, once."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._records: dict[tuple[str, str], Object] = {}  # by pod and line
        self._following: dict[str, subprocess.Popen[str]] = {}
        self._stop = threading.Event()

    def by_alert(self) -> dict[str, list[Object]]:
        """The records about each alert, in the order of their times."""
        found: dict[str, list[Object]] = {}
        for record in list(self._records.values()):
            found.setdefault(str(record.get("alert")), []).append(record)
        return {alert: sorted(records, key=lambda record: record["time"]) for alert, records in found.items()}

    def watch(self) -> None:
        """Sees to it, until `end`, that each pod there is has somebody who reads its log."""
        while not self._stop.wait(0.3):
            with suppress(AssertionError, OSError, HTTPException):  # there is no API server to ask
                for pod in self._cluster.list("pods", PIPELINE, DISPATCHER):
                    known = self._following.get(pod["metadata"]["name"])
                    if known is None or known.poll() is not None:
                        self._follow(pod["metadata"]["name"])

    def _follow(self, pod: str) -> None:
        command = ["kubectl", "-n", PIPELINE, "logs", "--follow", "--tail=-1", pod]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self._following[pod] = process
        threading.Thread(target=self._read, args=(pod, process), daemon=True).start()

    def _read(self, pod: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                if line.startswith("{"):
                    self._records[pod, line] = json.loads(line)

    def end(self) -> None:
        self._stop.set()
        for process in self._following.values():
            process.terminate()
            process.wait()


@contextmanager
def following(cluster: Cluster) -> Iterator[Records]:
    """Records, from now on until the block ends."""
    records = Records(cluster)
    thread = threading.Thread(target=records.watch)
    thread.start()
    try:
        yield records
    finally:
        records._stop.set()
        thread.join()
        records.end()
