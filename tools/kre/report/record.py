"""What `kre record close` found."""

from __future__ import annotations

from typing import Any

from kre.record.account import Account
from kre.report.printable import printable


def as_json(account: Account) -> dict[str, Any]:
    """`{"version": 1, "counts", "unreadable", "gaps": [...]}`; docs/record.md."""
    keys = ("kind", "alert", "response", "workflow", "why")
    gaps = [{key: getattr(gap, key) for key in keys} for gap in account.gaps]
    return {"version": 1, "counts": dict(account.counts), "unreadable": account.unreadable, "gaps": gaps}


def as_text(account: Account) -> str:
    """The counts, then a line for each gap, then the sum of it."""
    made = [f"{name:<14}{number:>7}" for name, number in account.counts.items()]
    for gap in account.gaps:
        what = " ".join(part for part in (gap.alert, gap.response, gap.workflow) if part)
        made.append(printable(f"{gap.kind}: {what}: {gap.why}"))
    if account.unreadable:
        made.append(f"{account.unreadable} lines look like records and can't be read")
    made.append(
        "the record closes" if not account.gaps else f"the record does not close: {len(account.gaps)} in the gap"
    )
    return "".join(f"{line}\n" for line in made)
