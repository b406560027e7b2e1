"""Risks that were accepted, each by the digest of exactly that change; and where that counts.

An entry of accepted-risks.yaml counts once it is merged. Before that, and in the lock of a promotion, it counts where
the policy leaves that to the code owners, and BASE names some for the file. Policy and owners are BASE's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kre.load.layout import POLICY
from kre.load.owners import owned
from kre.model.bundle import Bundle
from kre.model.comparison import Risk
from kre.model.promotion import AcceptedRisk
from kre.model.resource import dig, each

BASE, CODEOWNERS = "base", "codeowners"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a risk is accepted, with its reason; or why an entry that names it does not count."""

    accepted: bool
    reason: str = ""


def file_of(environment: str) -> str:
    """Where an environment's accepted risks stand."""
    return f"overlays/{environment}/accepted-risks.yaml"


def lock_of(environment: str) -> str:
    """The lock of an environment, which has the accepted risks of its promotions."""
    return f"overlays/{environment}/release.lock.yaml"


def verdict(before: Bundle, after: Bundle, risk: Risk) -> Verdict:
    """What `before`, which is merged, and `after`, which is proposed, say of a risk."""
    merged = _among(_listed(before, file_of(risk.environment)), risk)
    if merged:
        return Verdict(True, merged.reason)
    proposed = (
        (file_of(risk.environment), _among(_listed(after, file_of(risk.environment)), risk)),
        (lock_of(risk.environment), _among(_of_lock(before, after, risk.environment), risk)),
    )
    for path, entry in proposed:
        if entry is None:
            continue
        if _policy(before) == BASE:
            return Verdict(
                False, f"{path} accepts it in the same change, and environments.yaml says acceptedRisks: base"
            )
        if not owned(before.owners, path):
            return Verdict(False, f"{path} accepts it in the same change, and has no code owner")
        return Verdict(True, entry.reason)
    return Verdict(False)


def _policy(before: Bundle) -> str:
    return CODEOWNERS if dig(_value(before, POLICY), "acceptedRisks") in (None, CODEOWNERS) else BASE


def _value(bundle: Bundle, path: str) -> object:
    source = bundle.sources.get(path)
    return source.documents[0].value if source and source.documents else None


def _listed(bundle: Bundle, path: str) -> Iterator[AcceptedRisk]:
    return _entries(each(_value(bundle, path), "accepted"))


def _of_lock(before: Bundle, after: Bundle, environment: str) -> Iterator[AcceptedRisk]:
    """Of the entries that this change writes: what was accepted for a promotion before holds for that one alone."""
    old, new = (dig(_value(bundle, lock_of(environment)), "components") for bundle in (before, after))
    for name in new if isinstance(new, dict) else ():
        if dig(old, name) != dig(new, name):
            yield from _entries(each(new, name, "accepted_risks"))


def _entries(items: list[object]) -> Iterator[AcceptedRisk]:
    for item in items:
        kind, digest, reason = (dig(item, key) for key in ("kind", "digest", "reason"))
        if isinstance(kind, str) and isinstance(digest, str) and isinstance(reason, str) and reason.strip():
            yield AcceptedRisk(kind, digest, reason)


def _among(entries: Iterator[AcceptedRisk], risk: Risk) -> AcceptedRisk | None:
    return next((entry for entry in entries if (entry.kind, entry.digest) == (risk.kind, risk.digest)), None)
