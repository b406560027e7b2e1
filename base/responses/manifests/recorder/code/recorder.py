"""Writes a line for each end of a Workflow, and lets no Workflow go before. It keeps nothing: what is not written yet
still has its finalizer, so it can be killed at any time."""

import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import record
from api import ApiError, Client, Object, server
from book import Book
from follow import Follower
from release import Worker, keep
from settings import watched
from sink import Sink
from status import serve
from watch import Watcher

STILL = 240.0  # seconds without a list, an event or the end of a watch, after which something hangs


def write(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Prints the line of a record, and returns it as a reader gets it."""
    text = record.line(facts)
    record.write(text)
    line: Mapping[str, Any] = json.loads(text)
    return line


class Recorder:
    """The parts, put together. `url` is the API server's; `folder` has the sink's settings, or is not there."""

    def __init__(self, url: str, folder: str) -> None:
        self.stopping, self.counts = threading.Event(), Counter[str]()
        client, quick = Client(url, patience=30.0), Client(url, patience=2.0, timeout=2.0)
        sink = Sink(watched(folder), lambda result: self.counts.update([f'sink_total{{result="{result}"}}']))
        self.worker = Worker(client, sink, self.stopping.wait)
        self.book = Book(write, self.worker.hand, lambda workflow: _kept(quick, workflow), time.time)
        self.follower = Follower(Watcher(url, patience=30.0), self.book, self.stopping.wait)

    def start(self) -> None:
        """Begins. A thread that ends by a fault ends the process: what it has not done, the next one does."""
        works = (self.follower.run, self.worker.run)
        self.threads = [threading.Thread(target=self._whole, args=(work,), daemon=True) for work in works]
        for thread in self.threads:
            thread.start()

    def _whole(self, work: Any) -> None:  # noqa: ANN401 - what runs
        try:
            work()
        finally:
            self.stopping.set()

    def healthy(self) -> bool:
        """Whether it gets on, or at least tries to."""
        return not self.stopping.is_set() and time.monotonic() - self.follower.moved < STILL

    def metrics(self) -> dict[str, float]:
        """By name, with labels."""
        own = {"unsent": self.worker.unsent, "last_contact_timestamp_seconds": self.follower.contact}
        return {**self.book.metrics(), **self.follower.counts, **self.counts, **own}


def _kept(client: Client, workflow: Object) -> None:
    try:
        keep(client, workflow)
    except (ApiError, LookupError) as error:  # its next event is the next chance
        name = str((workflow.get("metadata") or {}).get("name"))
        write({"part": "recorder", "outcome": "unprotected", "reason": str(error), "workflow": name})


def main() -> int:
    """Runs until SIGTERM, or until one of its parts can't go on."""
    made = Recorder(server(os.environ), os.environ.get("KRE_SINK", "/etc/kre/sink"))
    port = serve(int(os.environ.get("KRE_HEALTH_PORT", "8081")), made.healthy, made.metrics)
    asked = threading.Event()

    def end(*_: object) -> None:
        asked.set()
        made.stopping.set()

    signal.signal(signal.SIGTERM, end)
    write({"part": "recorder", "outcome": "listening", "health_port": port})
    made.start()
    while not made.stopping.wait(5.0):
        made.book.tick()
    return int(not asked.is_set())


if __name__ == "__main__":
    sys.exit(main())
