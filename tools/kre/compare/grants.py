"""What the Roles and bindings of an environment grant, and to whom, in pieces that can be compared.

One function is the door: grants(bundle, environment). kre.rbac evaluates what is behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from kre.model.bundle import Bundle
from kre.model.comparison import Grant
from kre.rbac.budget import NAMELESS, PATH
from kre.rbac.defaults import defaults
from kre.rbac.environment import World, world
from kre.rbac.evaluate import policy
from kre.rbac.model import Binding, Role, Rule

AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
_OWN = re.compile(r"whatever (?P<kind>ClusterRole) (?P<name>\S+) allows")
ACT_AS, WHATEVER = "act as", "do"
CLOUD = ("eks.amazonaws.com/", "iam.gke.io/", "azure.workload.identity/")


def grants(bundle: Bundle, environment: str, known: World | None = None) -> frozenset[Grant]:
    """Every right that this environment's objects give: to the subjects of bindings, and to a Role as such, for who is
    bound to it may stand elsewhere. A Role that is not among the objects counts as one right of its own; of Kubernetes'
    own roles widened() knows what is in it. `known` is its World, where that is at hand."""
    known = known or world(bundle, environment)
    found: set[Grant] = set()
    for item in known.own:
        found.update(_of_role(known, item) if isinstance(item, Role) else _of_binding(known, item))
    for role in known.policy.roles:
        if role.selectors is not None and role.resource is None:  # Kubernetes' own, with more in it than it comes with
            more = [rule for rule in known.policy.rules(role) if rule.step and rule.step.resource is not None]
            found.update(rights_of(f"{role.kind} {role.name}", "", more))
    for account in (item for item in known.resources if item.kind == "ServiceAccount"):
        for key, value in (account.metadata.get("annotations") or {}).items():
            if str(key).startswith(CLOUD):
                subject = f"ServiceAccount {account.namespace}/{account.name}"
                found.add(Grant(subject, account.namespace, ACT_AS, "", f"{key}={value}"))
    return frozenset(found)


def _of_role(known: World, role: Role) -> Iterator[Grant]:
    yield from _held(known, str(role.step), role.namespace, role)
    for label, value in role.labels.items():
        into = label.removeprefix(AGGREGATE)
        if into != label and value == "true" and not known.policy.has("ClusterRole", "", into):
            yield from rights_of(f"ClusterRole {into}", "", known.policy.rules(role))


def _of_binding(known: World, binding: Binding) -> Iterator[Grant]:
    role = known.policy.role(binding)
    for subject in binding.subjects:
        holder = subject.title(binding.namespace)
        if role is None:
            yield _whatever(holder, binding.namespace, binding.role_kind, binding.role)
        else:
            yield from _held(known, holder, binding.namespace, role)


def _held(known: World, holder: str, namespace: str, role: Role) -> Iterator[Grant]:
    """What a role gives: one of Kubernetes' own as one right, with what the objects here add to it. One of ours that
    aggregates others may take some that are not rendered here."""
    rules = known.policy.rules(role)
    if role.resource is None:
        yield _whatever(holder, namespace, role.kind, role.name)
        rules = tuple(rule for rule in rules if rule.step and rule.step.resource is not None)
    yield from rights_of(holder, namespace, rules)
    for selector in role.selectors if role.selectors is not None and role.resource is not None else ():
        text = ", ".join(sorted(f"{it.key} {it.operator} {' '.join(sorted(it.values))}".strip() for it in selector))
        yield Grant(holder, namespace, WHATEVER, "", f"whatever ClusterRoles with {text or 'any labels'} allow")


def _whatever(holder: str, namespace: str, kind: str, name: str) -> Grant:
    return Grant(holder, namespace, WHATEVER, "", f"whatever {kind} {name} allows")


def rights_of(holder: str, namespace: str, rules: Iterable[Rule]) -> Iterator[Grant]:
    """What somebody has who holds rules in a namespace ("" for everywhere), piece by piece."""
    for rule in rules:
        names = [name or NAMELESS for name in rule.names] or [""]
        for verb in rule.verbs:
            if not namespace:
                yield from (Grant(holder, "", verb, PATH, path) for path in rule.urls)
            for group in rule.groups:
                for resource in rule.resources:
                    yield from (Grant(holder, namespace, verb, group, resource, name) for name in names)


def widened(before: Iterable[Grant], after: Iterable[Grant]) -> list[Grant]:
    """The rights after that none before covers, sorted. A role of Kubernetes' own is covered where all that it holds
    is, and covers what it holds."""
    held: dict[str, list[Grant]] = {}
    for grant in before:
        held.setdefault(grant.subject, []).extend((grant, *_inside(grant)))

    def had(grant: Grant) -> bool:
        return any(covers(wide, grant) for wide in held.get(grant.subject, ()))

    return sorted(
        grant
        for grant in after
        if not had(grant) and not ((inside := _inside(grant)) and all(had(one) for one in inside))
    )


def _inside(grant: Grant) -> list[Grant]:
    """What the one right that stands for a role of Kubernetes' own is made of; nothing for any other right."""
    found = _OWN.fullmatch(grant.resource) if grant.verb == WHATEVER else None
    rules = _kubernetes().get((found["kind"], found["name"])) if found else None
    return list(rights_of(grant.subject, grant.namespace, rules or ()))


@cache
def _kubernetes() -> dict[tuple[str, str], tuple[Rule, ...]]:
    known = policy(defaults())
    return {(role.kind, role.name): known.rules(role) for role in known.roles if role.kind == "ClusterRole"}


def covers(wide: Grant, grant: Grant) -> bool:
    """Whether one right of a subject includes another of the same subject."""
    if grant.verb in (ACT_AS, WHATEVER):  # nobody here knows what is in them
        return wide == grant
    return (
        wide.subject == grant.subject
        and wide.namespace in ("", grant.namespace)
        and wide.verb in ("*", grant.verb)
        and _within(wide.group, grant.group)
        and _resource(wide, grant)
        and wide.name in ("", grant.name)
    )


def _within(wide: str, narrow: str) -> bool:
    return wide == narrow or (wide == "*" and narrow != PATH)


def _resource(wide: Grant, grant: Grant) -> bool:
    if wide.group == PATH:
        prefix = wide.resource.removesuffix("*") if wide.resource.endswith("*") else None
        return wide.resource == grant.resource or (prefix is not None and grant.resource.startswith(prefix))
    if wide.resource in ("*", grant.resource):
        return True
    return wide.resource.startswith("*/") and grant.resource.endswith(wide.resource[1:])
