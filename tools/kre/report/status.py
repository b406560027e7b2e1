"""What stands where: `kre status`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from kre.promote.lockfile import stamp
from kre.promote.soak import words
from kre.promote.status import Cell
from kre.report.printable import printable

HEAD = ("ENVIRONMENT", "COMPONENT", "VERSION", "COMMIT", "AGE", "SOAK", "DRIFT", "HOLD")
NOTHING = "-"


def as_text(cells: Sequence[Cell], now: datetime) -> str:
    """A table, a line for each component of each environment."""
    rows = [HEAD, *(_row(cell, now) for cell in cells)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def as_json(cells: Sequence[Cell], now: datetime, branch: str, commit: str) -> dict[str, Any]:
    """`{"version": 1, "branch", "commit", "at", "components": [...]}`; times in UTC, spans in seconds, null for what
    does not apply or what the clone does not know."""
    return {
        "version": 1,
        "branch": branch,
        "commit": commit,
        "at": stamp(now),
        "components": [
            {
                "environment": cell.environment,
                "component": cell.component,
                "version": cell.version or None,
                "commit": cell.commit or None,
                "digest": cell.digest,
                "since": stamp(cell.since) if cell.since else None,
                "soaked": _seconds(cell.soaked),
                "soak": _seconds(cell.soak),
                "locked": cell.locked,
                "drift": list(cell.drift),
                "current": cell.current,
                "hold": {
                    "by": cell.hold.by,
                    "reason": cell.hold.reason,
                    "until": stamp(cell.hold.until) if cell.hold.until else None,
                }
                if cell.hold
                else None,
            }
            for cell in cells
        ],
    }


def _row(cell: Cell, now: datetime) -> tuple[str, ...]:
    until = f" until {stamp(cell.hold.until)}" if cell.hold and cell.hold.until else ""
    return tuple(
        printable(text)
        for text in (
            cell.environment,
            cell.component,
            cell.version or NOTHING,
            (cell.commit[:12] or NOTHING) + ("" if cell.current else " (behind)"),
            words(now - cell.since) if cell.since else "unknown",
            _soak(cell),
            _drift(cell),
            f"{cell.hold.by}{until}: {cell.hold.reason}" if cell.hold else NOTHING,
        )
    )


def _drift(cell: Cell) -> str:
    if not cell.locked:
        return "no lock"
    return f"{len(cell.drift)} file{'s' if len(cell.drift) > 1 else ''}" if cell.drift else NOTHING


def _soak(cell: Cell) -> str:
    if not cell.soak:
        return NOTHING
    if cell.soaked is None:
        return "unknown"
    return "done" if cell.soaked >= cell.soak else f"{words(cell.soaked)} of {words(cell.soak)}"


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())
