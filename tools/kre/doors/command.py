"""The only place that starts a process."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kre.errors import ToolError

TIMEOUT = 60.0  # seconds; KRE_TOOL_TIMEOUT changes it
OUTPUT_LIMIT = 64 * 1024 * 1024  # bytes

_running: set[subprocess.Popen[bytes]] = set()
_stopping = threading.Event()


@dataclass(frozen=True, slots=True)
class Completed:
    """What a process left: its exit code (negative: the signal that ended it), standard output and standard error."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str


def find(name: str, folders: Sequence[Path] = ()) -> str | None:
    """The path of an executable: in `folders` first, then on PATH; None where there is none."""
    for folder in folders:
        if found := shutil.which(name, path=str(folder)):
            return found
    return shutil.which(name)


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    stdin: str = "",
    env: Mapping[str, str | None] | None = None,
    timeout: float | None = None,
) -> Completed:
    """Runs a program to its end and returns what it left, whatever its exit code.

    `env` is added to the environment; None takes a variable away. Raises ToolError where the program can't be
    started, or runs longer than `timeout` seconds: then it and every process that it started are killed. Raises
    KeyboardInterrupt after stop_all.
    """
    limit = timeout if timeout is not None else _limit()
    try:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=_environment(env) if env else None,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(f"{argv[0]} can't be started: {error.strerror or error}") from None
    _running.add(process)
    if _stopping.is_set():  # asked after the line above, so that stop_all misses no process
        _kill(process)
    try:
        out, err = process.communicate(stdin.encode(), timeout=limit)
    except subprocess.TimeoutExpired:
        raise ToolError(
            f"{shlex.join(argv)[:200]} did not end within {limit:g} s and was stopped",
            "run it by hand to see what it waits for; KRE_TOOL_TIMEOUT=SECONDS gives it longer",
        ) from None
    finally:
        _stop(process)
        _running.discard(process)
    if _stopping.is_set():  # what it left is of no use, and an interrupt that a callback swallowed comes up here again
        raise KeyboardInterrupt
    return Completed(tuple(argv), process.returncode, _text(out), _text(err))


@contextlib.contextmanager
def serve(argv: Sequence[str], ready: str, *, timeout: float = 20.0) -> Iterator[re.Match[str]]:
    """Runs a program for as long as the context lasts. Yields the match of `ready`, a pattern that one of the lines
    which it prints has when it is ready.

    Raises ToolError, with what it said last, where it can't be started, ends before, or is not ready within `timeout`.
    """
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                list(argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, start_new_session=True
            )
        except OSError as error:
            raise ToolError(f"{argv[0]} can't be started: {error.strerror or error}") from None
        _running.add(process)
        late = threading.Timer(timeout, _kill, [process])
        try:
            late.start()
            lines = (line.decode(errors="replace") for line in process.stdout or ())
            found = next((match for line in lines if (match := re.search(ready, line))), None)
            late.cancel()
            if _stopping.is_set():
                raise KeyboardInterrupt
            if found is None:
                said.seek(0)
                last = (_text(said.read()).strip().splitlines() or ["it said nothing"])[-1]
                raise ToolError(f"{shlex.join(argv)[:200]} did not come up: {last}")
            yield found
        finally:
            late.cancel()
            _stop(process)
            if process.stdout:
                process.stdout.close()
            _running.discard(process)


def stop_all() -> None:
    """Ends every process that runs or will be started: whoever waited for one is about to leave."""
    _stopping.set()
    for process in list(_running):
        _kill(process)


def _environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**os.environ, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def _limit() -> float:
    given = os.environ.get("KRE_TOOL_TIMEOUT", "")
    try:
        return float(given) if given else TIMEOUT
    except ValueError:
        raise ToolError(f"KRE_TOOL_TIMEOUT={given} is not a number of seconds") from None


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        _kill(process)
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


def _text(output: bytes) -> str:
    if len(output) > OUTPUT_LIMIT:
        raise ToolError(f"a tool wrote more than {OUTPUT_LIMIT // 2**20} MiB")
    return output.decode(errors="replace")
