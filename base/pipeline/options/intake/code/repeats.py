"""What is the same alert again. Falco may raise one a thousand times a second; one of them is enough for a response."""

import hashlib
import threading
import time
from collections.abc import Callable, Mapping

KNOWN = 20_000  # alerts that are remembered
FIELDS = ("k8s.ns.name", "k8s.pod.name", "k8s.pod.uid", "container.full_id")  # of output_fields


def key(alert: Mapping[str, object], token: str) -> str:
    """What a response goes by: rule, source, priority and the pod; of whoever has the token. "" where it isn't all
    there to see: such an alert is never taken for another."""
    fields = alert.get("output_fields")
    fields = fields if isinstance(fields, dict) else {}
    parts = [alert.get("rule"), alert.get("source"), alert.get("priority"), *(fields.get(name, "") for name in FIELDS)]
    if not all(isinstance(part, str) for part in parts):
        return ""
    joined = "\0".join(f"{len(part)}:{part}" for part in [*map(str, parts), token])
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


class Repeats:
    """Passes one of several equal alerts on within `seconds`; the others get what it got, once it has it."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._taken: dict[str, float] = {}
        self._under_way: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def once(self, name: str, send: Callable[[], int]) -> tuple[int, bool]:
        """(status, whether it was a repeat). One that was not taken makes no other a repeat: the next one tries."""
        while name:
            with self._lock:
                if self._clock() - self._taken.get(name, -self._seconds) < self._seconds:
                    return 200, True
                ahead = self._under_way.get(name)
                if ahead is None:
                    self._under_way[name] = threading.Event()
                    break
            ahead.wait()
        status = 503
        try:
            status = send()
        finally:
            if name:
                with self._lock:
                    if status == 200:
                        self._note(name)
                    self._under_way.pop(name).set()
        return status, False

    def _note(self, name: str) -> None:
        now = self._clock()
        self._taken[name] = now
        if len(self._taken) > KNOWN:
            recent = {each: then for each, then in self._taken.items() if now - then < self._seconds}
            self._taken = recent if len(recent) <= KNOWN else {name: now}
