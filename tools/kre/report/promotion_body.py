"""The text of a pull request that promotes: what, which commits, what it changes, its evidence, the way back."""

from __future__ import annotations

from collections.abc import Iterator

from kre.compare.masking import scrub
from kre.model.comparison import Comparison
from kre.model.promotion import ComponentPlan, Hop, State
from kre.report.difference import level
from kre.report.difference_markdown import rendered, risks, summary
from kre.report.markdown import LIMIT, capped, cell, code, details, table

SHORT = 12
COMMITS = 50  # of one component that are listed


def body(hop: Hop, comparison: Comparison | None = None, artifact: str = "", limit: int = LIMIT) -> str:
    """At most `limit` characters of Markdown. Where the whole is longer, it says that it is in `artifact`."""
    where = f"The rest is in {code(artifact)}." if artifact else "The rest: `kre promote --pr-body FILE`, uncut."
    return capped(_lines(hop, comparison), f"Cut here at {limit} characters. {where}", limit)


def _lines(hop: Hop, comparison: Comparison | None) -> Iterator[str]:
    yield from _what(hop)
    yield from _commits(hop)
    yield from _risk(hop, comparison)
    yield from _gates(hop)
    yield from _deviations(hop)
    yield from _notes(hop)
    yield from _trailers(hop)
    if comparison is not None:
        yield from ("## Rendered", "", *summary(comparison), *rendered(comparison))


def _what(hop: Hop) -> Iterator[str]:
    yield from ("## What", "", f"{code(hop.source)} to {code(hop.target)}, at {code(hop.base[:SHORT])}.", "")
    rows = [
        (cell(each.name), each.state.value, _digest(each.before), _digest(each.locked), _commit(each))
        for each in hop.components
    ]
    yield from (*table(("component", "state", "from", "to", "source commit"), rows), "")


def _digest(locked: object) -> str:
    digest = getattr(locked, "digest", "")
    return code(digest.removeprefix("sha256:")[:SHORT]) if digest else "none"


def _commit(each: ComponentPlan) -> str:
    return code(each.locked.source.commit[:SHORT]) if each.locked else ""


def _commits(hop: Hop) -> Iterator[str]:
    """Of each component, every commit once: one that touched several stands with the first."""
    seen: set[str] = set()
    found: list[str] = []
    for each in hop.goes:
        fresh = [commit for commit in each.commits if commit.id not in seen]
        seen |= {commit.id for commit in fresh}
        shown = [f"- {code(commit.id[:SHORT])} {code(scrub(commit.subject))}" for commit in fresh[:COMMITS]]
        more = [f"- {len(fresh) - COMMITS} more"] if len(fresh) > COMMITS else []
        found += [f"{code(each.name)}:", "", *shown, *more, ""] if fresh else []
    if found:
        yield from ("## Commits", "", *found)


def _risk(hop: Hop, comparison: Comparison | None) -> Iterator[str]:
    yield from ("## Risk", "")
    if comparison is not None:
        yield from (f"Level: **{level(comparison)}**. It reaches {code(hop.target)} and nothing else.", "")
        yield from risks(comparison)
    else:
        yield from ("Nothing was rendered.", "")
    back = [f"- {code(f'kre rollback {hop.target} {each.name}')}" for each in hop.goes if each.before]
    if back:
        yield from ("The way back, once it is merged:", "", *back, "")


def _gates(hop: Hop) -> Iterator[str]:
    rows = [(cell(each.name), cell(gate), cell(told)) for each in hop.components for gate, told in each.gates.items()]
    if rows:
        yield from ("## Gates", "", *table(("component", "gate", "state"), rows), "")
    blocks = [(hop.target, block) for block in hop.blocks]
    blocks += [(each.name, block) for each in hop.components for block in each.blocks]
    for name, block in blocks:
        hint = f", {code(scrub(block.hint))}" if block.hint else ""
        yield f"- {code(name)}: {block.reason.value}: {code(scrub(block.message))}{hint}"
    if blocks:
        yield ""


def _deviations(hop: Hop) -> Iterator[str]:
    """What differs from the source on purpose, and the risks that were accepted."""
    known = [(code(each.name), each.locked) for each in hop.components if each.locked]
    found = [f"- {name}: {code(it.path)}: {code(scrub(it.reason))}" for name, locked in known for it in locked.accepted]
    found += [
        f"- {name}: {code(f'{it.kind} {it.digest}')}: {code(scrub(it.reason))}"
        for name, locked in known
        for it in locked.accepted_risks
    ]
    if found:
        yield from ("## Accepted", "", *found, "")


def _notes(hop: Hop) -> Iterator[str]:
    found = [f"- {code(each.name)}: {code(scrub(note))}" for each in hop.components for note in each.notes]
    found += [f"- {code(each.name)} goes away" for each in hop.components if each.state is State.REMOVED]
    if found:
        yield from (*details("Notes", found),)


def _trailers(hop: Hop) -> Iterator[str]:
    """For people: a squash merge may drop them, the lock is what counts."""
    for each in hop.goes:
        if each.locked:
            yield f"    Promoted-From: {each.locked.environment}"
            yield f"    Promoted-Commit: {each.locked.source.commit}"
            yield f"    Promoted-Digest: {each.locked.digest}"
    yield ""
