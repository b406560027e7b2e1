"""Every check, and what it depends on: where that has failed, nobody can say, and the check is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from kre.cluster.checks import admission, content, controllers, delivery, pipeline, reach, targets, tokens
from kre.cluster.result import WORST, Result, Status, Trouble, Unreadable, Verdict
from kre.cluster.snapshot import Snapshot

Judge: TypeAlias = Callable[[Snapshot], Verdict]
FEW = 4  # names in one line


@dataclass(frozen=True, slots=True)
class Check:
    """One question: the group that it is told under, its name, what answers it, and the checks that must not fail
    before it."""

    group: str
    name: str
    judge: Judge
    needs: tuple[str, ...] = ()


CHECKS = (
    Check("cluster", "answers", reach.answers),
    Check("cluster", "version", reach.version),
    Check("cluster", "rights", reach.rights),
    Check("cluster", "kinds", reach.served_kinds),
    Check("cluster", "controllers", controllers.controllers),
    Check("delivery", "bootstrap", delivery.bootstrap, ("version",)),
    Check("delivery", "applications", delivery.applications),
    Check("pipeline", "namespaces", pipeline.namespaces),
    Check("pipeline", "eventbus", pipeline.eventbus, ("kinds", "namespaces")),
    Check("pipeline", "eventsource", pipeline.eventsource, ("kinds", "namespaces", "eventbus")),
    Check("pipeline", "sensors", pipeline.sensors, ("kinds", "namespaces", "eventbus")),
    Check("pipeline", "dispatcher", pipeline.dispatcher, ("namespaces",)),
    Check("tokens", "webhook", tokens.webhook_token, ("namespaces",)),
    Check("tokens", "dispatch", tokens.dispatch_tokens, ("namespaces",)),
    Check("responses", "settings", content.settings, ("namespaces",)),
    Check("responses", "templates", content.templates, ("kinds", "namespaces")),
    Check("responses", "objects", content.objects, ("kinds", "namespaces")),
    Check("admission", "policies", admission.policies, ("version",)),
    Check("admission", "in effect", admission.in_effect, ("version", "policies")),
    Check("targets", "targets", targets.targets),
    Check("detection", "senders", controllers.detection),
)


def run(snapshot: Snapshot) -> Iterator[Result]:
    """The results of all checks, in their order."""
    state: dict[str, Status] = {}
    for check in CHECKS:
        results = list(_results(check, snapshot, state))
        state[check.name] = min((result.status for result in results), key=WORST.index)
        yield from results


def together(troubles: Iterable[Trouble]) -> Iterator[Trouble]:
    """The troubles, those that are alike in all but the object as one: a whole Application may be missing."""
    alike: dict[tuple[Status, str, str], list[str]] = {}
    for one in troubles:
        alike.setdefault((one.status, one.found, one.remedy), []).append(one.where)
    for (status, found, remedy), names in alike.items():
        rest = f" and {len(names) - FEW} more" if len(names) > FEW else ""
        yield Trouble(status, ", ".join(names[:FEW]) + rest, found, remedy)


def _results(check: Check, snapshot: Snapshot, state: dict[str, Status]) -> Iterator[Result]:
    broken = [name for name in check.needs if state.get(name) == "failed"]
    if broken:
        yield Result(check.group, check.name, "unknown", "", f"it needs {broken[0]}, which failed")
        return
    try:
        verdict = check.judge(snapshot)
    except Unreadable as error:
        yield Result(check.group, check.name, "unknown", "", f"it can't be read: {error}")
        return
    for one in together(verdict.troubles):
        yield Result(check.group, check.name, one.status, one.where, one.found, one.remedy)
    if not verdict.troubles:
        yield Result(check.group, check.name, "ok", "", verdict.well)
