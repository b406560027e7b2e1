"""Programs that take turns, by the clock, and what of that goes into a table."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

K = TypeVar("K")


def measure(runs: Mapping[K, Callable[[], object]], count: int, *, warm: bool = True) -> dict[K, list[float]]:
    """Seconds of each of so many rounds. They take turns, so that a busy moment of the machine hits all; with `warm`
    each runs once before it counts: files are in memory then, and Python's bytecode is written."""
    for go in runs.values() if warm else ():
        go()
    times: dict[K, list[float]] = {name: [] for name in runs}
    for _ in range(count):
        for name, go in runs.items():
            started = time.perf_counter()
            go()
            times[name].append(time.perf_counter() - started)
    return times


def cells(taken: list[float]) -> str:
    """The median and the range, as the last cells of a row."""
    return f"{statistics.median(taken):.2f} | {min(taken):.2f} to {max(taken):.2f} |"


def machine(count: int) -> str:
    """On what it was measured."""
    return f"{os.cpu_count()} CPUs, Python {platform.python_version()}, median of {count} rounds"
