"""What Git says of the revision that a change is compared with: the digests of base/, and what locks named before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

from kre.doors.git.objects import Objects
from kre.errors import KreError
from kre.load import digest, lockfile
from kre.model.bundle import Environment
from kre.model.promotion import Merged, Source

BASE = "base"


def merged(where: Path | Objects, revision: str, changed: Iterable[Environment]) -> Merged:
    """As Merged, of a folder or what is open of it already; of locks those of the `changed` environments. Raises
    UsageError as Objects does."""
    names = [environment.name for environment in changed]
    if not names:
        return Merged()
    with nullcontext(where) if isinstance(where, Objects) else Objects(where) as objects:
        commit = objects.resolve(revision)
        digests = {}
        for component in objects.names(commit, BASE):
            entries = objects.tree(commit, f"{BASE}/{component}")
            digests[component] = digest.digest(
                entries, lambda entry: hashlib.sha256(_bytes(objects, entry.blob)).digest()
            )
        found: dict[tuple[str, str], set[tuple[Source, str]]] = {}
        for name in names:
            for content in _versions(objects, commit, f"overlays/{name}/release.lock.yaml"):
                _note(found, name, content)
    return Merged(digests, {key: frozenset(values) for key, values in found.items()})


def _bytes(objects: Objects, blob: str) -> bytes:
    """Of a submodule, which is no blob, its id: kre.promote digests it so too."""
    return objects.blob(blob) if objects.has(blob) else blob.encode()


def _versions(objects: Objects, commit: str, path: str) -> Iterable[bytes]:
    """The contents that a file had on the branch itself, up to a commit."""
    options = ("--first-parent", "-m", "--format=", "--raw", "--no-abbrev", "--no-renames", "-z")
    fields = objects.text("log", *options, commit, "--", f":(top,literal){objects.prefix}{path}").split("\0")
    blobs = {line.split()[3] for line in fields if line.lstrip("\n").startswith(":")}
    return (objects.blob(blob) for blob in sorted(blobs) if objects.has(blob))


def _note(found: dict[tuple[str, str], set[tuple[Source, str]]], environment: str, content: bytes) -> None:
    try:
        lock = lockfile.read("", content)
    except KreError:  # one that was mended since
        return
    for component, entry in lock.components.items():
        found.setdefault((environment, component), set()).add((entry.source, entry.digest))
