"""The register of rules as text, JSON and Markdown (docs/rules.md is the last of these)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kre.rules.registry import Rule


def as_text(rules: Iterable[Rule]) -> str:
    """One line a rule."""
    return "".join(f"{rule.id:<5} {rule.severity:<8} {rule.scope:<7} {rule.title}\n" for rule in rules)


def as_json(rules: Iterable[Rule], *, pages: bool = False) -> dict[str, Any]:
    """`{"version": 1, "rules": [{"id", "title", "severity", "scope", "peers", "aliases"}]}`, each with its "page" where
    asked."""
    entries = [
        {"id": rule.id, "title": rule.title, "severity": rule.severity, "scope": rule.scope}
        | {"peers": list(rule.peers), "aliases": list(rule.aliases)}
        | ({"page": rule.page} if pages else {})
        for rule in rules
    ]
    return {"version": 1, "rules": entries}


def as_markdown(rules: Iterable[Rule]) -> str:
    """A page with a table of all rules and where they apply."""
    head = (
        "# Rules\n\n<!-- Made by `make docs` from the register; a test compares. -->\n\n"
        "`kre explain ID` says more of each: why, a bad and a good example, the fix.\n\n"
        "Scope: `object` looks at one object, wherever it stands; `world` at objects that live side by side (in a\n"
        "folder without environments its findings are warnings, for the rest may be in the cluster); `layout` needs\n"
        "environments. A second id is another list's, for the same.\n\n"
        "| id | asks | scope | severity | known to peers as |\n|---|---|---|---|---|\n"
    )
    rows = (
        f"| {', '.join((r.id, *r.aliases))} | {r.title} | {r.scope} | {r.severity} | {', '.join(r.peers)} |\n"
        for r in rules
    )
    return head + "".join(rows)


def page(rule: Rule) -> str:
    """All that is known of one rule."""
    peers = f"Known to peers as: {', '.join(rule.peers)}\n\n" if rule.peers else ""
    peers += f"Also called: {', '.join(rule.aliases)}\n\n" if rule.aliases else ""
    head = f"{rule.id} ({rule.severity}, {rule.scope}): {rule.title}\n\n"
    return f"{head}{peers}{rule.page}"
