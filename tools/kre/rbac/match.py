"""Whether one rule allows what is asked: pkg/apis/rbac/v1/evaluation_helpers.go of k8s.io/kubernetes, word by word."""

from __future__ import annotations

from collections.abc import Mapping

from kre.rbac.model import Question, Requirement, Rule, Selector

ALL = "*"


def allows(rule: Rule, asked: Question) -> bool:
    """Whether the rule, wherever it holds, allows it."""
    if ALL not in rule.verbs and asked.verb not in rule.verbs:
        return False
    if asked.path:
        return any(_url(url, asked.path) for url in rule.urls)
    return (
        (ALL in rule.groups or asked.group in rule.groups)
        and _resource(rule.resources, asked)
        and (not rule.names or asked.name in rule.names)
    )


def _resource(resources: tuple[str, ...], asked: Question) -> bool:
    """`*` is every resource with its subresources, `*/x` the subresource x of any; no other star means anything."""
    if ALL in resources:
        return True
    if not asked.subresource:
        return asked.resource in resources
    return f"{asked.resource}/{asked.subresource}" in resources or f"*/{asked.subresource}" in resources


def _url(url: str, path: str) -> bool:
    """Stars at the end, however many, stand for any end."""
    return url in (ALL, path) or (url.endswith(ALL) and path.startswith(url.rstrip(ALL)))


def selects(selector: Selector, labels: Mapping[str, str]) -> bool:
    """Whether a label selector takes an object with these labels. One without conditions takes everything."""
    return all(_meets(condition, labels) for condition in selector)


def _meets(condition: Requirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(condition.key)
    match condition.operator:
        case "In":
            return value is not None and value in condition.values
        case "NotIn":
            return value is None or value not in condition.values
        case "Exists":
            return value is not None
        case _:
            return value is None
