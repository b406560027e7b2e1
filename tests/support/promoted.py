"""This repository as it is once all of it is promoted: in every environment the release is what base/ is now.

A release here may be older than base/, as long as nobody has promoted; what it brings was tested at its own commit.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from kre.load.bundle import exported
from kre.load.layout import environments
from kre.load.sources import Sources
from kre.model.bundle import Bundle
from support.cli import kre
from support.whole import copied


@cache
def promoted() -> Path:
    """A folder with it, without locks: no history would prove them."""
    made = Path(tempfile.mkdtemp(prefix="kre-promoted-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    copied(made, but=r"overlays/[^/]+/release[./]")
    later = [environment for environment in environments(Sources(made)) if environment.source]
    for environment in later:
        shutil.copytree(made / "base", made / environment.folder / "release")
    for environment in later:  # what is new in base/ somebody has approved by then
        done = kre("rbac", "budget", "--env", environment.name, "--write", cwd=made)
        assert done.code == 0, done.err
    return made


def load_promoted(*names: str) -> Bundle:
    """Its Bundle, with these environments, or all."""
    return exported(promoted(), names or None)
