"""E01, E11, E12: roles that do not hold what they look like."""

from __future__ import annotations

from collections.abc import Iterator

from kre.model.bundle import Bundle
from kre.model.resource import Resource
from kre.rbac.environment import world
from kre.rbac.model import Role, Rule
from kre.rbac.words import elsewhere
from kre.rules.registry import Hit, hit, rule
from kre.rules.roles import roles_and_bindings

_NAMELESS = ("create", "deletecollection")


def _rules(bundle: Bundle) -> Iterator[tuple[Resource, int, Rule]]:
    for role in roles_and_bindings(bundle):
        if isinstance(role, Role) and role.resource is not None:
            yield from ((role.resource, index, entry) for index, entry in enumerate(role.rules))


@rule("E01", "ClusterRoles that aggregate others come to rest", "world")
def at_rest(bundle: Bundle) -> Iterator[Hit]:
    for environment, _ in bundle.worlds:
        for role in world(bundle, environment.name if environment else None).unsettled():
            if role.resource is not None:
                message = f"{role.resource} and another aggregate each other, and rules of their own: no end of that"
                hint = "keep rules in ClusterRoles that aggregate nothing, or take one of the labels away"
                yield hit(bundle, role.resource, ("aggregationRule",), message, hint)


@rule("E11", "resourceNames limit what has a name, and hold no star", "object", peers=())
def names(bundle: Bundle) -> Iterator[Hit]:
    for resource, index, entry in _rules(bundle):
        if "*" in entry.names:
            message = f"{resource}: * in resourceNames is the name *, no wildcard: the rule matches nothing"
            yield hit(bundle, resource, ("rules", index, "resourceNames"), message, "leave the field out for any name")
        plain = [name for name in entry.resources if "/" not in name]
        never = [verb for verb in _NAMELESS if verb in entry.verbs] if plain and any(entry.names) else []
        if never and "" not in entry.names:
            message = f"{resource}: {never[0]} {plain[0]} by name is never allowed: the request carries no name"
            hint = f"{never[0]} can't be limited by name: a rule of its own without names, or take it out"
            yield hit(bundle, resource, ("rules", index, "verbs"), message, hint)


@rule("E12", "every resource of a role's rule is one", "object", "warning")
def nothing(bundle: Bundle) -> Iterator[Hit]:
    for resource, index, entry in _rules(bundle):
        for position, name in enumerate(entry.resources):
            plural, slash, sub = name.partition("/")
            at = ("rules", index, "resources", position)
            group = elsewhere(entry.groups, plural)
            if slash and sub == "*":
                message = f"{resource}: {name} is no wildcard, and matches nothing"
                yield hit(bundle, resource, at, message, "name each subresource")
            elif group is not None:
                where = f"group {group}" if group else "the core group"
                message = f"{resource}: {plural} are in {where}, which the rule does not name: it gives nothing of them"
                yield hit(bundle, resource, at, message, f'apiGroups: ["{group}"]')
