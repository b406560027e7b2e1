"""What `kre promote` is about: the way planned, its next hop rendered and judged. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kre.doors.git.write import Change
from kre.model.comparison import Comparison
from kre.model.promotion import AcceptedRisk, Block, Hop, Plan, Reason
from kre.promote import apply
from kre.promote.check import Checked, accepted, check, settled
from kre.promote.gates import Gates
from kre.promote.hop import Wanted
from kre.promote.plan import blocked, checked, plan
from kre.promote.view import View


@dataclass(frozen=True, slots=True)
class Proposal:
    """All hops of the way, and of them the one that is next: the first with something left to do, or the last.

    `found` is what validation and policy say of what would go in it, None where nothing can.
    """

    plan: Plan
    hop: Hop
    found: Checked | None = None

    @property
    def comparisons(self) -> Mapping[str, Comparison]:
        """What each environment that was rendered would render otherwise."""
        known = self.found.comparison if self.found else None
        return {self.hop.target: known} if known else {}

    @property
    def stuck(self) -> bool:
        """Whether something stands against all that is left to do."""
        return not self.hop.goes and not self.hop.met


def propose(
    view: View,
    gates: Gates,
    source: str,
    target: str,
    wanted: Wanted,
    accept: str = "",
    remote: str = "",
) -> Proposal:
    """Plans, and asks every rule about the next hop as its branch would be. `accept` is the reason for which risks that
    nobody accepted yet are taken, "" to refuse them. What was asked for by name goes together or not at all.

    Raises as plan and check.
    """
    hops = list(plan(view, gates, source, target, wanted).hops)
    at = next((number for number, hop in enumerate(hops) if not hop.met), len(hops) - 1)
    hop = hops[at]
    if not hop.goes or _partly(hop, wanted):
        hops[at] = hop = _together(hop, wanted)
        return Proposal(Plan(tuple(hops)), hop)
    step = view.step(hop.target)
    found = check(view, step, _change(view, hop, remote))
    if accept and found.risks:
        hop = accepting(hop, accepted(found, accept))
        found = check(view, step, _change(view, hop, remote))
    hops[at] = hop = _together(settled(hop, found), wanted)
    return Proposal(Plan(tuple(hops)), hop, found)


def accepting(hop: Hop, risks: tuple[AcceptedRisk, ...]) -> Hop:
    """The hop with risks accepted in the lock, by the first of what goes that has an entry there."""
    first = next((each.name for each in hop.goes if each.locked), "")
    return replace(
        hop,
        components=tuple(
            replace(each, locked=replace(each.locked, accepted_risks=risks))
            if each.locked and each.name == first
            else each
            for each in hop.components
        ),
    )


def _change(view: View, hop: Hop, remote: str) -> Change:
    """The commit as it is to be, should nothing be found: pending gates are presumed passed."""
    for gate in ("validate", "policy"):
        hop = checked(hop, gate, {})
    return apply.change(view, hop, remote)


def _partly(hop: Hop, wanted: Wanted) -> bool:
    return bool(wanted.components) and any(each.blocks for each in hop.components)


def _together(hop: Hop, wanted: Wanted) -> Hop:
    """A hop of named components of which one does not go on: none of them does."""
    if not _partly(hop, wanted) or not hop.goes:
        return hop
    stuck = ", ".join(each.name for each in hop.components if each.blocks)
    block = Block(Reason.UNIT, f"was named together with {stuck}, and that is blocked", "name it alone")
    return replace(hop, components=tuple(blocked(each, [block] if each.goes else []) for each in hop.components))
