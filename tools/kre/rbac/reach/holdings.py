"""The grants that somebody has, found by what they are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from kre.rbac.match import allows
from kre.rbac.model import Grant, Question

ANY: frozenset[str] = frozenset()  # every name


class Held(NamedTuple):
    """A right in a namespace ("" for everywhere), on the objects of these names (ANY for all), and what gives it."""

    namespace: str
    names: frozenset[str]
    grant: Grant

    def fits(self, name: str) -> bool:
        """Whether it is about the object of this name."""
        return not self.names or name in self.names

    def within(self, namespace: str) -> bool:
        """Whether it holds in this namespace."""
        return self.namespace in ("", namespace)


class Holdings:
    """Asks of grants, one right at a time."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        self.grants = tuple(grants)
        self._about: dict[str, list[Grant]] = {}
        self._known: dict[tuple[str, str, str], tuple[Held, ...]] = {}
        for grant in self.grants:
            for resource in dict.fromkeys(grant.rule.resources):
                self._about.setdefault(resource, []).append(grant)

    def of(self, verbs: str, group: str, resource: str) -> Iterator[Held]:
        """Where, and on which names, one of these verbs may be used on a resource, or RESOURCE/SUBRESOURCE."""
        for verb in verbs.split():
            yield from self._one(verb, group, resource)

    def _one(self, verb: str, group: str, resource: str) -> tuple[Held, ...]:
        key = (verb, group, resource)
        if key not in self._known:
            _, slash, sub = resource.partition("/")
            words = ("*", resource, f"*/{sub}") if slash else ("*", resource)
            fitting = [grant for word in words for grant in self._about.get(word, ())]
            self._known[key] = tuple(_held(fitting, *key))
        return self._known[key]


def _held(grants: list[Grant], verb: str, group: str, resource: str) -> Iterator[Held]:
    seen: set[int] = set()
    nameless = verb == "create" and "/" not in resource  # such a request carries no name
    for grant in grants:
        names = grant.rule.names
        if id(grant) in seen or not allows(grant.rule, _question(verb, group, resource, names[0] if names else "")):
            continue
        seen.add(id(grant))
        if not names or (nameless and "" in names):
            yield Held(grant.namespace, ANY, grant)
        elif not nameless and (real := frozenset(names) - {""}):
            yield Held(grant.namespace, real, grant)


@cache
def _question(verb: str, group: str, resource: str, name: str) -> Question:
    parent, _, sub = resource.partition("/")
    return Question(verb, group, parent, sub, name)
