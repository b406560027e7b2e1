"""A Comparison for people and machines: what differs, what it means, and line by line. Secrets are masked."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import yaml

from kre.compare.content import FileDelta
from kre.compare.masking import masked, scrub
from kre.model.comparison import Comparison, Delta, Responses
from kre.report.printable import printable
from kre.report.rendering import Dumper

HIGH = ("rbac-widened", "targets-widened", "mode-changed", "authentication-weaker", "admission-loosened")


def level(comparison: Comparison) -> str:
    """How much a change asks of whoever reads it: high where rights, targets, modes, logins or policies are in it,
    medium for any other risk, CRD or image, else low."""
    kinds = {str(risk.kind) for risk in comparison.risks}
    facts = comparison.facts
    if kinds & {*HIGH, "environment-changed"}:
        return "high"
    return "medium" if kinds or facts.crds or facts.images or facts.cluster_scoped else "low"


def counted(comparison: Comparison) -> list[tuple[str, int, int, int]]:
    """(kind, added, changed, removed) of the objects, sorted by kind."""
    found = Counter((delta.key.kind, delta.what) for delta in comparison.deltas)
    kinds = sorted({kind for kind, _ in found})
    return [(kind, found[kind, "added"], found[kind, "changed"], found[kind, "removed"]) for kind in kinds]


def unified(delta: Delta) -> Iterator[str]:
    """The lines of the object before and after, sorted by key, as a unified diff."""
    before, after = (text_of(body) for body in masked(delta.old, delta.new))
    old, new = (f"{delta.key.folder}: {delta.key}" if one else "/dev/null" for one in (delta.before, delta.after))
    for line in difflib.unified_diff(before, after, old, new, lineterm=""):
        yield printable(line)


def text_of(body: object) -> list[str]:
    """A masked body as lines of YAML."""
    return [] if body is None else yaml.dump(body, Dumper=Dumper, sort_keys=True, width=10_000).splitlines()


def told(risks: Comparison) -> Iterator[tuple[str, str, list[str]]]:
    """(kind, digest, changes in words) of each risk, safe to print."""
    for risk in risks.risks:
        yield str(risk.kind), risk.digest, [scrub(printable(str(change))) for change in risk.changes]


def answers(found: Responses) -> list[str]:
    """What an environment answers to, one line for each response."""
    return [f"{name} ({lane}, {mode}): {' '.join(rules)}".rstrip(": ") for name, lane, mode, rules in found.enabled]


def as_text(comparison: Comparison, files: Sequence[FileDelta] = (), *, diff: bool = True) -> str:
    """Everything, in sections; one line where nothing differs."""
    if not comparison.deltas and not files and not comparison.risks:
        return f"{comparison.environment}: no difference\n"
    lines = [f"# {comparison.environment}"]
    for title, found in _sections(comparison, files):
        lines += ["", f"{title}:", *(f"  {line}" for line in found)]
    for delta in comparison.deltas if diff else ():
        lines += ["", *unified(delta)]
    return "\n".join(printable(line) for line in lines) + "\n"


def _sections(comparison: Comparison, files: Sequence[FileDelta]) -> Iterator[tuple[str, list[str]]]:
    facts = comparison.facts
    before, after = facts.responses
    changed = [f"- {line}" for line in answers(before) if line not in answers(after)]
    changed += [f"+ {line}" for line in answers(after) if line not in answers(before)]
    risks = [line for kind, digest, changes in told(comparison) for line in (f"{kind} {digest}", *_indented(changes))]
    sections: tuple[tuple[str, list[str]], ...] = (
        ("risks", risks),
        ("files", [f"{each.what:<8} {each.path} ({_size(each)})" for each in files]),
        ("objects", [f"{each.what:<8} {each.key.folder}: {each.key}" for each in comparison.deltas]),
        ("rights", [*(f"+ {grant}" for grant in facts.granted), *(f"- {grant}" for grant in facts.withdrawn)]),
        ("responses", changed),
        ("mode", [f"{before.mode} -> {after.mode}"] if before.mode != after.mode else []),
        ("targets", _moved(before.targets, after.targets)),
        ("images", [f"{old or 'none'} -> {new or 'none'}" for old, new in facts.images]),
        ("charts", [f"{name} {old or 'none'} -> {new or 'none'}" for name, old, new in facts.charts]),
        ("cluster-scoped objects", [*facts.cluster_scoped, *facts.crds]),
        ("code of the engine", list(facts.code)),
    )
    for title, found in sections:
        if found:
            yield title, [scrub(line) for line in found]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _moved(before: Sequence[str], after: Sequence[str]) -> list[str]:
    return [
        *(f"- {name}" for name in before if name not in after),
        *(f"+ {name}" for name in after if name not in before),
    ]


def _size(each: FileDelta) -> str:
    known = [f"{size} bytes" for size in (each.before, each.after) if size is not None]
    return " -> ".join(known)


def as_json(comparison: Comparison, files: Sequence[FileDelta] = (), *, diff: bool = True) -> dict[str, Any]:
    """One environment: `{"environment", "level", "risks", "files", "objects", "rights", "responses", ...}`."""
    facts = comparison.facts
    before, after = facts.responses
    return {
        "environment": comparison.environment,
        "level": level(comparison),
        "risks": [{"kind": kind, "digest": digest, "changes": changes} for kind, digest, changes in told(comparison)],
        "files": [{"path": each.path, "what": each.what, "before": each.before, "after": each.after} for each in files],
        "objects": [
            {"folder": each.key.folder, "object": str(each.key), "group": each.key.group, "what": each.what}
            | ({"diff": list(unified(each))} if diff else {})
            for each in comparison.deltas
        ],
        "rights": {
            "granted": [scrub(str(grant)) for grant in facts.granted],
            "withdrawn": [scrub(str(grant)) for grant in facts.withdrawn],
        },
        "responses": {"before": _answers(before), "after": _answers(after)},
        "images": [{"before": scrub(old), "after": scrub(new)} for old, new in facts.images],
        "charts": [{"chart": name, "before": old, "after": new} for name, old, new in facts.charts],
        "clusterScoped": list(facts.cluster_scoped),
        "crds": list(facts.crds),
        "code": list(facts.code),
    }


def _answers(found: Responses) -> dict[str, Any]:
    enabled = [
        {"name": name, "lane": lane, "mode": mode, "rules": list(rules)} for name, lane, mode, rules in found.enabled
    ]
    return {"mode": found.mode, "targets": list(found.targets), "enabled": enabled}
