"""A Comparison as Markdown: a table that says how much, the risks in words, then every object folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kre.compare.content import FileDelta
from kre.compare.masking import scrub
from kre.model.comparison import Comparison
from kre.report.difference import answers, counted, level, told, unified
from kre.report.markdown import cell, code, details, fence, table

FEW = 20  # lines of one kind that are shown


def as_markdown(comparison: Comparison, files: Sequence[FileDelta] = (), *, diff: bool = True) -> list[str]:
    """The lines of a section on one environment."""
    lines = [f"### {code(comparison.environment)}", ""]
    if not comparison.deltas and not comparison.risks and not files:
        return [*lines, "No difference.", ""]
    return [*lines, *summary(comparison), *risks(comparison), *_files(files), *(rendered(comparison) if diff else [])]


def summary(comparison: Comparison) -> list[str]:
    """How many objects of which kinds, and what else a reviewer asks for first."""
    rows = [(cell(kind), *(str(number or "") for number in rest)) for kind, *rest in counted(comparison)]
    lines = [*table(("kind", "added", "changed", "removed"), rows), ""] if rows else []
    found = [f"- {title}: {', '.join(cells)}" for title, cells in _facts(comparison) if cells]
    return [*lines, f"Level: **{level(comparison)}**", "", *found, *([""] if found else [])]


def _facts(comparison: Comparison) -> Iterator[tuple[str, list[str]]]:
    facts = comparison.facts
    before, after = facts.responses
    old, new = ({name for name, *_ in known.enabled} for known in (before, after))
    yield "new responses", [code(name) for name in sorted(new - old)]
    yield "responses that are gone", [code(name) for name in sorted(old - new)]
    if before.mode != after.mode:
        yield "mode", [f"{code(before.mode or 'none')} to {code(after.mode or 'none')}"]
    if before.targets != after.targets:
        yield "targets", [f"{code(' '.join(before.targets) or 'none')} to {code(' '.join(after.targets) or 'none')}"]
    yield "charts", [f"{code(name)} {code(was or 'none')} to {code(now or 'none')}" for name, was, now in facts.charts]
    yield "images", [f"{code(scrub(was) or 'none')} to {code(scrub(now) or 'none')}" for was, now in facts.images]
    yield "cluster-scoped objects", _few(facts.cluster_scoped)
    yield "CRDs", _few(facts.crds)
    yield "the engine's code", _few(facts.code)
    changed = [line for line in answers(after) if line not in answers(before)] if old & new else []
    yield "answers of responses", [code(line) for line in changed[:FEW]]


def _few(found: Sequence[str]) -> list[str]:
    more = [f"{len(found) - FEW} more"] if len(found) > FEW else []
    return [*(code(line) for line in found[:FEW]), *more]


def risks(comparison: Comparison) -> list[str]:
    """Each risk with what it is and the digest that accepts it; rights in a section of their own."""
    lines: list[str] = []
    for kind, digest, changes in sorted(told(comparison), key=lambda found: found[0] != "rbac-widened"):
        more = [f"- {len(changes) - FEW} more"] if len(changes) > FEW else []
        title = "#### Rights that nothing gave before" if kind == "rbac-widened" else f"#### {kind}"
        lines += [title, "", *(f"- {code(change)}" for change in changes[:FEW]), *more, "", f"Digest: `{digest}`", ""]
    return lines


def _files(files: Sequence[FileDelta]) -> list[str]:
    listed = [f"- {each.what} {code(each.path)}" for each in files]
    return details(f"{len(files)} files", listed) if files else []


def rendered(comparison: Comparison) -> list[str]:
    """Every object that differs, folded."""
    lines: list[str] = []
    for delta in comparison.deltas:
        lines += details(f"{delta.what} {delta.key}", fence(unified(delta), "diff"))
    return lines
