"""Small results kept between runs, under the user's cache folder. Losing one costs time, never correctness."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from kre.doors import files
from kre.errors import UsageError


def folder() -> Path:
    """$XDG_CACHE_HOME/kre, by default ~/.cache/kre."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kre"


def key(*parts: str) -> str:
    """A name for what `parts` determine; no two different lists of parts share one."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


def get(kind: str, name: str) -> Any | None:  # noqa: ANN401 - JSON
    """The value kept as `name`, None where there is none or it is damaged."""
    try:
        return json.loads((folder() / kind / f"{name}.json").read_bytes())
    except (OSError, ValueError):
        return None


def put(kind: str, name: str, value: object) -> None:
    """Keeps a JSON value. A cache that can't be written is no reason to fail."""
    try:
        files.write(folder() / kind / f"{name}.json", json.dumps(value, separators=(",", ":")).encode())
    except (OSError, UsageError):
        return
