"""The RBAC budget of an environment: the rights that each identity may hold, as a closed list in a file of its own.

An entry is a rule with a scope: a namespace, `<targets>` for each target of the environment, `*` for everywhere. What
an engine needs but nobody should have unasked has a `reason` (kre.rules.reasoned says what that is).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kre.model.comparison import Grant
from kre.model.resource import Pointer, dig, each
from kre.model.source import Source

TARGETS, EVERYWHERE, PATH, NAMELESS = "<targets>", "*", "(path)", '""'
_HEAD = """\
# What each identity may hold in {environment}, at most. `kre validate` refuses whatever else is granted (rule E02).
# Drafted by `kre rbac budget --write`; whoever approves a change of this file approves the right.
version: 1
identities:
"""
_Rules = dict[tuple[str, str, str, str], dict[str, set[str]]]  # (scope, group, name, reason) -> resource -> verbs
_PLAIN = re.compile(r"[A-Za-z<](?:[A-Za-z0-9./<> -]*[A-Za-z0-9>])?")
_WORDS = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")


@dataclass(frozen=True, slots=True)
class Entry:
    """One right that is budgeted, in each of the namespaces that its scope means ("" for everywhere).

    `scoped` is the same once, its namespace as the file has it. `chart` brings the identity, where one is named.
    """

    pointer: Pointer
    rights: tuple[Grant, ...]
    scoped: Grant
    reason: str = ""
    chart: str = ""


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
                reason, chart = (str(dig(value, key) or "") for value, key in ((rule, "reason"), (identity, "chart")))
                for piece in _pieces(holder, rule):
                    rights = [_in(piece, space) for space in spaces.get(scope, (scope,))]
                    yield Entry(at, tuple(rights), _in(piece, scope), reason.strip(), chart)


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


def draft(environment: str, granted: Iterable[Grant], targets: Iterable[str], known: Iterable[Entry] = ()) -> str:
    """The budget that is exactly what is granted, as the text of its file. Reasons and charts of a `known` one stay."""
    reasons, charts = {}, {}
    for entry in known:
        reasons[entry.scoped] = entry.reason
        charts[entry.scoped.subject] = entry.chart
    held: dict[str, list[Grant]] = {}
    for grant in sorted(granted):
        held.setdefault(grant.subject, []).append(grant)
    if not held:
        return _HEAD.format(environment=environment).rstrip("\n") + " []\n"
    return _HEAD.format(environment=environment) + "".join(
        f"- {identity(holder, held[holder], set(targets), reasons, charts.get(holder, ''))}\n"
        for holder in sorted(held)
    )


def identity(
    holder: str, rights: Iterable[Grant], targets: set[str], reasons: Mapping[Grant, str], chart: str = ""
) -> str:
    """One identity of a budget as an item of its list, without the dash; `reasons` are for rights as scoped there."""
    head = f"name: {_word(holder)}\n" + (f"  chart: {_word(chart)}\n" if chart else "")
    listed = (f"  - {text}".replace("\n", "\n    ") for text in rules(rights, targets, reasons))
    return "\n".join((f"{head}  rules:", *listed))


def rules(rights: Iterable[Grant], targets: set[str], reasons: Mapping[Grant, str]) -> Iterator[str]:
    """The rules of an identity with these rights, each as an item of their list, without the dash."""
    held = set(rights)
    found: _Rules = {}
    for grant in held:
        same = {_in(grant, target) for target in targets}
        scope = grant.namespace or EVERYWHERE
        if grant.namespace in targets and same <= held:
            scope = TARGETS
        key = (scope, grant.group, grant.name, reasons.get(_in(grant, scope), ""))
        found.setdefault(key, {}).setdefault(grant.resource, set()).add(grant.verb)
    for (scope, group, name, reason), resources in sorted(found.items()):
        together: dict[tuple[str, ...], list[str]] = {}
        for resource, verbs in sorted(resources.items()):
            together.setdefault(tuple(sorted(verbs)), []).append(resource)
        for allowed, names in together.items():
            lines = [f"in: {_word(scope)}", *_fields(group, names, name), f"verbs: {_list(allowed)}"]
            yield "\n".join([*lines, f"reason: {_word(reason)}"] if reason else lines)


def _fields(group: str, resources: list[str], name: str) -> Iterator[str]:
    if group == PATH:
        yield f"nonResourceURLs: {_list(resources)}"
        return
    yield from (f"apiGroups: {_list([group])}", f"resources: {_list(resources)}")
    if name:
        yield f"resourceNames: {_list(['' if name == NAMELESS else name])}"


def _list(words: Iterable[str]) -> str:
    return f"[{', '.join(_word(word) for word in words)}]"


def _word(text: str) -> str:
    """A text as YAML, in quotes where it needs some."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else json.dumps(text, ensure_ascii=False)
