"""Keeps the book up with the API server."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable

from api import ApiError, Object
from book import Book
from watch import Expired, Watcher

ANEW = 600.0  # seconds after which everything is listed again, whether or not anything was missed
MISSES, MOST = 3, 15.0  # watches that break without a word, before it is listed again; seconds to wait at most


class Follower:
    """Lists, watches, and begins again, in a thread of its own (`run`)."""

    def __init__(self, watcher: Watcher, book: Book, wait: Callable[[float], object]) -> None:
        self._watcher, self._book, self._wait = watcher, book, wait
        self.counts, self.contact, self.moved = Counter[str](), 0.0, time.monotonic()
        self.stopping = threading.Event()
        self._version, self._listed, self._misses = "", 0.0, 0

    def run(self) -> None:
        """Goes on until `stopping` is set; then until the API server says the next word, or none for a while."""
        while not self.stopping.is_set():
            self.once()

    def once(self) -> None:
        """One list where one is due, one watch until it ends, and a pause where it broke."""
        try:
            if not self._version or time.monotonic() - self._listed > ANEW:
                items, self._version = self._watcher.listed()
                self._told("listed")
                self._listed = time.monotonic()
                self._book.replace([item for item in items if _is(item)])
            self._count("opened")
            for kind, item in self._watcher.changes(self._version):
                self._event(kind, item)
                if self.stopping.is_set():
                    return
            self._told()
        except Expired:
            self._count("expired")
            self._version = ""
        except (ApiError, OSError, ValueError, LookupError, TypeError, AttributeError, http.client.HTTPException):
            self._count("broken")
            self._misses += 1
            self._version = self._version if self._misses < MISSES else ""
            self._wait(min(0.2 * 2**self._misses, MOST))
        self.moved = time.monotonic()

    def _event(self, kind: str, item: Object) -> None:
        if kind in ("ADDED", "MODIFIED", "DELETED") and _is(item):
            self._book.take(kind, item)
        self._version = str(item["metadata"]["resourceVersion"])  # after it was taken: else it might be passed over
        self._told()

    def _told(self, event: str = "") -> None:
        self._misses, self.contact, self.moved = 0, time.time(), time.monotonic()
        if event:
            self._count(event)

    def _count(self, event: str) -> None:
        self.counts[f'watch_total{{event="{event}"}}'] += 1


def _is(item: Object) -> bool:
    metadata = item.get("metadata")
    return isinstance(metadata, dict) and bool(metadata.get("uid")) and bool(metadata.get("name"))
