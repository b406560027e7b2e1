"""Accepts what a change means, by the digest of exactly that: overlays/<env>/accepted-risks.yaml."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kre.edit.draft import Draft
from kre.edit.sequence import insert
from kre.errors import UsageError
from kre.model.comparison import Kind, Risk

_NEW = b"version: 1\naccepted: []\n"


def accept(root: Path, risks: Iterable[Risk], kind: Kind, reason: str) -> list[str]:
    """Writes an entry for each risk of a kind, into the file of its environment; one that stands there stays as it is.
    Returns the files that changed. Raises UsageError."""
    if not reason.strip():
        raise UsageError("a reason is needed", "say why the change is meant")
    draft = Draft(root)
    for risk in risks:
        if risk.kind is kind:
            path = f"overlays/{risk.environment}/accepted-risks.yaml"
            raw = draft.read(path) if draft.has(path) else _NEW
            if risk.digest.encode() not in raw:
                entry = {"kind": str(risk.kind), "digest": risk.digest, "reason": reason}
                draft.write(path, insert(path, raw, ("accepted",), entry))
    draft.save()
    return [edit.path for edit in draft.changes]
