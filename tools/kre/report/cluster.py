"""What `kre doctor --cluster` found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from kre.cluster.result import WORST, Result
from kre.report.printable import printable


def as_json(environment: str, server: str, results: Sequence[Result]) -> dict[str, Any]:
    """`{"version": 1, "environment", "server", "counts": {status: number}, "checks": [...]}`; docs/operate.md."""
    counts = Counter(result.status for result in results)
    return {
        "version": 1,
        "environment": environment,
        "server": server,
        "counts": {status: counts[status] for status in reversed(WORST)},
        "checks": [
            {
                "group": result.group,
                "check": result.check,
                "status": result.status,
                "where": result.where,
                "found": result.found,
                "next": result.remedy,
                "milliseconds": result.milliseconds,
            }
            for result in results
        ],
    }


def lines(results: Iterable[Result]) -> Iterable[str]:
    """One line each as it comes, under the name of its group; what to do next under what needs it."""
    group = ""
    for result in results:
        if result.group != group:
            group = result.group
            yield f"{group}\n"
        passed = f"{result.milliseconds:>6} ms  " if result.milliseconds is not None else ""
        where = f"{result.where}: " if result.where else ""
        yield f"  {result.status:<8} {result.check:<13} {printable(f'{passed}{where}{result.found}')}\n"
        if result.remedy:
            yield f"{'':<25}{printable(f'-> {result.remedy}')}\n"


def summary(results: Sequence[Result]) -> str:
    """The last line."""
    counts = Counter(result.status for result in results)
    return ", ".join(f"{counts[status]} {status}" for status in reversed(WORST) if counts[status]) + "\n"
