"""One environment, or all of them, before and after: objects, risks, facts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from kre.compare import (
    access,
    delivery,
    network,
    objects,
    pipeline,
    policy,
    rights,
    settings,
    summary,
    values,
    workloads,
)
from kre.compare.pair import Detector, Pair
from kre.model.bundle import Bundle
from kre.model.comparison import Change, Comparison, Kind, Risk

DETECTORS: tuple[Detector, ...] = (
    rights.rights,
    settings.facts,
    settings.settings,
    settings.quotas,
    settings.projects,
    access.event_sources,
    access.sensors,
    access.secrets,
    access.admission,
    network.policies,
    network.services,
    pipeline.sensors,
    pipeline.event_buses,
    pipeline.gone,
    pipeline.stopped,
    workloads.workloads,
    workloads.namespaces,
    workloads.code,
    delivery.applications,
    delivery.marks,
    values.values,
    policy.policy,
    policy.exceptions,
)


def compare(before: Bundle, after: Bundle, name: str, other: str | None = None) -> Comparison:
    """What becomes of environment `name` of `before`: of the one of that name in `after`, or of `other` there.

    Raises ValueError where neither bundle has it.
    """
    sides = objects.side(before, name), objects.side(after, other or name)
    pair = Pair(*sides, objects.deltas(*sides))
    changes = _once(change for detector in DETECTORS for change in detector(pair))
    shown = pair.environment.name
    risks = tuple(
        Risk(kind, shown, digest(kind, shown, of_kind), of_kind)
        for kind in Kind
        if (of_kind := tuple(change for change in changes if change.kind is kind))
    )
    if sides[0].environment is None or sides[1].environment is None:
        risks = (_whole(pair, risks),)
    return Comparison(shown, pair.promoted, pair.deltas, risks, summary.facts(pair))


def _whole(pair: Pair, risks: tuple[Risk, ...]) -> Risk:
    """An environment that comes or goes is one risk: everything in it."""
    name, came = pair.environment.name, pair.before.environment is None
    what = "a new environment" if came else "the environment is gone: nothing of it is compared, or kept"
    server = pair.environment.spec.get("cluster")
    content = [[risk.kind, risk.digest] for risk in risks]
    first = Change(
        Kind.ENVIRONMENT,
        f"environment {name}",
        what,
        None if came else [name, server],
        [name, server, content] if came else None,
        pointer=("environments",),
        path="overlays/environments.yaml",
    )
    changes = (first, *(change for risk in risks for change in risk.changes)) if came else (first,)
    return Risk(Kind.ENVIRONMENT, name, digest(Kind.ENVIRONMENT, name, (first,)), changes)


def compare_all(before: Bundle, after: Bundle) -> tuple[Comparison, ...]:
    """Every environment that either has, in the order of `after`; those that are gone come last."""
    names = [known.name for known in after.environments]
    gone = [known.name for known in before.environments if known.name not in names]
    rendered = {root.environment for root in after.roots}
    return tuple(compare(before, after, name) for name in (*(n for n in names if n in rendered), *gone))


def _once(changes: Iterable[Change]) -> list[Change]:
    """Each change once, sorted: what is patched alike in two objects stays two."""
    found: dict[tuple[str, str, str], Change] = {}
    for change in changes:
        found.setdefault((change.kind, change.subject, change.what), change)
    return [found[key] for key in sorted(found)]


def digest(kind: Kind, environment: str, changes: Iterable[Change]) -> str:
    """The name of exactly these changes: `sha256:` over kind, environment, and the values before and after."""
    content = [kind, environment, [[change.subject, change.before, change.after] for change in changes]]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
