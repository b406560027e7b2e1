"""Each alert once more, a minute after it was taken: what was lost behind the EventSource meanwhile is there again.

A Sensor whose filter is edited begins anew: what stood on the bus for it is not delivered to it any more. Whatever did
arrive is deduplicated by the dispatcher, for its cool-down is longer than this.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping

ROOM = 32 << 20  # bytes of alerts that wait
Post = Callable[[bytes, Mapping[str, str]], tuple[int, int]]


class Again:
    """Posts what it is given by `post`, `after` seconds later; never where `after` is 0. Any number of threads may
    give. `counts` says what became of it: taken, refused, not-taken, no-room."""

    def __init__(self, post: Post, after: float) -> None:
        self._post, self._after = post, after
        self._waiting, self._room = deque[tuple[float, bytes, Mapping[str, str]]](), ROOM
        self._changed, self._hurry = threading.Condition(), False
        self.counts = Counter[str]()

    def give(self, body: bytes, headers: Mapping[str, str]) -> None:
        """To be posted again. Without room it is only counted."""
        if not self._after:
            return
        with self._changed:
            if self._hurry or len(body) > self._room:
                self.counts["no-room"] += 1
                return
            self._waiting.append((time.monotonic() + self._after, body, headers))
            self._room -= len(body)
            self._changed.notify_all()

    def run(self) -> None:
        """Posts, for ever."""
        while True:
            with self._changed:
                while not self._waiting or (wait := self._left()) > 0:
                    self._changed.wait(wait if self._waiting else None)
                _, body, headers = self._waiting[0]
            status, _ = self._post(body, headers)
            with self._changed:
                self._waiting.popleft()
                self._room += len(body)
                self.counts[{200: "taken", 503: "not-taken"}.get(status, "refused")] += 1
                self._changed.notify_all()

    def finish(self, seconds: float) -> int:
        """Posts all of it now, and takes no more; how many were left after so many seconds."""
        until = time.monotonic() + seconds
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            while self._waiting and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            return len(self._waiting)

    def _left(self) -> float:
        return 0.0 if self._hurry else self._waiting[0][0] - time.monotonic()
