"""The digest of a component: one for its paths, modes and bytes, whatever the commit and the hash that Git uses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

from kre.doors.git.objects import SUBMODULE, Objects
from kre.model.promotion import Entry


def digest(entries: Iterable[Entry], sha: Callable[[Entry], bytes]) -> str:
    """`sha256:` and the hex digest over (path, mode, SHA-256 of the bytes) of each file, sorted by path, each of the
    three after its length in 8 bytes. `sha` gives the 32 bytes for an entry."""
    whole = hashlib.sha256()
    for entry in sorted(entries):
        for part in (entry.path.encode("utf-8", "surrogateescape"), entry.mode.encode(), sha(entry)):
            whole.update(len(part).to_bytes(8, "big") + part)
    return f"sha256:{whole.hexdigest()}"


def sha(objects: Objects, entry: Entry) -> bytes:
    """The SHA-256 of an entry's bytes, as Git has them: of a submodule those of its commit's name."""
    content = entry.blob.encode() if entry.mode == SUBMODULE else objects.blob(entry.blob)
    return hashlib.sha256(content).digest()


def of_files(files: Mapping[str, tuple[str, bytes]]) -> str:
    """The digest of path -> (mode, bytes)."""
    entries = [Entry(path, mode, "") for path, (mode, _) in files.items()]
    return digest(entries, lambda entry: hashlib.sha256(files[entry.path][1]).digest())
