"""The gates of an environment, held against what Git says. The only clock is the constructor's: nothing that a user
can set, be it a flag, a variable or a file, reaches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from kre.doors.git.signing import signed
from kre.model.policy import FORGE, Step
from kre.model.promotion import Block, Hold, Reason
from kre.promote import freeze, signatures
from kre.promote.lockfile import stamp
from kre.promote.soak import Standing, words
from kre.promote.view import View

PASSED, DELEGATED, PENDING, BLOCKED = "passed", "delegated", "pending", "blocked"


@dataclass(frozen=True, slots=True)
class Case:
    """A component that would enter environment `target` with bytes of `digest`, as one of its `unit`.

    `standing` says of each member of the unit since when it stands in the source, None where the clone does not know;
    `authors` are the addresses of whoever makes the promotion. `waived` is why some gates do not apply ("initial",
    "hotfix", "rollback"), `waives` which.
    """

    target: Step
    component: str
    digest: str
    standing: Mapping[str, Standing | None]
    authors: frozenset[str] = frozenset()
    waived: str = ""
    waives: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """gate -> passed, delegated, pending, blocked or "waived: why", for the gates that the environment has; and why
    some are blocked."""

    gates: Mapping[str, str] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()


class Gates:
    """Judges by the clock that it is given, read once: one plan, one time. Raises ValueError for a clock without a
    time zone."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = clock()
        if self.now.tzinfo is None:
            raise ValueError("the clock must say its time zone")

    def judge(self, view: View, case: Case) -> Verdict:
        """Every gate of the target. validate and policy are pending: they need the rendered
        environments (kre.promote.plan.checked)."""
        wanted = case.target.gates
        judged: dict[str, list[Block] | str] = {}
        if wanted.check:
            judged["validate"] = PENDING
        if wanted.policy:
            judged["policy"] = PENDING
        judges: list[tuple[str, bool, Callable[[View, Case], Iterator[Block]]]] = [
            ("soak", wanted.soak > timedelta(), self._soak),
            ("freeze", bool(case.target.freeze), self._freeze),
            ("approvals", isinstance(wanted.approvals, int), self._approvals),
            ("signed", wanted.signed, self._signed),
        ]
        for name, applies, judge in judges:
            if applies:
                judged[name] = f"waived: {case.waived}" if name in case.waives else [*judge(view, case)]
        if wanted.approvals == FORGE:
            judged["approvals"] = f"waived: {case.waived}" if "approvals" in case.waives else DELEGATED
        blocks = tuple(block for found in judged.values() if isinstance(found, list) for block in found)
        told = {
            name: found if isinstance(found, str) else BLOCKED if found else PASSED for name, found in judged.items()
        }
        return Verdict(told, blocks)

    def held(self, hold: Hold | None) -> bool:
        """Whether a hold still holds."""
        return hold is not None and (hold.until is None or self.now < hold.until)

    def _soak(self, view: View, case: Case) -> Iterator[Block]:
        """The unit's youngest member counts."""
        wanted, youngest = case.target.gates.soak, _youngest(case.standing)
        if youngest is None:
            yield history_missing(view, "since when it stands there")
            return
        name, standing = youngest
        passed, where = (
            self.now - standing.since,
            f"{name} stands in {case.target.source} since {stamp(standing.since)}",
        )
        if passed < timedelta():
            message = f"{name}: commit {standing.commit[:12]}, or one before it, is dated {stamp(standing.since)}"
            hint = "a clock was wrong: wait, or bring the change in anew"
            yield Block(Reason.DATE_IN_FUTURE, f"{message}, which has not come yet", hint)
        elif passed < wanted:
            message = f"{where} ({standing.commit[:12]}): {words(passed)} of {words(wanted)}"
            yield Block(Reason.SOAK, message, f"from {stamp(standing.since + wanted)} on")

    def _freeze(self, _: View, case: Case) -> Iterator[Block]:
        if found := freeze.closed(case.target.freeze, self.now):
            why, until = found
            hint = f"until {stamp(until)}" if until else "the policy says when it opens: overlays/environments.yaml"
            yield Block(Reason.FREEZE, f"{case.target.name} is closed: {why}", hint)

    def _approvals(self, view: View, case: Case) -> Iterator[Block]:
        target, wanted, signers = case.target, case.target.gates.approvals, view.signers
        if signers is None:
            yield _no_signers(view)
            return
        text = signatures.text(target.name, case.component, case.digest)
        files = view.approvals(target.name, case.component)
        found = signatures.approvals(text, files, signers, case.authors, self.now)
        if len(found.given) < int(wanted or 0):
            why = "".join(f"; {line}" for line in signatures.told(found))
            message = f"{len(found.given)} of {wanted} signatures over {case.digest[:19]}... are on {view.branch}{why}"
            yield Block(Reason.UNAPPROVED, message, f"kre approve {target.name} {case.component}")

    def _signed(self, view: View, case: Case) -> Iterator[Block]:
        if view.signers is None:
            yield _no_signers(view)
            return
        standing = case.standing.get(case.component)
        if standing is None:
            yield history_missing(view, "by which commit it came")
        elif not signed(view.objects, standing.commit, view.signers):
            message = f"commit {standing.commit[:12]}, which brought it to {case.target.source}, is signed by nobody"
            yield Block(Reason.UNSIGNED, f"{message} of {signatures.SIGNERS}", "bring it in anew, by a signed commit")


def _youngest(standing: Mapping[str, Standing | None]) -> tuple[str, Standing] | None:
    known = [(name, found) for name, found in standing.items() if found]
    if len(known) < len(standing) or not known:
        return None
    return max(known, key=lambda entry: (entry[1].since, entry[0]))


def history_missing(view: View, what: str) -> Block:
    """A shallow clone does not say `what`."""
    return Block(Reason.HISTORY_MISSING, f"this clone has no older history, so nobody knows {what}", view.objects.mend)


def _no_signers(view: View) -> Block:
    message = f"there is no {signatures.SIGNERS} on {view.branch}, so nobody's signature counts"
    return Block(Reason.NO_SIGNERS, message, "docs/promote.md shows one; it must be merged first")
