"""Each defence of threats.py is taken away, and the one who has to notice does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from kre.model.resource import Resource
from safety.mutate import replaced
from safety.promise import World, bundle, promises, world
from safety.threats import CODE, RENDERED, Code, Rendered
from support.repository import PROJECT

FOLDER = PROJECT / "base/responses/manifests/code"
OPTIONS = PROJECT / "base/responses/options"
UNIT = "tests/unit"


@cache
def dev() -> World:
    return world(bundle("dev"), "dev")


@pytest.mark.parametrize("row", RENDERED, ids=str)
def test_without_the_defence_its_promise_complains(row: Rendered) -> None:
    item = found(row)
    promise = promises()[row.promise]
    assert list(promise.about(dev(), item, item)) == []
    assert list(promise.about(dev(), item, replaced(item, row.pointer, row.instead)))


def found(row: Rendered) -> Resource:
    (item,) = [one for one in dev().objects if str(one) == row.object]
    return item


Ended = subprocess.CompletedProcess[str]
# Taken once: pytest sets a variable for each test while the threads below start processes.
ENVIRON = dict(os.environ)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Ended]]]:
    """Every row of CODE, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        started = {str(row): pool.submit(run, row, tmp_path_factory.mktemp("code")) for row in CODE}
        yield started
        for future in started.values():
            future.cancel()


def run(row: Code, folder: Path) -> Ended:
    """Its test, on a copy of the code without the piece. -x: one failure is enough."""
    shutil.copytree(FOLDER, folder / "code", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(OPTIONS, folder / "options", ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "code" / row.file
    text = file.read_text()
    assert text.count(row.piece) == 1, f"{row.file} has {text.count(row.piece)} of: {row.piece}"
    file.write_text(text.replace(row.piece, row.instead))
    compile(file.read_text(), row.file, "exec")
    return pytest_run(row.test, folder / "code", folder / "temp")


def named(test: str) -> str:
    """With its folder: those of the responses' own code say it."""
    return test if "/" in test else f"engine/{test}"


def pytest_run(test: str, code: Path, temp: Path) -> Ended:
    paths = [f"--basetemp={temp}", f"{UNIT}/{named(test)}"]
    command = [sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider", *paths]
    environ = {**ENVIRON, "KRE_ENGINE_CODE": str(code), "KRE_OPTIONS": str(code.parent / "options")}
    return subprocess.run(command, cwd=PROJECT, env=environ, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("row", CODE, ids=str)
def test_without_the_defence_its_test_fails(row: Code, runs: dict[str, Future[Ended]]) -> None:
    done = runs[str(row)].result()
    assert done.returncode == 1, done.stdout[-1500:] + done.stderr[-500:]  # 1: tests ran, and one failed
    assert f"FAILED {UNIT}/{named(row.test).partition('[')[0]}" in done.stdout


def test_with_the_defences_these_tests_pass(tmp_path: Path) -> None:
    """On a copy of the code as it is: it is not the copy that makes them fail."""
    shutil.copytree(FOLDER, tmp_path / "code", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(OPTIONS, tmp_path / "options", ignore=shutil.ignore_patterns("__pycache__"))
    done = pytest_run(f"{CODE[1].test}", tmp_path / "code", tmp_path / "temp")
    assert done.returncode == 0, done.stdout[-1500:]


def test_every_threat_has_a_defence_that_is_watched() -> None:
    assert {row.threat for row in (*CODE, *RENDERED)} == {f"T{number}" for number in range(1, 24)}
    names = [str(row) for row in (*CODE, *RENDERED)]
    assert len(names) == len(set(names))
