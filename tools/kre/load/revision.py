"""A repository as it was at a revision, in a folder of its own for as long as it is looked at."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from kre.doors import git
from kre.errors import UsageError
from kre.load import layout
from kre.load.bundle import exported, load
from kre.load.extent import extent_of
from kre.load.sources import Sources
from kre.model.bundle import Bundle


@contextlib.contextmanager
def at(root: Path, revision: str, only: Iterable[str] | None = None) -> Iterator[Bundle]:
    """The Bundle of `root` at a revision, with these environments of those that it had; of the work tree for "".

    Raises UsageError where there is no such revision, or it had no environments, or none of these.
    """
    if not revision:
        yield load(root, only)
        return
    with tempfile.TemporaryDirectory(prefix="kre-") as scratch:
        git.export(root, revision, Path(scratch), extent_of(root, revision))
        if not layout.is_layout(Path(scratch)):
            raise UsageError(f"{revision} has no {layout.POLICY}, hence no environments")
        known = [item.name for item in layout.environments(Sources(Path(scratch)))]
        wanted = known if only is None else [name for name in only if name in known]
        if only is not None and not wanted:
            raise UsageError(f"{revision} has no environment {', '.join(only)}", f"it has: {', '.join(known)}")
        yield exported(Path(scratch), wanted)
