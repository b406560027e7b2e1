"""Who may do what in each environment, evaluated, against the one table; the API server is asked the same in e2e."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest

from kre.load.layout import environments
from kre.load.sources import Sources
from kre.model.bundle import Bundle
from kre.model.resource import each
from kre.rbac.environment import World, world
from kre.rbac.identities import Identity, identities
from kre.rbac.model import AUTHENTICATED, Question, User, account
from support.promoted import load_promoted
from support.repository import PROJECT
from support.rights import KINDS, PLACES, RESPONSES, VERBS, table

NAMES = [environment.name for environment in environments(Sources(PROJECT))]


@cache
def bundle() -> Bundle:
    return load_promoted()


@cache
def known(name: str) -> World:
    return world(bundle(), name)


def user(identity: str) -> User:
    kind, _, name = identity.partition(":")
    return User("somebody", frozenset((name, AUTHENTICATED))) if kind == "group" else account(kind, name)


def wanted(name: str) -> dict:
    targets = [str(target) for target in each(bundle().environment(name).spec, "targets")]
    accounts = {item.name for item in bundle().of(name, "ServiceAccount") if item.namespace == "kre-responses"}
    return table(targets, sorted(accounts & set(RESPONSES)))


@pytest.mark.parametrize("name", NAMES)
def test_every_identity_may_exactly_what_the_table_says(name: str) -> None:
    places = {*PLACES, *each(bundle().environment(name).spec, "targets")}
    wrong = []
    for identity, rights in wanted(name).items():
        who = user(identity)
        for verb, (group, resource), place in product(VERBS, KINDS, sorted(places)):
            parent, _, sub = resource.partition("/")
            found = known(name).policy.allows(who, Question(verb, group, parent, sub, namespace=place))
            if found != ((verb, group, resource) in rights.get(place, frozenset())):
                wrong.append(f"{identity}: {verb} {resource} in {place or 'the cluster'}: {found}")
    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
def test_whatever_runs_is_in_the_table_or_holds_nothing_of_ours(name: str) -> None:
    for identity in identities(bundle(), known(name).resources):
        if f"{identity.namespace}:{identity.name}" not in wanted(name):
            assert ours(name, identity) == [], identity


@pytest.mark.parametrize("name", NAMES)
def test_no_identity_of_ours_has_a_right_everywhere(name: str) -> None:
    for identity in identities(bundle(), known(name).resources):
        assert [grant for grant in ours(name, identity) if not grant.namespace] == [], identity


@pytest.mark.parametrize("name", NAMES)
def test_every_object_is_one_that_the_api_server_takes(name: str) -> None:
    assert [(str(item), str(why)) for item, why in known(name).refused] == []


def ours(name: str, identity: Identity) -> list:
    """The grants of somebody that do not come with Kubernetes."""
    found = known(name).policy.grants(identity.user)
    return [grant for grant in found if any(step.resource is not None for step in grant.chain)]
