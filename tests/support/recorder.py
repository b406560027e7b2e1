"""A recorder to watch: as a process as in its pod, or its parts within the test."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from support.engine import CODE as SHARED
from support.modules import imported
from support.repository import PROJECT
from support.workflow_api import Api, Object

CODE = PROJECT / "base/responses/manifests/recorder/code"
BORROWED = ("api", "names", "record", "settings")  # modules of the engine, in the same ConfigMap


def modules() -> SimpleNamespace:
    """The recorder's modules by name, and those that it borrows."""
    return imported((*(path.stem for path in CODE.glob("*.py")), *BORROWED), CODE, SHARED)


MODULES = modules()


# ---- the recorder


def until(what: str, condition: Callable[[], Any], seconds: float = 20) -> Any:
    """Waits for something that is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds:g} s")


class Process:
    """A recorder as in its pod: files of a ConfigMap in one folder, an address, standard output."""

    def __init__(self, folder: Path, api: Api, **environ: str) -> None:
        self.log, self._api, self._environ = folder / "log", api, environ
        self.code = folder / "code"
        self.code.mkdir(parents=True)
        for path in (*CODE.glob("*.py"), *(SHARED / f"{name}.py" for name in BORROWED)):
            (self.code / path.name).write_bytes(path.read_bytes())
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environ = {"KRE_API": self._api.url, "KRE_HEALTH_PORT": "0", "PATH": os.environ["PATH"]}
        command = [sys.executable, "-EsB", str(self.code / "recorder.py")]
        with self.log.open("ab") as log:  # what a runtime keeps of a container that is killed
            self._running = subprocess.Popen(command, stdout=log, env=environ | self._environ)

    def kill(self) -> None:
        """Without a warning, wherever it is."""
        if self._running:
            self._running.kill()
            self._running.wait()

    def end(self) -> int:
        assert self._running
        self._running.terminate()
        return self._running.wait(10)

    def lines(self) -> list[Object]:
        """Every line that is whole, since the first start."""
        text = self.log.read_bytes() if self.log.exists() else b""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith(b"\n")]

    def records(self) -> list[Object]:
        return [line for line in self.lines() if "key" in line]

    def ask(self, path: str) -> tuple[int, str]:
        port = [line["health_port"] for line in self.lines() if line["outcome"] == "listening"][-1]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, ""


@contextlib.contextmanager
def recorder(folder: Path, api: Api, **environ: str) -> Iterator[Process]:
    """One that runs; none when the block ends."""
    process = Process(folder, api, **environ)
    process.start()
    try:
        yield process
    finally:
        process.kill()


def once(lines: list[Object]) -> dict[str, Object]:
    """As a reader keeps them: the first of each key. Copies must say the same, but when."""
    found: dict[str, Object] = {}
    for line in lines:
        first = found.setdefault(line["key"], line)
        assert {**first, "time": ""} == {**line, "time": ""}
    return found
