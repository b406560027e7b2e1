"""The subprocess door: what it returns, what it refuses, and that nothing outlives it."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from kre.doors import command
from kre.errors import Exit, ToolError


def test_returns_what_the_process_left() -> None:
    code = "import sys; print(sys.stdin.read()); print('e', file=sys.stderr); sys.exit(3)"
    done = command.run([sys.executable, "-c", code], stdin="in")
    assert (done.code, done.stdout, done.stderr) == (3, "in\n", "e\n")


def test_env_is_added() -> None:
    done = command.run(
        [sys.executable, "-c", "import os; print(os.environ['X'], 'PATH' in os.environ)"], env={"X": "1"}
    )
    assert done.stdout == "1 True\n"


def test_a_variable_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONE", "1")
    done = command.run([sys.executable, "-c", "import os; print('GONE' in os.environ)"], env={"GONE": None})
    assert done.stdout == "False\n"


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(ToolError, match="no-such-program can't be started"):
        command.run(["no-such-program"])


def test_a_program_that_hangs_is_stopped_with_its_children(tmp_path: Path) -> None:
    script = (
        f"import os, time; os.fork() or open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    )
    started = time.monotonic()
    with pytest.raises(ToolError, match=r"did not end within 0\.5 s") as caught:
        command.run([sys.executable, "-c", script], timeout=0.5)
    assert time.monotonic() - started < 10
    assert caught.value.exit is Exit.TOOL
    child = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not _alive(child):
            break
        time.sleep(0.02)
    assert not _alive(child)


def test_an_interrupt_that_was_swallowed_comes_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_stopping", threading.Event())
    found: list[BaseException] = []

    def run() -> None:
        try:
            command.run(["sleep", "60"])
        except BaseException as error:  # noqa: BLE001 - whichever it is, it is judged below
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not command._running:
        time.sleep(0.01)
    command.stop_all()
    thread.join(10)
    assert [type(error) for error in found] == [KeyboardInterrupt]
    with pytest.raises(KeyboardInterrupt):
        command.run(["sleep", "60"])


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("given", ["soon", "1s"])
def test_a_limit_that_is_no_number(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("KRE_TOOL_TIMEOUT", given)
    with pytest.raises(ToolError, match="is not a number of seconds"):
        command.run(["true"])


def test_finds_in_folders_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tool").write_text("#!/bin/sh\n")
        os.chmod(tmp_path / name / "tool", 0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "second"))
    assert command.find("tool", [tmp_path / "first"]) == str(tmp_path / "first" / "tool")
    assert command.find("tool") == str(tmp_path / "second" / "tool")
    assert command.find("other") is None
