"""A promotion for a terminal: each hop, each component with what stands against it, and what the change would mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kre.compare.masking import scrub
from kre.model.comparison import Comparison
from kre.model.promotion import Block, ComponentPlan, FileChange, Hop, Plan, Side, State
from kre.report.difference import as_text as difference
from kre.report.difference import level
from kre.report.printable import printable

SHOWN = 20  # paths of one reason, commits of one component


def as_text(plan: Plan, comparisons: Mapping[str, Comparison], radius: tuple[str, ...] = ()) -> str:
    """Everything that the plan says, and the difference of what the next hop's environment would render."""
    parts = ["\n".join(printable(line) for line in _hop(hop)) + "\n" for hop in plan.hops]
    for hop in plan.hops:
        if (comparison := comparisons.get(hop.target)) is not None:
            parts.append(difference(comparison))
            parts.append("\n".join(_reach(hop, comparison, radius)) + "\n")
    return "\n".join(parts)


def _hop(hop: Hop) -> Iterator[str]:
    yield f"{hop.source} -> {hop.target} at {hop.base[:12]}" + (": nothing to do" if hop.met else f": {hop.branch}")
    for block in hop.blocks:
        yield from _block(block, "  ")
    width = max((len(each.name) for each in hop.components), default=0)
    for each in hop.components:
        yield f"  {each.name.ljust(width)}  {each.state.value}{_what(each)}"
        yield from (f"    {line}" for line in _component(each))


def _what(each: ComponentPlan) -> str:
    """The versions, and how much there is to it."""
    if each.state is State.IN_SYNC:
        return ""
    old, new = (str(it.versions.get("chart", "")) if it else "" for it in (each.before, each.locked))
    told = [f"{old} -> {new}"] if old and new and old != new else [new or old] if new or old else []
    files = sum(file.result != file.ours for file in each.files)
    told.append("1 file" if files == 1 else f"{files} files")
    if each.commits:
        told.append("1 commit" if len(each.commits) == 1 else f"{len(each.commits)} commits")
    return f" ({', '.join(told)})"


def _component(each: ComponentPlan) -> Iterator[str]:
    if each.gates and each.state is not State.IN_SYNC:
        yield "gates: " + ", ".join(f"{gate} {told}" for gate, told in each.gates.items())
    for commit in each.commits[:SHOWN]:
        yield f"{commit.id[:12]} {scrub(commit.subject)}"
    if len(each.commits) > SHOWN:
        yield f"and {len(each.commits) - SHOWN} older ones"
    for block in each.blocks:
        yield from _block(block, "")
    for accepted in each.accepted:
        yield f"accepted: {accepted.path}: {scrub(accepted.reason)}"
    for note in each.notes:
        yield f"note: {scrub(note)}"
    for file in each.files:
        if file.drift:
            yield from _merge(file)


def _block(block: Block, margin: str) -> Iterator[str]:
    yield f"{margin}{block.reason.value}: {scrub(block.message)}"
    yield from (f"{margin}  {path}" for path in block.paths[:SHOWN])
    if len(block.paths) > SHOWN:
        yield f"{margin}  and {len(block.paths) - SHOWN} more"
    if block.hint:
        yield f"{margin}  -> {scrub(block.hint)}"


def _merge(file: FileChange) -> Iterator[str]:
    """What --merge would make of a file that both sides changed."""
    if file.side not in (Side.MERGED, Side.CONFLICT) or not file.text:
        return
    yield f"{file.path}, merged:" if file.side is Side.MERGED else f"{file.path}, in conflict:"
    for line in file.text.decode("utf-8", "replace").splitlines():
        yield f"| {scrub(line)}"


def _reach(hop: Hop, comparison: Comparison, radius: tuple[str, ...]) -> Iterator[str]:
    others = [name for name in radius if name != hop.target]
    yield f"risk: {level(comparison)}; it changes {', '.join([hop.target, *others])}"
    for each in hop.goes:
        if each.before:
            yield f"the way back, once it is merged: kre rollback {hop.target} {each.name}"
