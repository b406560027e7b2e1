"""A Plan as versioned JSON: what each hop would write, and what stands against it. No file's content is in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kre.compare.masking import scrub
from kre.model.comparison import Comparison
from kre.model.promotion import Block, ComponentPlan, Entry, Hop, Locked, Plan
from kre.report.difference import as_json as difference

VERSION = 1


def as_json(plan: Plan, comparisons: Mapping[str, Comparison] | None = None) -> dict[str, Any]:
    """`{"version": 1, "hops": [{"source", "target", "base", "branch", "components", "blocks", "change"}]}`. `change`
    is what the target would render otherwise, null where nobody rendered it."""
    known = comparisons or {}
    return {"version": VERSION, "hops": [_hop(hop, known.get(hop.target)) for hop in plan.hops]}


def _hop(hop: Hop, comparison: Comparison | None) -> dict[str, Any]:
    return {
        "source": hop.source,
        "target": hop.target,
        "base": hop.base,
        "branch": hop.branch,
        "met": hop.met,
        "goes": [each.name for each in hop.goes],
        "blocks": [_block(block) for block in hop.blocks],
        "components": [_component(each) for each in hop.components],
        "change": difference(comparison, diff=False) if comparison is not None else None,
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
