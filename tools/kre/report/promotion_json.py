"""A Plan as versioned JSON: what each hop would write, and what stands against it. Secrets are masked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kre.compare.masking import scrub
from kre.model.comparison import Comparison
from kre.model.promotion import Block, ComponentPlan, Entry, Hop, Locked, Plan
from kre.promote.writing import Outcome
from kre.report.difference import as_json as difference

VERSION = 1


def as_json(plan: Plan, comparisons: Mapping[str, Comparison] | None = None, *, diff: bool = False) -> dict[str, Any]:
    """`{"version": 1, "hops": [{"source", "target", "base", "branch", "components", "blocks", "change"}]}`. `change`
    is what the target would render otherwise, null where nobody rendered it; with `diff` line by line."""
    known = comparisons or {}
    return {"version": VERSION, "hops": [_hop(hop, known.get(hop.target), diff=diff) for hop in plan.hops]}


def outcome(found: Outcome | None) -> dict[str, Any] | None:
    """What was written: branch, commit, whether it is new here, whether it was pushed; null for nothing."""
    if found is None:
        return None
    made = found.written
    return {
        "branch": made.branch,
        "commit": made.commit,
        "changed": made.changed,
        "pushed": found.remote == "pushed",
    }


def _hop(hop: Hop, comparison: Comparison | None, *, diff: bool) -> dict[str, Any]:
    return {
        "source": hop.source,
        "target": hop.target,
        "base": hop.base,
        "branch": hop.branch,
        "met": hop.met,
        "goes": [each.name for each in hop.goes],
        "blocks": [_block(block) for block in hop.blocks],
        "components": [_component(each) for each in hop.components],
        "change": difference(comparison, diff=diff) if comparison is not None else None,
    }


def _component(each: ComponentPlan) -> dict[str, Any]:
    return {
        "name": each.name,
        "unit": each.unit,
        "state": each.state.value,
        "digest": each.digest,
        "gates": dict(each.gates),
        "blocks": [_block(block) for block in each.blocks],
        "files": [
            {"path": file.path, "side": file.side.value, "drift": file.drift, "result": _entry(file.result)}
            for file in each.files
            if file.ours != file.result or file.drift
        ],
        "commits": [
            {"id": commit.id, "date": _time(commit.date), "subject": scrub(commit.subject)} for commit in each.commits
        ],
        "before": _locked(each.before),
        "after": _locked(each.locked),
        "notes": [scrub(note) for note in each.notes],
    }


def _block(block: Block) -> dict[str, Any]:
    message, hint = scrub(block.message), scrub(block.hint)
    return {"reason": block.reason.value, "message": message, "hint": hint, "paths": list(block.paths)}


def _entry(entry: Entry | None) -> dict[str, str] | None:
    return {"mode": entry.mode, "blob": entry.blob} if entry else None


def _locked(locked: Locked | None) -> dict[str, Any] | None:
    if locked is None:
        return None
    return {
        "from": locked.environment,
        "source": {"path": locked.source.path, "commit": locked.source.commit, "digest": locked.source.digest},
        "origin": locked.origin,
        "digest": locked.digest,
        "accepted": [{"path": each.path, "blob": each.blob, "reason": scrub(each.reason)} for each in locked.accepted],
        "acceptedRisks": [
            {"kind": each.kind, "digest": each.digest, "reason": scrub(each.reason)} for each in locked.accepted_risks
        ],
        "promoted": _time(locked.promoted),
        "versions": dict(locked.versions),
        "hotfix": scrub(locked.hotfix),
    }


def _time(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
