"""What ClusterRoles with an aggregationRule hold once the controller has been there.

pkg/controller/clusterroleaggregation of k8s.io/kubernetes: it replaces the rules of such a role by those of all that
its selectors take, itself excepted. It sets them by server-side apply, so that an empty list of rules leaves alone what
stands in the manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from kre.rbac.match import selects
from kre.rbac.model import Role, Rule, Selector


class Aggregated(NamedTuple):
    """The rules of every ClusterRole by its name; and those whose rules never come to rest.

    Where ClusterRoles aggregate each other, and some rule stands in one of them or was once in one that feeds them,
    what they hold depends on who came first. `rules` then has everything that they can have held.
    """

    rules: Mapping[str, tuple[Rule, ...]]
    unsettled: frozenset[str] = frozenset()


def aggregate(roles: Iterable[Role]) -> Aggregated:
    """The rules of ClusterRoles as they end up. Those that aggregate nothing keep their own."""
    known = {role.name: role for role in roles}
    labelled = _Labelled(known)
    members = {name: list(labelled.taken(role)) for name, role in known.items() if role.selectors is not None}
    found: dict[str, tuple[Rule, ...]] = {name: role.rules for name, role in known.items() if name not in members}
    ever = {name: set(rules) for name, rules in found.items()}  # what each can have held at some time
    unsettled: set[str] = set()
    for circle in _circles(members):
        inside = set(circle)
        own = [rule for name in circle for rule in known[name].rules]
        outside = list(dict.fromkeys(name for name in _flat(members, circle) if name not in inside))
        gathered = list(dict.fromkeys(rule for name in outside for rule in found[name]))
        past = set(own).union(*(ever[name] for name in outside))
        if len(circle) == 1:
            found[circle[0]] = tuple(gathered or own)
        else:
            held = tuple(dict.fromkeys([*gathered, *sorted(past - set(gathered), key=repr)]))
            found.update((name, held) for name in circle)
            unsettled.update(inside if past != set(gathered) or own else ())
        ever.update((name, past) for name in circle)
    return Aggregated(found, frozenset(unsettled))


class _Labelled:
    """ClusterRoles by their labels."""

    def __init__(self, known: Mapping[str, Role]) -> None:
        self._known = known
        self._names = sorted(known)
        self._with: dict[tuple[str, str], list[str]] = {}
        for name in self._names:
            for label in known[name].labels.items():
                self._with.setdefault(label, []).append(name)

    def taken(self, role: Role) -> Iterator[str]:
        """Whom it aggregates, in the controller's order: selector by selector, by name."""
        taken = {role.name}
        for selector in role.selectors or ():
            for name in self._candidates(selector):
                if name not in taken and selects(selector, self._known[name].labels):
                    taken.add(name)
                    yield name

    def _candidates(self, selector: Selector) -> list[str]:
        for condition in selector:
            if condition.operator == "In":
                found = [self._with.get((condition.key, value), []) for value in condition.values]
                return sorted(set().union(*found))
        return self._names


def _flat(members: Mapping[str, list[str]], names: Iterable[str]) -> Iterator[str]:
    return (member for name in names for member in members[name])


def _circles(members: Mapping[str, list[str]]) -> list[list[str]]:
    """Those that aggregate each other, together, and every other one alone; whoever is aggregated comes first.

    Tarjan's algorithm, without recursion: a chain of ClusterRoles may be longer than Python's stack.
    """
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: dict[str, None] = {}  # a stack that knows what is in it
    found: list[list[str]] = []
    for start in sorted(members):
        work = [] if start in number else [start]
        todo: dict[str, Iterator[str]] = {}
        while work:
            name = work[-1]
            if name not in number:
                number[name] = low[name] = len(number)
                stack[name] = None
                todo[name] = iter([other for other in members[name] if other in members])
            other = next(todo[name], None)
            if other is None:
                work.pop()
                if work:
                    low[work[-1]] = min(low[work[-1]], low[name])
                if low[name] == number[name]:
                    found.append(_cut(stack, name))
            elif other not in number:
                work.append(other)
            elif other in stack:
                low[name] = min(low[name], number[other])
    return found


def _cut(stack: dict[str, None], name: str) -> list[str]:
    """Takes from the stack all that was put on it since this one, and this one."""
    cut: list[str] = []
    while not cut or cut[-1] != name:
        cut.append(stack.popitem()[0])
    return sorted(cut)
