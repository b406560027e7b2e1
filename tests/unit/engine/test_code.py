"""What the code may be made of: it runs from a ConfigMap in a plain Python image."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import plain
from support.engine import CODE, OPTIONS, PROGRAMS, REQUESTED, engine, shop

FILES = sorted(CODE.glob("*.py"))
OWN = sorted(OPTIONS.glob("*/code/*.py"))  # what a response alone needs


def test_standard_library_only() -> None:
    own = {path.stem for path in (*FILES, *OWN)}
    assert len(own) == len(FILES) + len(OWN), "they stand side by side in one folder"
    assert own & set(sys.stdlib_module_names) == set(), "no name hides one of the library's"
    imported = set().union(*map(plain.imports, (*FILES, *OWN)))
    assert imported - own - set(sys.stdlib_module_names) == set()
    programs = {program for program, _ in PROGRAMS.values()}
    assert own - imported | {"responder"} == {"dispatcher", *programs}, "no module that nobody uses"


def test_small_enough_to_be_read() -> None:
    assert sum(path.read_text().count("\n") for path in FILES) < 900
    assert sum(len(path.read_bytes()) for path in FILES) < 512 * 1024, "a ConfigMap holds 1 MiB"
    assert all(path.read_text().count("\n") < 120 for path in OWN)


@pytest.mark.parametrize("minor", plain.MINORS)
def test_runs_by_each_python_that_is_here(tmp_path: Path, minor: int) -> None:
    """The others are for CI. A name on the PATH may be no more than a signpost."""
    python = shutil.which(f"python3.{minor}") or ""
    if not python or subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode:
        pytest.skip(f"there is no python3.{minor}")
    script = "import ast, sys; [compile(open(name).read(), name, 'exec') for name in sys.argv[1:]]"
    subprocess.run([python, "-I", "-W", "error", "-c", script, *map(str, FILES)], check=True)
    with engine(tmp_path, shop()) as it:
        assert it.process(python, KRE_ACTION="isolate").record["outcome"] == "isolated"
        assert it.process(python, KRE_ACTION="release", **REQUESTED).record["outcome"] == "released"
        assert it.process(python, KRE_ACTION="delete").record["outcome"] == "deleted"


@pytest.mark.parametrize("path", [*FILES, *OWN], ids=lambda path: path.stem)
def test_says_what_it_is_and_keeps_out_what_is_dangerous(path: Path) -> None:
    plain.check(path)
