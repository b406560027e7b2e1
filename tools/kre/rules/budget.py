"""E02: the RBAC budget of an environment, where it has one, is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kre.compare.spending import spending
from kre.compare.waiting import settled
from kre.load.provenance import place
from kre.model.bundle import Bundle, Environment
from kre.model.comparison import Grant
from kre.model.finding import Place, Related
from kre.rbac.budget import PATH
from kre.rbac.evaluate import Policy
from kre.rbac.model import Question, Step, User, account
from kre.rules.registry import Hit, rule


@rule("E02", "nobody is granted more than the environment's RBAC budget lists", "layout")
def budget(bundle: Bundle) -> Iterator[Hit]:
    rendered = {root.environment for root in bundle.roots}
    for environment in bundle.judged:
        found = spending(bundle, environment) if environment.name in rendered else None
        if found is None:
            continue
        together: dict[Grant, list[Grant]] = {}
        for grant in found.over:
            together.setdefault(replace(grant, verb=""), []).append(grant)
        for same in together.values():
            yield _over(bundle, environment, found.source.at(("identities",)), same)
        unused: dict[tuple[str | int, ...], list[Grant]] = {}
        for entry in found.unused:
            unused.setdefault(entry.pointer, []).append(entry.rights[0])
        for pointer, rights in unused.items():
            shown = replace(rights[0], verb=", ".join(dict.fromkeys(right.verb for right in rights)))
            message = f"the budget lists what is not granted: {shown}"
            hint = "take it out, so that nobody gets it unseen"
            yield Hit(found.source.at(pointer), message, hint, (environment.name,), severity="warning")


def _over(bundle: Bundle, environment: Environment, at: Place, same: list[Grant]) -> Hit:
    """At the rule that grants it; the binding and the budget are beside it."""
    shown = replace(same[0], verb=", ".join(grant.verb for grant in same))
    message = f"{shown}, which the budget of {environment.name} does not list"
    hint = f"take it away, or list it in {at.path}: kre rbac budget --env {environment.name} --write drafts it"
    related = [Related(at, "the budget")]
    where = at
    for step in chain(settled(bundle, environment).policy, same[0]):
        if step.resource is not None:
            if where is not at:
                related.append(Related(where, "by this"))
            where = place(bundle, step.resource, step.pointer)
    return Hit(where, message, hint, (environment.name,), tuple(sorted(related)))


def chain(policy: Policy, grant: Grant) -> tuple[Step, ...]:
    """What gives a right: asked word by word, for a star in a rule is the answer to a star."""
    kind, _, name = grant.subject.partition(" ")
    user = User("", frozenset((name,))) if kind == "Group" else User(name)
    if kind == "ServiceAccount":
        space, _, name = name.partition("/")
        user = replace(account(space, name), groups=frozenset())
    resource, _, sub = grant.resource.partition("/")
    asked = Question(grant.verb, grant.group, resource, sub, grant.name, grant.namespace)
    if grant.group == PATH:
        asked = Question(grant.verb, path=grant.resource)
    return next((found.chain for found in policy.why(user, asked)), ())
