"""Admission policies among the objects: they may refuse what RBAC allows. Nobody here evaluates them, so none of them
takes a hop away; they are named beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kre.model.resource import Resource, dig, each

GROUP = "admissionregistration.k8s.io"
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
_NAME = "kubernetes.io/metadata.name"
_OPERATIONS = {
    "create": "CREATE",
    "update": "UPDATE",
    "patch": "UPDATE",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}
_CONNECTED = ("/exec", "/attach", "/proxy", "/portforward")


@dataclass(frozen=True, slots=True)
class Wall:
    """A policy that is bound and denies: what it looks at, as (operation, group, resource), and in which namespaces; ()
    for all."""

    name: str
    asked: tuple[tuple[str, str, str], ...]
    namespaces: tuple[str, ...] = ()

    def about(self, verb: str, group: str, resource: str, namespace: str) -> bool:
        """Whether it has a say in such a request, there."""
        here = not namespace or not self.namespaces or namespace in self.namespaces
        operation = "CONNECT" if resource.endswith(_CONNECTED) else _OPERATIONS.get(verb, "")
        return here and bool(operation) and any(_matches(mine, operation, group, resource) for mine in self.asked)


def walls(resources: Iterable[Resource]) -> tuple[Wall, ...]:
    """Every one of them, by name."""
    known = list(resources)
    bound: dict[str, list[tuple[str, ...]]] = {}
    for item in known:
        if item.kind == BINDING and "Deny" in each(item.body, "spec", "validationActions"):
            bound.setdefault(str(dig(item.body, "spec", "policyName")), []).append(_spaces(item))
    found = []
    for item in known:
        if item.kind == POLICY and item.name in bound:
            limits = bound[item.name]
            spaces = sorted({one for limit in limits for one in limit}) if all(limits) else []
            found.append(Wall(item.name, _asked(item), tuple(spaces)))
    return tuple(sorted(found, key=lambda one: one.name))


def _asked(policy: Resource) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (str(operation), str(group), str(resource))
        for rule in each(policy.body, "spec", "matchConstraints", "resourceRules")
        for operation in each(rule, "operations")
        for group in each(rule, "apiGroups")
        for resource in each(rule, "resources")
    )


def _spaces(binding: Resource) -> tuple[str, ...]:
    """The namespaces that a binding is limited to by name; () for all."""
    selector: Any = dig(binding.body, "spec", "matchResources", "namespaceSelector")
    if name := dig(selector, "matchLabels", _NAME):
        return (str(name),)
    for entry in each(selector, "matchExpressions"):
        if dig(entry, "key") == _NAME and dig(entry, "operator") == "In":
            return tuple(str(value) for value in each(entry, "values"))
    return ()


def _matches(mine: tuple[str, str, str], operation: str, group: str, resource: str) -> bool:
    """As the API server compares: here * is no subresource, */* is everything, and pods/* all of pods."""
    parent, _, sub = resource.partition("/")
    words = (resource, "*/*", f"{parent}/*", f"*/{sub}" if sub else "*")
    return mine[0] in ("*", operation) and mine[1] in ("*", group) and mine[2] in words
