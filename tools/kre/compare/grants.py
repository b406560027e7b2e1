"""What the Roles and bindings of an environment grant, and to whom.

One function is the door: grants(bundle, environment). Whatever evaluates rights more exactly goes behind it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from kre.model.bundle import Bundle
from kre.model.comparison import Grant
from kre.model.resource import Resource, dig, each

AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
ACT_AS, WHATEVER = "act as", "do"
_CLOUD = ("eks.amazonaws.com/", "iam.gke.io/", "azure.workload.identity/")


def grants(bundle: Bundle, environment: str) -> frozenset[Grant]:
    """Every right that this environment's objects give: to the subjects of bindings, and to a Role as such, for who is
    bound to it may stand elsewhere. A Role that is not among the objects counts as one right of its own."""
    roles = {(item.kind, item.namespace, item.name): item for item in bundle.of(environment, "Role", "ClusterRole")}
    found: set[Grant] = set()
    for item in roles.values():
        holder = f"{item.kind} {f'{item.namespace}/' if item.namespace else ''}{item.name}"
        found.update(_of_role(holder, item.namespace, item, roles.values()))
        for label, value in (item.metadata.get("labels") or {}).items():
            if str(label).startswith(AGGREGATE) and value == "true":
                known = f"ClusterRole {str(label).removeprefix(AGGREGATE)}"
                found.update(_of_role(known, "", item, roles.values()))
    for binding in bundle.of(environment, "RoleBinding", "ClusterRoleBinding"):
        found.update(_of_binding(binding, roles))
    for account in bundle.of(environment, "ServiceAccount"):
        for key, value in (account.metadata.get("annotations") or {}).items():
            if str(key).startswith(_CLOUD):
                subject = f"ServiceAccount {account.namespace}/{account.name}"
                found.add(Grant(subject, account.namespace, ACT_AS, "", f"{key}={value}"))
    return frozenset(found)


def widened(before: Iterable[Grant], after: Iterable[Grant]) -> list[Grant]:
    """The rights after that none before covers, sorted."""
    held: dict[str, list[Grant]] = {}
    for grant in before:
        held.setdefault(grant.subject, []).append(grant)
    return sorted(grant for grant in after if not any(covers(wide, grant) for wide in held.get(grant.subject, ())))


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
    return wide == narrow or (wide == "*" and narrow != "(path)")


def _resource(wide: Grant, grant: Grant) -> bool:
    if wide.group == "(path)":
        prefix = wide.resource.removesuffix("*") if wide.resource.endswith("*") else None
        return wide.resource == grant.resource or (prefix is not None and grant.resource.startswith(prefix))
    if wide.resource in ("*", grant.resource):
        return True
    return wide.resource.startswith("*/") and grant.resource.endswith(wide.resource[1:])


def _of_role(subject: str, namespace: str, role: Resource, roles: Iterable[Resource]) -> Iterator[Grant]:
    for source in _sources(role, roles):
        for rule in each(source.body, "rules"):
            yield from _of_rule(subject, namespace, rule)
    for selector in each(role.body, "aggregationRule", "clusterRoleSelectors"):
        if each(selector, "matchExpressions"):
            text = json.dumps(selector, sort_keys=True)
            yield Grant(subject, namespace, WHATEVER, "", f"whatever ClusterRoles with {text} allow")


def _sources(role: Resource, roles: Iterable[Resource]) -> Iterator[Resource]:
    """A ClusterRole that gathers others (aggregationRule) has their rules, and none of its own."""
    selectors = each(role.body, "aggregationRule", "clusterRoleSelectors")
    if not selectors:
        yield role
    for other in roles:
        labels = other.metadata.get("labels") or {}
        for selector in selectors:
            wanted = dig(selector, "matchLabels") or {}
            if (
                other.kind == "ClusterRole"
                and other is not role
                and wanted
                and all(labels.get(key) == value for key, value in wanted.items())
            ):
                yield other


def _of_rule(subject: str, namespace: str, rule: Any) -> Iterator[Grant]:  # noqa: ANN401 - YAML
    names = [str(name) for name in each(rule, "resourceNames")] or [""]
    for verb in each(rule, "verbs"):
        for path in each(rule, "nonResourceURLs"):
            yield Grant(subject, "", str(verb), "(path)", str(path))
        for group in each(rule, "apiGroups"):
            for resource in each(rule, "resources"):
                for name in names:
                    yield Grant(subject, namespace, str(verb), str(group), str(resource), name)


def _of_binding(binding: Resource, roles: dict[tuple[str, str, str], Resource]) -> Iterator[Grant]:
    kind, name = str(dig(binding.body, "roleRef", "kind")), str(dig(binding.body, "roleRef", "name"))
    namespace = binding.namespace if binding.kind == "RoleBinding" else ""
    role = roles.get((kind, binding.namespace if kind == "Role" else "", name))
    for entry in each(binding.body, "subjects"):
        space = f"{dig(entry, 'namespace') or binding.namespace}/" if dig(entry, "kind") == "ServiceAccount" else ""
        subject = f"{dig(entry, 'kind')} {space}{dig(entry, 'name')}"
        if role is None:
            yield Grant(subject, namespace, WHATEVER, "", f"whatever {kind} {name} allows")
        else:
            yield from _of_role(subject, namespace, role, roles.values())
