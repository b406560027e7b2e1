"""How often each feature of RBAC was seen allowed and denied, as a table, and where that is too seldom to mean much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

LEAST = 50
Counts = Counter[tuple[str, bool]]  # feature, whether it was allowed


def counts(answers: Iterable[tuple[str, bool]]) -> Counts:
    """Of (feature, allowed)."""
    return Counter(answers)


def few(found: Counts, features: Iterable[str]) -> list[str]:
    """The features that were seen allowed, or denied, less than LEAST times."""
    said = {True: "allowed", False: "denied"}
    return [
        f"{feature}: {said[allowed]} {found[feature, allowed]} times"
        for feature in features
        for allowed in (True, False)
        if found[feature, allowed] < LEAST
    ]


def table(found: Counts) -> str:
    """In Markdown, by name."""
    rows = [
        f"| {f'{name}nothing' if name.endswith(' ') else name} | {found[name, True]} | {found[name, False]} |"
        for name in sorted({feature for feature, _ in found})
    ]
    allowed, denied = (sum(number for (_, was), number in found.items() if was is wanted) for wanted in (True, False))
    head = ["| feature | allowed | denied |", "|---|---:|---:|"]
    return "\n".join([*head, *rows, f"| together | {allowed} | {denied} |"]) + "\n"
