"""Runs `kre` as its user does."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """What a run left."""

    code: int
    out: str
    err: str


def kre(*arguments: str, cwd: Path, env: dict[str, str] | None = None, stdin: str = "", timeout: float = 120) -> Ended:
    """Runs it as a process of its own, with a cache of its own next to `cwd`, and 100 columns."""
    environ = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **(env or {})}
    done = subprocess.run(
        [sys.executable, "-m", "kre", *arguments],
        cwd=cwd,
        env=environ,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ended(done.returncode, done.stdout, done.stderr)
