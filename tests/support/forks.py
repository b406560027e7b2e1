"""Starts `kre` as often as tests ask: one process imports it, and forks itself for each run.

Each run has its own arguments, folder, environment and files, and ends as `python -m kre` does; only the imports are
shared. The server knows nothing of the tests: it is a fresh interpreter. That `kre` starts by itself, and with which
imports, is for those tests that start a process of their own.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

Request = dict[str, Any]


class Forks:
    """The server, as its client sees it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._folder = tempfile.TemporaryDirectory(prefix="kre-forks-")
        self.address = f"{self._folder.name}/socket"
        command = [sys.executable, "-m", "support.forks", self.address, str(theirs.fileno())]
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "COLUMNS": "100", "NO_COLOR": "1"}
        null = subprocess.DEVNULL
        with theirs:
            self._process = subprocess.Popen(
                command, env=environ, stdin=null, stdout=null, cwd="/", pass_fds=(theirs.fileno(),)
            )
        with ours:
            assert ours.recv(1) == b"!", "kre can't be imported"

    def run(
        self, arguments: Sequence[str], cwd: Path, environ: Mapping[str, str], files: Mapping[str, str], timeout: float
    ) -> int:
        """The exit code of `kre` with these arguments, as subprocess has it; `files` has stdin, stdout and stderr.

        Raises subprocess.TimeoutExpired; the run is killed then.
        """
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(self.address)
            door.settimeout(timeout)
            request = {"arguments": list(arguments), "cwd": str(cwd), "environ": dict(environ), "files": dict(files)}
            door.sendall(json.dumps(request).encode())
            door.shutdown(socket.SHUT_WR)
            pid = int(door.recv(32))
            try:
                return int(door.recv(32))
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(["kre", *arguments], timeout) from None

    def stop(self) -> None:
        """Ends the server."""
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()


@cache
def forks() -> Forks:
    """The one of this process, until that ends."""
    made = Forks()
    atexit.register(made.stop)
    return made


def serve(address: str, ready: int) -> None:
    """Takes requests until it is told to end: for each a fork, which waits for the run and says how it ended."""
    import kre

    for module in pkgutil.walk_packages(kre.__path__, "kre."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen(64)
        os.write(ready, b"!")
        os.close(ready)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
        while True:
            taken, _ = door.accept()
            if not os.fork():
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                door.close()
                _watch(taken)
                os._exit(0)
            taken.close()


def _watch(client: socket.socket) -> None:
    with client, client.makefile("rb") as file:
        request = json.load(file)
        pid = os.fork()
        if not pid:
            client.close()
            _run(request)
        client.sendall(f"{pid:032d}".encode())
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        client.sendall(str(code).encode())


def _run(request: Request) -> None:
    """Is `python -m kre`; doesn't return."""
    from kre.cli.main import main

    code: object = 1
    try:
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            os.dup2(os.open(request["files"][name], os.O_RDWR), number)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["environ"])
        sys.argv = ["kre", *request["arguments"]]
        try:
            code = main()
        except SystemExit as end:
            code = end.code
        except BaseException:  # noqa: BLE001 - as the interpreter does
            traceback.print_exc()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
