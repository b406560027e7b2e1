"""E16: an identity has no more rights in an environment than where that is promoted from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kre.compare.grants import covers, widened
from kre.compare.spending import budgeted, granted
from kre.compare.waiting import settled, targets
from kre.load.provenance import place
from kre.model.bundle import Bundle, Environment
from kre.model.comparison import Grant
from kre.model.finding import Place
from kre.rbac.budget import TARGETS
from kre.rbac.evaluate import Policy
from kre.rules.budget import chain
from kre.rules.registry import Hit, rule


@rule("E16", "an identity has no more rights than where its environment is promoted from", "layout")
def no_drift(bundle: Bundle) -> Iterator[Hit]:
    """What comes with a release is not told: it was promoted, and the environment before may have moved on. A target
    counts as a target, whatever its name."""
    known = {environment.name: environment for environment in bundle.judged}
    for environment in bundle.judged:
        before = known.get(environment.source or "")
        if before is None:
            continue
        theirs, ours = _scoped(bundle, before), _scoped(bundle, environment)
        people = {grant.subject for grant in theirs}
        meant = [entry.scoped for entry in budgeted(bundle, environment) if entry.reason]
        policy = settled(bundle, environment).policy
        together: dict[tuple[Place, Grant], list[str]] = {}
        for grant in widened(theirs, (grant for grant in ours if grant.subject in people)):
            where = _own(bundle, environment, policy, ours[grant])
            if where and not any(covers(wide, grant) for wide in meant):
                together.setdefault((where, replace(grant, verb="")), []).append(grant.verb)
        for (where, grant), verbs in together.items():
            message = f"{replace(grant, verb=', '.join(verbs))}, in {environment.name} but not in {before.name}"
            hint = f"give it in {before.name} first and promote it, or take it away; a budget may list it with a reason"
            yield Hit(where, message, hint, (environment.name,))


def _scoped(bundle: Bundle, environment: Environment) -> dict[Grant, Grant]:
    """The rights of each ServiceAccount, those in a target as in `<targets>`; each with itself as it was."""
    names = targets(bundle, environment)
    return {
        replace(grant, namespace=TARGETS) if grant.namespace in names else grant: grant
        for grant in granted(bundle, environment)
        if grant.subject.startswith("ServiceAccount ")
    }


def _own(bundle: Bundle, environment: Environment, policy: Policy, grant: Grant) -> Place | None:
    """Where an environment's own files give a right; None where its release does, and the bindings of targets (which
    rule F08 holds to theirs)."""
    for step in reversed(chain(policy, grant)):
        at = place(bundle, step.resource, step.pointer) if step.resource is not None else None
        released = (f"{environment.folder}/release/", f"{environment.folder}/leaves/targets/")
        if at is not None and not at.path.startswith(released):
            return at
    return None
