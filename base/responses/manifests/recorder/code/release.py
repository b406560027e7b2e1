"""After a line is written: the sink has it, then the Workflow may go. In this order, and again until it is so."""

import queue
import threading
from collections.abc import Callable

from api import ApiError, Client, Object
from book import HOLD, Done
from sink import Sink
from watch import WORKFLOWS

PATCH = "application/json-patch+json"
SOON, PAUSE, MOST = 0.1, 1.0, 30.0  # seconds between tries: until the watch has told of a change, of a sink, at most


class Worker:
    """Takes lines from `hand` to their end, one after the other, in a thread of its own (`run`)."""

    def __init__(self, client: Client, sink: Sink, wait: Callable[[float], object]) -> None:
        self._client, self._sink, self._wait = client, sink, wait
        self._queue: queue.SimpleQueue[Done] = queue.SimpleQueue()
        self.unsent, self._lock = 0, threading.Lock()

    def hand(self, done: Done) -> None:
        """Puts a line at the end. Returns at once."""
        with self._lock:
            self.unsent += 1
        self._queue.put(done)

    def run(self) -> None:
        """Works for ever."""
        while True:
            done, pause = self._queue.get(), PAUSE
            while not self._sink.take(done.line):
                self._wait(pause)
                pause = min(2 * pause, MOST)
            with self._lock:
                self.unsent -= 1
            pause = SOON  # all that come after it wait too
            while not done.free and not self._let_go(done):
                self._wait(pause)
                pause = min(2 * pause, MOST)

    def _let_go(self, done: Done) -> bool:
        try:
            return let_go(self._client, done.workflow)
        except (ApiError, LookupError, TypeError, AttributeError):
            return False


def let_go(client: Client, workflow: Object) -> bool:
    """Takes the finalizer off, unless the Workflow has changed: what has become of it may need another line. Whether it
    is off, or the Workflow is not there any more. Raises ApiError."""
    metadata = workflow["metadata"]
    held = metadata.get("finalizers") or []
    if HOLD not in held:
        return True
    body = [
        _test("/metadata/resourceVersion", metadata["resourceVersion"]),
        {"op": "remove", "path": f"/metadata/finalizers/{held.index(HOLD)}"},
    ]
    return client.call("PATCH", f"{WORKFLOWS}/{metadata['name']}", body, PATCH, (404, 422))[0] != 422


def keep(client: Client, workflow: Object) -> None:
    """Puts the finalizer on a Workflow that was made without. Had it changed meanwhile, its next event would tell."""
    metadata = workflow["metadata"]
    held = metadata.get("finalizers") or []
    where, value = ("/metadata/finalizers/-", HOLD) if held else ("/metadata/finalizers", [HOLD])
    body = [
        _test("/metadata/resourceVersion", metadata["resourceVersion"]),
        {"op": "add", "path": where, "value": value},
    ]
    client.call("PATCH", f"{WORKFLOWS}/{metadata['name']}", body, PATCH, (404, 422))


def _test(where: str, value: object) -> dict[str, object]:
    return {"op": "test", "path": where, "value": value}
