"""P01-P15: no change makes an environment less safe unless somebody accepted exactly that.

Whatever file does it: what is compared is what the environments render, and what is behind it. They need an older
revision to compare with (`kre validate --changed-since REV`), whose policy and owners decide, not those proposed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from kre.compare.accepted import file_of, verdict
from kre.compare.environment import compare_all
from kre.load.provenance import place
from kre.model.bundle import Bundle
from kre.model.comparison import Change, Comparison, Kind, Risk
from kre.model.finding import Place, Related
from kre.model.once import once
from kre.rules.registry import Hit, rule

SHOWN = 12  # changes of one risk that are named
RULES = {
    Kind.RBAC: ("P01", "nobody may do more than before"),
    Kind.TARGETS: ("P02", "the engine acts in no more namespaces than before"),
    Kind.MODE: ("P03", "no response acts in another mode than before"),
    Kind.AUTHENTICATION: ("P04", "whoever had to show who they are still has to"),
    Kind.NETWORK: ("P05", "nobody is reached by more than before"),
    Kind.ADMISSION: ("P06", "the API server refuses what it refused before"),
    Kind.STREAM: ("P07", "the stream of an EventBus keeps its settings"),
    Kind.DETECTION: ("P08", "no alert is lost on the way"),
    Kind.PROTECTED: ("P09", "what the engine leaves alone stays so"),
    Kind.DELIVERY: ("P10", "Argo CD takes what it applies from where it did"),
    Kind.PROJECT: ("P11", "a project allows no more than before"),
    Kind.WORKLOAD: ("P12", "what runs is what the release says, behind the same safeguards"),
    Kind.VALUES: ("P13", "no value of a chart changes unseen"),
    Kind.POLICY: ("P14", "promotions ask for no less than before"),
    Kind.ENVIRONMENT: ("P15", "no environment comes or goes unseen"),
}


@once
def _compared(bundle: Bundle) -> tuple[Comparison, ...]:
    """Every environment compared."""
    return compare_all(bundle.before, bundle) if bundle.before is not None else ()


def _check(kind: Kind) -> Callable[[Bundle], Iterable[Hit]]:
    def check(bundle: Bundle) -> Iterator[Hit]:
        for comparison in _compared(bundle):
            for risk in comparison.risks:
                if risk.kind is kind:
                    yield _hit(bundle, comparison, risk)

    return check


for _kind, (_id, _title) in RULES.items():
    rule(_id, _title, "layout", aliases=("E17",) if _kind is Kind.RBAC else ())(_check(_kind))


def _hit(bundle: Bundle, comparison: Comparison, risk: Risk) -> Hit:
    """One finding for all changes of a kind: an error where the environment runs what was promoted, else a warning;
    a note where it was accepted."""
    before = bundle.before or bundle
    found = verdict(before, bundle, risk)
    first, *others = risk.changes
    more = f", and {len(others)} more" if others else ""
    related = tuple(Related(_place(bundle, change), str(change)) for change in others[:SHOWN])
    head = f"{risk.environment}: {risk.kind}: {first}{more}"
    where, names = _place(bundle, first), (risk.environment,)
    if found.accepted:
        return Hit(where, f"{head}; accepted: {found.reason}", "", names, related, "info")
    entry = f"{{kind: {risk.kind}, digest: {risk.digest}, reason: ...}}"
    hint = f"if it is meant, {file_of(risk.environment)} says so: {entry}"
    message = f"{head}; {found.reason}" if found.reason else head
    return Hit(where, message, hint, names, related, None if comparison.promoted else "warning")


def _place(bundle: Bundle, change: Change) -> Place:
    """Where a change is written; of what is gone, where it was."""
    known = (bundle.before or bundle) if change.gone else bundle
    if change.resource is not None:
        return place(known, change.resource, change.pointer)
    source = known.sources.get(change.path)
    return source.at(change.pointer) if source else Place(change.path or "overlays/environments.yaml")
