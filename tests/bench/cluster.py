"""`make bench-e2e`: how long an alert takes on a real cluster, beside two peers, and what faults take with them.

The cluster must have opted in (tests/e2e/README.md) and have the engine of dev, as `make e2e` leaves it. It writes its
section of docs/benchmarks.md. KRE_BENCH_TALON names a falco-talon for the second peer, KRE_E2E_FIGURES a file with the
figures of tests/e2e/faults; without them their parts are left out, and the page says so. KRE_BENCH_ONLY=storms measures
storms alone.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """The exit code of the whole."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from bench.cluster_run import run

    return run()


if __name__ == "__main__":
    sys.exit(main())
