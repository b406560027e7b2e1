"""Rights, by the rules of Roles (RBAC as in Kubernetes, plugin/pkg/auth/authorizer/rbac)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from demo.apiserver.request import Request

Rule = Mapping[str, Any]


def by_rules(grants: Mapping[str, Iterable[Rule]]) -> Callable[[Request], bool]:
    """Allows what the rules say, by the namespace that they are bound in ("" is everywhere), and nothing else."""
    kept = {namespace: tuple(rules) for namespace, rules in grants.items()}

    def allowed(request: Request) -> bool:
        bound = kept.get(request.namespace, ()) if request.namespace else ()
        return any(_covers(rule, request) for rule in (*bound, *kept.get("", ())))

    return allowed


def _covers(rule: Rule, request: Request) -> bool:
    resource = f"{request.resource}/{request.subresource}" if request.subresource else request.resource
    resources = set(rule.get("resources") or ())
    names = rule.get("resourceNames") or ()
    return (
        not {request.verb, "*"}.isdisjoint(rule.get("verbs") or ())
        and not {request.group, "*"}.isdisjoint(rule.get("apiGroups") or ())
        and not {resource, "*", f"*/{request.subresource}" if request.subresource else "*"}.isdisjoint(resources)
        and (not names or request.name in names)
    )
