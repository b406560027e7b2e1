"""Approvals: who signed that a component may enter an environment with exactly these bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from kre.doors import ssh
from kre.doors.ssh import Signature, Signers

NAMESPACE = "kre-approval"
SIGNERS = "overlays/allowed-signers"
REVOKED = "overlays/revoked-signers"


def folder(environment: str, component: str) -> str:
    """Where the signatures for a component in an environment are: each a file that ends in .sig."""
    return f"overlays/{environment}/approvals/{component}"


def text(environment: str, component: str, digest: str) -> str:
    """What is signed."""
    return f"{environment} {component} {digest}\n"


@dataclass(frozen=True, slots=True)
class Approvals:
    """The signatures that count, by the file they stand in, and why others do not."""

    given: Mapping[str, Signature]
    refused: Mapping[str, str]


def approvals(
    signed: str, files: Mapping[str, bytes], signers: Signers, authors: Collection[str], now: datetime
) -> Approvals:
    """Judges signature files over a text. One person and one key count once; `authors` (addresses) do not count."""
    given: dict[str, Signature] = {}
    refused: dict[str, str] = {}
    own = {author.casefold() for author in authors}
    for path in sorted(files):
        found = ssh.verify(signed, files[path], NAMESPACE, signers, now)
        if isinstance(found, str):
            refused[path] = found
        elif {name.casefold() for name in found.names} & own:
            refused[path] = f"{found.names[0]} is the author of the promotion"
        elif any(found.key == other.key or set(found.names) & set(other.names) for other in given.values()):
            refused[path] = f"{found.names[0]} has signed already"
        else:
            given[path] = found
    return Approvals(given, refused)


def told(found: Approvals) -> Iterator[str]:
    """Why files do not count, a line for each."""
    for path, why in found.refused.items():
        yield f"{path.rpartition('/')[2]}: {why}"
