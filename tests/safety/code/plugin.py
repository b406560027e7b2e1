"""Of pytest: notes which lines of the engine each test runs and for how long, or runs only the tests of a list.

KRE_TRACE names a file to write the first to, KRE_CHOSEN a file with the node ids of the second, in their order.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

TRACE, CHOSEN = os.environ.get("KRE_TRACE"), os.environ.get("KRE_CHOSEN")
_lines: set[tuple[str, int]] = set()
_notes: dict[str, dict[str, Any]] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if CHOSEN:
        known = {item.nodeid: item for item in items}
        items[:] = [known[name] for name in json.loads(Path(CHOSEN).read_text()) if name in known]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    if not TRACE:
        return (yield)
    _lines.clear()
    threading.settrace(_trace)
    sys.settrace(_trace)
    began = time.monotonic()
    try:
        return (yield)
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        _notes[item.nodeid] = {"seconds": time.monotonic() - began, "lines": sorted(_lines)}


def pytest_sessionfinish() -> None:
    if TRACE:
        Path(TRACE).write_text(json.dumps(_notes))


def _trace(frame: FrameType, event: str, argument: object) -> Any:
    if "responses/manifests/code/" not in frame.f_code.co_filename:
        return None
    _lines.add((os.path.basename(frame.f_code.co_filename), frame.f_lineno))
    return _trace
