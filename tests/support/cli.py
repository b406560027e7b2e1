"""Runs `kre` as its user does."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from support.forks import forks


@dataclass(frozen=True)
class Ended:
    """What a run left."""

    code: int
    out: str
    err: str


def kre(*arguments: str, cwd: Path, env: dict[str, str] | None = None, stdin: str = "", timeout: float = 120) -> Ended:
    """Runs it as a process of its own, with a cache of its own next to `cwd`, and 100 columns."""
    environ = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **(env or {})}
    with tempfile.TemporaryDirectory(prefix="kre-") as folder:
        files = {name: Path(folder, name) for name in ("stdin", "stdout", "stderr")}
        for path in files.values():
            path.write_text(stdin if path.name == "stdin" else "", encoding="utf-8")
        code = forks().run(arguments, cwd, environ, {name: str(path) for name, path in files.items()}, timeout)
        out, err = (files[name].read_text(encoding="utf-8") for name in ("stdout", "stderr"))
    assert "Traceback" not in err, err
    return Ended(code, out, err)
