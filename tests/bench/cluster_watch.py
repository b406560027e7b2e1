"""When things happen on a cluster, by watches: what the API server tells, the moment that it tells it."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Watch:
    """The epoch seconds of the first time that something was seen: `("pod", name, "label:kre/quarantine")`, `"going"`
    where its deletion was asked for, `"gone"`; `("workflow", pod that it is about, "made")`."""

    def __init__(self, proxy: str) -> None:
        self.seen: dict[tuple[str, str, str], float] = {}
        self._proxy, self._stop = proxy, threading.Event()

    def follow(self, path: str) -> None:
        """Watches a collection from now on. It returns when the watch stands."""
        stands = threading.Event()
        threading.Thread(target=self._follow, args=(path, stands), daemon=True).start()
        stands.wait(10)

    def _follow(self, path: str, stands: threading.Event) -> None:
        while not self._stop.is_set():
            try:
                with urllib.request.urlopen(f"{self._proxy}{path}?watch=1&timeoutSeconds=1800") as stream:
                    stands.set()
                    for line in stream:
                        self._take(json.loads(line), time.time())
            except OSError:
                time.sleep(0.2)

    def _take(self, event: dict[str, Any], now: float) -> None:
        made = event["object"]
        if made.get("kind") == "Pod":
            meta = made["metadata"]
            states = [f"label:{key}" for key in meta.get("labels", {})]
            states += ["going"] if "deletionTimestamp" in meta else []
            states += ["going", "gone"] if event["type"] == "DELETED" else []
            for state in states:
                self.seen.setdefault(("pod", meta["name"], state), now)
        elif made.get("kind") == "Workflow":
            for each in made["spec"].get("arguments", {}).get("parameters", []):
                if each["name"] == "pod":
                    self.seen.setdefault(("workflow", each["value"], "made"), now)

    def end(self) -> None:
        self._stop.set()


@contextmanager
def watching(*paths: str) -> Iterator[Watch]:
    """A watch of these collections, through a `kubectl proxy` of its own."""
    with subprocess.Popen(["kubectl", "proxy", "--port=0"], stdout=subprocess.PIPE, text=True) as proxy:
        assert proxy.stdout is not None
        port = proxy.stdout.readline().strip().rpartition(":")[2]
        watch = Watch(f"http://127.0.0.1:{port}")
        try:
            for path in paths:
                watch.follow(path)
            yield watch
        finally:
            watch.end()
            proxy.terminate()
