"""What the recorder's code may be made of: it runs from a ConfigMap, beside modules of the engine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from support import plain
from support.engine import CODE as SHARED
from support.recorder import BORROWED, CODE
from support.repository import PROJECT

FILES = sorted(CODE.glob("*.py"))


def test_standard_library_and_what_it_borrows() -> None:
    own, used = {path.stem for path in FILES}, set().union(*map(plain.imports, FILES))
    assert own & {*sys.stdlib_module_names, *(path.stem for path in SHARED.glob("*.py"))} == set(), "hides another"
    assert own - used == {"recorder"}, "no module that nobody uses"
    rest = used - own - set(sys.stdlib_module_names)
    assert rest == set(BORROWED)
    assert (
        set().union(*(plain.imports(SHARED / f"{name}.py") for name in BORROWED)) - set(sys.stdlib_module_names) <= rest
    )


def test_the_configmap_has_all_of_it() -> None:
    made = yaml.safe_load((PROJECT / "base/responses/manifests/kustomization.yaml").read_text())
    (files,) = [one["files"] for one in made["configMapGenerator"] if one["name"] == "recorder-code"]
    assert sorted(files) == sorted(
        [*(f"code/{name}.py" for name in BORROWED), *(f"recorder/code/{path.name}" for path in FILES)]
    )


def test_small_enough_to_be_read() -> None:
    assert sum(path.read_text().count("\n") for path in FILES) < 900


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_says_what_it_is_and_keeps_out_what_is_dangerous(path: Path) -> None:
    plain.check(path)
