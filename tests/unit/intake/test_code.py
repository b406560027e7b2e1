"""What the intake's code may be made of: it runs from a ConfigMap in a plain Python image."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from support import plain

from .conftest import CODE

FILES = sorted(CODE.glob("*.py"))


def test_standard_library_only() -> None:
    own, used = {path.stem for path in FILES}, set().union(*map(plain.imports, FILES))
    assert own & set(sys.stdlib_module_names) == set(), "no name hides one of the library's"
    assert used - own - set(sys.stdlib_module_names) == set()
    assert own - used == {"intake"}, "no module that nobody uses"


def test_the_configmap_has_all_of_it() -> None:
    made = yaml.safe_load((CODE.parent / "kustomization.yaml").read_text())
    (generator,) = made["configMapGenerator"]
    assert generator["files"] == [f"code/{path.name}" for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_says_what_it_is_and_keeps_out_what_is_dangerous(path: Path) -> None:
    plain.check(path)
