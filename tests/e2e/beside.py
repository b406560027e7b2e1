"""Tests that wait at the same time: most of what they do is wait for pods to start."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import wraps
from typing import Any

from e2e.engine import Engine

Test = Callable[..., None]


class Beside:
    """A group of tests that take the same fixtures, an Engine among them, and disturb each other in nothing: each has
    pods of its own, and none changes a setting. The first one that pytest runs starts all of them, each in a thread."""

    def __init__(self) -> None:
        self._tests: dict[str, Test] = {}
        self._running: dict[str, Future[None]] = {}

    def __call__(self, test: Test) -> Test:
        self._tests[test.__name__] = test

        @wraps(test)  # pytest reads the name of the fixture through it
        def run(**fixtures: Any) -> None:
            if not self._running:
                next(each for each in fixtures.values() if isinstance(each, Engine)).rest()
                with ThreadPoolExecutor(len(self._tests)) as pool:
                    self._running = {name: pool.submit(known, **fixtures) for name, known in self._tests.items()}
            self._running[test.__name__].result()

        return run
