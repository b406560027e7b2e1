"""The RBAC budget of an environment: the rights that each identity may hold, as a closed list in a file of its own.

An entry is a rule with a scope: a namespace, `<targets>` for each target of the environment, `*` for everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kre.model.comparison import Grant
from kre.model.resource import Pointer, each
from kre.model.source import Source

TARGETS, EVERYWHERE, PATH, NAMELESS = "<targets>", "*", "(path)", '""'
_HEAD = """\
# What each identity may hold in {environment}, at most. `kre validate` refuses whatever else is granted (rule E02).
# Drafted by `kre rbac budget --write`; whoever approves a change of this file approves the right.
version: 1
identities:
"""
_Rules = dict[tuple[str, str, str], dict[str, set[str]]]  # (scope, group, name) -> resource -> verbs


@dataclass(frozen=True, slots=True)
class Entry:
    """One right that is budgeted, in each of the namespaces that its scope means ("" for everywhere)."""

    pointer: Pointer
    rights: tuple[Grant, ...]


def file_of(folder: str) -> str:
    """Where the budget of the environment in this folder stands."""
    return f"{folder}/rbac-budget.yaml"


def entries(source: Source, targets: Iterable[str]) -> Iterator[Entry]:
    """Every right that a budget lists, one by one; what is not as its schema says is left out."""
    spaces = {TARGETS: tuple(targets), EVERYWHERE: ("",)}
    value = source.documents[0].value if source.documents else None
    for index, identity in enumerate(each(value, "identities")):
        holder = identity.get("name") if isinstance(identity, Mapping) else None
        for position, rule in enumerate(each(identity, "rules")):
            scope = rule.get("in") if isinstance(rule, Mapping) else None
            if isinstance(holder, str) and isinstance(scope, str):
                at = ("identities", index, "rules", position)
                for piece in _pieces(holder, rule):
                    rights = [_in(piece, space) for space in spaces.get(scope, (scope,))]
                    yield Entry(at, tuple(rights))


def _pieces(holder: str, rule: Mapping[str, Any]) -> Iterator[Grant]:
    for verb in each(rule, "verbs"):
        yield from (Grant(holder, "", str(verb), PATH, str(path)) for path in each(rule, "nonResourceURLs"))
        for group in each(rule, "apiGroups"):
            for resource in each(rule, "resources"):
                for name in each(rule, "resourceNames") or [None]:
                    named = "" if name is None else str(name) or NAMELESS
                    yield Grant(holder, "", str(verb), str(group), str(resource), named)


def _in(piece: Grant, namespace: str) -> Grant:
    return Grant(piece.subject, namespace, piece.verb, piece.group, piece.resource, piece.name)


def draft(environment: str, granted: Iterable[Grant], targets: Iterable[str]) -> str:
    """The budget that is exactly what is granted, as the text of its file."""
    held: dict[str, list[Grant]] = {}
    for grant in sorted(granted):
        held.setdefault(grant.subject, []).append(grant)
    if not held:
        return _HEAD.format(environment=environment).rstrip("\n") + " []\n"
    return _HEAD.format(environment=environment) + "".join(
        line for holder in sorted(held) for line in _identity(holder, held[holder], set(targets))
    )


def _identity(holder: str, rights: list[Grant], targets: set[str]) -> Iterator[str]:
    yield f"- name: {json.dumps(holder)}\n  rules:\n"
    rules: _Rules = {}
    for grant in rights:
        same = {_in(grant, target) for target in targets}
        scope = grant.namespace or EVERYWHERE
        if grant.namespace in targets and same <= set(rights):
            scope = TARGETS
        rules.setdefault((scope, grant.group, grant.name), {}).setdefault(grant.resource, set()).add(grant.verb)
    for (scope, group, name), resources in sorted(rules.items()):
        together: dict[tuple[str, ...], list[str]] = {}
        for resource, verbs in sorted(resources.items()):
            together.setdefault(tuple(sorted(verbs)), []).append(resource)
        for allowed, names in together.items():
            yield f"  - in: {json.dumps(scope)}\n"
            yield from _fields(group, names, name)
            yield f"    verbs: {json.dumps(list(allowed))}\n"


def _fields(group: str, resources: list[str], name: str) -> Iterator[str]:
    if group == PATH:
        yield f"    nonResourceURLs: {json.dumps(resources)}\n"
        return
    yield f"    apiGroups: {json.dumps([group])}\n    resources: {json.dumps(resources)}\n"
    if name:
        yield f"    resourceNames: {json.dumps(['' if name == NAMELESS else name])}\n"
