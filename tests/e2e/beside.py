"""Tests that wait at the same time: most of what they do is wait for pods to start."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import wraps
from typing import Any

Test = Callable[..., None]


class Beside:
    """A group of tests that take one fixture, an Engine, and disturb each other in nothing: each has pods of its own,
    and none changes a setting. The first one that pytest runs starts all of them, each in a thread."""

    def __init__(self) -> None:
        self._tests: dict[str, Test] = {}
        self._running: dict[str, Future[None]] = {}

    def __call__(self, test: Test) -> Test:
        self._tests[test.__name__] = test

        @wraps(test)  # pytest reads the name of the fixture through it
        def run(**fixtures: Any) -> None:
            (engine,) = fixtures.values()
            if not self._running:
                engine.rest()
                with ThreadPoolExecutor(len(self._tests)) as pool:
                    self._running = {name: pool.submit(known, engine) for name, known in self._tests.items()}
            self._running[test.__name__].result()

        return run
