"""One JSON line on standard output for whatever happened."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime


def write(outcome: str, reason: str, facts: Mapping[str, str]) -> None:
    """Prints {"time", "outcome", "reason", ...facts} as one line; anything but ASCII is escaped."""
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "outcome": outcome, "reason": reason, **facts}
    print(json.dumps(line, sort_keys=True), file=sys.stdout, flush=True)
