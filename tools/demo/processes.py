"""The dispatcher and the responder as processes, each with its files as its pod has them."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kre.errors import ToolError

_START = 20.0  # seconds
_END = 10.0
_QUIET = 0.3


def unpack(files: Mapping[str, str], folder: Path) -> Path:
    """Writes the data of a ConfigMap where a pod would have it mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / os.path.basename(name)).write_text(text, encoding="utf-8")
    return folder


def argv(command: list[str], code: Path) -> list[str]:
    """A container's command, with the Python at hand, and its program in a folder here."""
    interpreter, *options, program = command
    if interpreter != "python3":
        raise ToolError(f"{interpreter}: only python3 is run here")
    return [sys.executable, *options, str(code / os.path.basename(program))]


def environment(**changes: str) -> dict[str, str]:
    """The environment of a process: nothing of ours but what finds programs."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), **changes}


class Dispatcher:
    """The dispatcher, listening on a port of this machine while the context lasts."""

    def __init__(self, command: list[str], code: Path, environ: Mapping[str, str]) -> None:
        self._argv = argv(command, code)
        self._environ = environment(**environ, KRE_PORT="0", KRE_HEALTH_PORT="0")
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.port = self.health_port = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._argv, env=self._environ, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            first = json.loads(self._lines.get(timeout=_START) or "null")
            self.port, self.health_port = first["port"], first["health_port"]
        except (queue.Empty, ValueError, TypeError, KeyError):
            self._stop()
            raise ToolError("the dispatcher did not say where it listens") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def records(self, wait: float = 5.0) -> list[dict[str, Any]]:
        """What it wrote since it was asked last: waits for the first line, then until it is quiet."""
        found: list[dict[str, Any]] = []
        until = time.monotonic() + wait
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return found
            if line is None:
                return found
            found.append(json.loads(line))
            until = time.monotonic() + _QUIET

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line)
        self._lines.put(None)

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        if self._process.stdout:
            self._process.stdout.close()
