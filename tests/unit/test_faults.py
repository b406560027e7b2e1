"""One planted fault, one finding: at its line, in words that say what to do, whichever engine looks at it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kre.load.bundle import load
from kre.model.finding import Finding
from kre.rules.run import validate
from kre.schema.check import ENGINES, Engine
from support.repository import FIXTURES

FOLDERS = sorted(path for path in (FIXTURES / "faults").iterdir() if path.is_dir())
FIELDS = {"rule", "severity", "path", "line", "column", "message", "hint", "environments", "related"}


def expected(folder: Path) -> dict[str, Any]:
    """What expected.json says; `also` are findings that the same fault brings with it, compared like the others."""
    found: dict[str, Any] = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    assert set(found) == {"exit", "findings", "also"}
    found["findings"] = sorted(
        [*found["findings"], *found["also"]], key=lambda entry: (entry["path"], entry["line"], entry["rule"])
    )
    return found


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_fault(folder: Path, engine: Engine) -> None:
    wanted = expected(folder)
    found = validate(load(folder), engine)
    places = [(entry["rule"], entry["path"], entry["line"]) for entry in wanted["findings"]]
    assert [(item.rule, item.place.path, item.place.line) for item in found] == places, shown(found)
    for entry, item in zip(wanted["findings"], found, strict=True):
        assert entry["says"] in item.message, shown(found)
        assert entry.get("hint", "") in item.hint, shown(found)
    assert any(item.severity == "error" for item in found) == bool(wanted["exit"]), shown(found)


def test_there_are_enough() -> None:
    assert len(FOLDERS) >= 45


@pytest.mark.parametrize("name", ["field-sensor", "kustomize-missing-file", "reference-event"])
def test_command(name: str) -> None:
    folder = FIXTURES / "faults" / name
    wanted = expected(folder)
    argv = [sys.executable, "-m", "kre", "validate", "--root", str(folder), "--format", "json"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == wanted["exit"], done.stderr
    made = json.loads(done.stdout)
    assert set(made) == {"version", "checked", "findings"}
    assert made["version"] == 1
    assert set(made["checked"]) == {"environments", "engine", "files", "roots", "objects", "charts"}
    for entry, item in zip(wanted["findings"], made["findings"], strict=True):
        assert set(item) == FIELDS
        assert (item["rule"], item["path"], item["line"]) == (entry["rule"], entry["path"], entry["line"])
        assert item["severity"] == ("error" if wanted["exit"] else "warning")
        assert entry["says"] in item["message"]
        assert entry.get("hint", "") in item["hint"]
        assert item["environments"] == []
        assert isinstance(item["column"], int)
        assert isinstance(item["related"], list)


def shown(found: list[Finding]) -> str:
    """The findings as people read them."""
    return "\n".join(f"{item.place} {item.rule} {item.message} | {item.hint}" for item in found) or "(nothing)"
