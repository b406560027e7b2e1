"""Code that is no package: modules in folders, imported by their names, as python3 -E finds them beside a program."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from unittest import mock


def imported(names: Iterable[str], *folders: Path) -> SimpleNamespace:
    """The modules of these names, first found in these folders; sys.modules is as before, for others of these names."""
    wanted = list(names)
    kept = {name: sys.modules.pop(name) for name in wanted if name in sys.modules}
    places = [*map(str, folders), *sys.path]
    with mock.patch.object(sys, "path", places), mock.patch.object(sys, "dont_write_bytecode", True):
        try:
            return SimpleNamespace(**{name: importlib.import_module(name) for name in wanted})
        finally:
            for name in wanted:
                sys.modules.pop(name, None)
            sys.modules.update(kept)
