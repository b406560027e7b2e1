"""What identities need beside what they hold: `kre rbac need`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kre.load.provenance import place
from kre.model.bundle import Bundle
from kre.model.finding import Place
from kre.rbac.model import Step
from kre.rbac.require.model import Act, Level, Need
from kre.rbac.require.verdict import Piece, Verdict
from kre.rbac.words import full
from kre.report.printable import printable
from kre.report.rights import chain, chain_json


@dataclass(frozen=True)
class Shown:
    """One identity of an environment; `budgeted`: its budget says what it may hold."""

    bundle: Bundle
    verdict: Verdict
    budgeted: bool

    def where(self, step: Step) -> Place | None:
        """Where a link of a chain is written; None for what comes with Kubernetes."""
        return place(self.bundle, step.resource, step.pointer) if step.resource is not None else None

    @property
    def fine(self) -> bool:
        """Whether it holds what it needs and nothing else; where nobody can tell, whether a budget says what it may."""
        found = self.verdict
        wrong = found.missing or found.excess or found.forbidden
        return not wrong and (not found.unknown or not found.held or self.budgeted)


def text(shown: Shown) -> Iterator[str]:
    """The lines about one identity: each right that it needs and holds, why, and by what; then the rest."""
    bundle, verdict, where = shown.bundle, shown.verdict, shown.where
    yield printable(f"{verdict.who}: {_said(shown)}")
    for act in verdict.acts:
        if act.unknown:
            yield printable(f"  ? {act.unknown}{_where(bundle, act)}")
    for rights, namespace, reasons, steps in _together(shown):
        yield printable(f"  {rights} in {namespace or 'every namespace'}")
        yield from (printable(f"    for {reason}") for reason in reasons)
        yield printable(f"    by {chain(where, steps)}")
    for lack in verdict.missing:
        yield printable(f"  - {_right(lack.need)} is missing")
        yield printable(f"    for {lack.act.what}{_where(bundle, lack.act)}")
    for piece in verdict.excess:
        yield printable(f"  + {piece} in {piece.namespace or 'every namespace'} is not needed")
        yield printable(f"    by {chain(where, piece.chain)}")
    for one in verdict.forbidden:
        yield printable(f"  ! {_right(one.need)} must not be: {one.need.why}")
        yield printable(f"    for {one.act.what}{_where(bundle, one.act)}")
        yield printable(f"    by {chain(where, one.grant.chain)}")


def _said(shown: Shown) -> str:
    verdict = shown.verdict
    if verdict.unknown:
        if not verdict.held:
            return "holds nothing; what it needs nobody can tell"
        return "what it needs nobody can tell; " + (
            "a budget says what it may hold" if shown.budgeted else "no budget says what it may hold"
        )
    if not verdict.equal:
        return "holds something else than it needs"
    return "holds what it needs, and nothing else" if verdict.held else "needs nothing, and holds nothing"


_Lines = list[tuple[str, str, tuple[str, ...], tuple[Step, ...]]]  # rights, namespace, reasons, chain


def _together(shown: Shown) -> _Lines:
    """What is needed and held: the rights that one rule gives for the same reasons in one line."""
    reasons: dict[Need, dict[str, None]] = {}
    for act in shown.verdict.acts:
        for need in act.needs:
            if need.level is not Level.FORBIDDEN:
                reasons.setdefault(need, {})[f"{act.what}{_where(shown.bundle, act)}"] = None
    found: dict[tuple[str, tuple[str, ...], tuple[Step, ...]], dict[str, list[str]]] = {}
    for need, why in reasons.items():
        piece = shown.verdict.granting(need)
        if piece is not None:
            resources = found.setdefault((need.namespace, tuple(why), piece.chain), {})
            resources.setdefault(full(need.resource, need.group), []).append(need.verb)
    made: _Lines = []
    for (namespace, why_, steps), resources in found.items():
        alike: dict[tuple[str, ...], list[str]] = {}
        for name, verbs in resources.items():
            alike.setdefault(tuple(verbs), []).append(name)
        rights = "; ".join(f"{', '.join(verbs)} {', '.join(names)}" for verbs, names in alike.items())
        made.append((rights, namespace, why_, steps))
    return made


def _right(need: Need) -> str:
    return f"{need} in {need.namespace or 'every namespace'}"


def _where(bundle: Bundle, act: Act) -> str:
    found = [str(at) for at in (_place(bundle, act), act.declared) if at is not None]
    return f" ({', '.join(found)})" if found else ""


def _place(bundle: Bundle, act: Act) -> Place | None:
    return place(bundle, act.resource, act.pointer) if act.resource is not None else None


def json(shown: Shown) -> dict[str, Any]:
    """The same as JSON; every right with the line that needs it, and with the chain that grants it."""
    verdict = shown.verdict
    return {
        "identity": verdict.who,
        "fine": shown.fine,
        "budgeted": shown.budgeted,
        "unknown": list(verdict.unknown),
        "needs": [_need(shown, act, need) for act in verdict.acts for need in act.needs],
        "missing": [_need(shown, lack.act, lack.need) for lack in verdict.missing],
        "excess": [_piece(shown, piece) for piece in verdict.excess],
        "forbidden": [
            {**_need(shown, one.act, one.need), "grantedBy": chain_json(shown.where, one.grant.chain)}
            for one in verdict.forbidden
        ],
    }


def _need(shown: Shown, act: Act, need: Need) -> dict[str, Any]:
    at, piece = _place(shown.bundle, act), shown.verdict.granting(need)
    return {
        "level": str(need.level),
        "verb": need.verb,
        "apiGroup": need.group,
        "resource": need.resource,
        "namespace": need.namespace or None,
        "for": act.what,
        "place": str(at) if at else None,
        "declared": str(act.declared) if act.declared else None,
        "source": act.source or None,
        "guessed": act.guessed,
        "grantedBy": chain_json(shown.where, piece.chain) if piece else [],
    }


def _piece(shown: Shown, piece: Piece) -> dict[str, Any]:
    return {
        "verb": piece.verb,
        "apiGroup": piece.group,
        "resource": piece.resource,
        "resourceName": piece.name or None,
        "namespace": piece.namespace or None,
        "grantedBy": chain_json(shown.where, piece.chain),
    }
