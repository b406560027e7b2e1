"""Tests that wait at the same time: most of what they do is wait for pods to start."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from functools import wraps
from typing import Any, ClassVar

from e2e.engine import Engine

Test = Callable[..., None]


class Beside:
    """A group of tests that take the same fixtures, an Engine among them, and disturb each other in nothing: each has
    pods of its own, and none changes a setting. The first one that pytest runs starts all that it is to run, each in a
    thread."""

    groups: ClassVar[list[Beside]] = []

    def __init__(self) -> None:
        self.groups.append(self)
        self._tests: dict[Test, Test] = {}  # as pytest knows it -> as it is written
        self._running: dict[Test, Future[None]] = {}

    def __call__(self, test: Test) -> Test:
        @wraps(test)  # pytest reads the name of the fixture through it
        def run(**fixtures: Any) -> None:
            if not self._running:
                next(each for each in fixtures.values() if isinstance(each, Engine)).rest()
                with ThreadPoolExecutor(len(self._tests)) as pool:
                    self._running = {known: pool.submit(test, **fixtures) for known, test in self._tests.items()}
            self._running[run].result()

        self._tests[run] = test
        return run

    @classmethod
    def only(cls, chosen: Collection[object]) -> None:
        """Of all that there are, those that pytest is to run."""
        for group in cls.groups:
            group._tests = {known: test for known, test in group._tests.items() if known in chosen}


# Of whatever module: they take nothing but an engine as it is.
plain = Beside()
