"""One digest for everything that a validation depends on. Equal digest, equal result."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from kre import __version__
from kre.doors import cache, files, git
from kre.load import layout
from kre.load.sources import relative

_PACKAGE = Path(__file__).resolve().parents[1]


def fingerprint(root: Path, *options: str) -> str:
    """A digest over the bytes and names of every file that is read below `root`, over kre itself, and over options.

    Git's HEAD is part of it, since rule R2 asks what base/ once held, and so are the modes in its index, where there is
    a lock that may name them.
    """
    digest = hashlib.sha256()
    for part in (str(root), __version__, git.head(root), *options):
        _add(digest, part.encode())
    folders = [root / folder for folder in layout.FOLDERS] if layout.is_layout(root) else [root]
    named = [root / layout.CONFIG] if layout.is_layout(root) else []
    for path in (*named, *(path for folder in folders if folder.is_dir() for path in files.walk(folder, []))):
        _add(digest, relative(root, path).encode())
        try:
            _add(digest, files.read(path))
        except files.FileProblem as problem:
            _add(digest, str(problem).encode())
    if any((root / "overlays").glob("*/release.lock.yaml")):
        _add(digest, git.modes(root, "overlays").encode("utf-8", "replace"))
    for path in sorted(_PACKAGE.rglob("*")):
        if path.suffix != ".pyc":
            state = path.stat()
            _add(digest, f"{path}{state.st_size}{state.st_mtime_ns}".encode())
    return cache.key(digest.hexdigest())


def _add(digest: hashlib._Hash, part: bytes) -> None:
    digest.update(len(part).to_bytes(8, "big") + part)


def outside(root: Path, reads: frozenset[str]) -> bool:
    """Whether some of the files that were read lie where fingerprint() does not look."""
    folders = tuple(f"{folder}/" for folder in layout.FOLDERS)
    return any(
        os.path.isabs(path) or path.startswith("..") or (layout.is_layout(root) and not path.startswith(folders))
        for path in reads
    )
