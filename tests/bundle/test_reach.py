"""Of this repository: whose pods can be deleted, by whom; who reaches what is worth most; and how long that takes."""

from __future__ import annotations

import time
from functools import cache

import pytest

from kre.load.bundle import load
from kre.load.layout import environments
from kre.load.sources import Sources
from kre.model.bundle import Bundle
from kre.model.resource import each
from kre.rbac.environment import World, world
from kre.rbac.reach.ground import Ground, ground
from kre.rbac.reach.model import ENGINE
from kre.rbac.reach.survey import Survey, survey
from support.repository import PROJECT

NAMES = [environment.name for environment in environments(Sources(PROJECT))]
DELETERS = {"ServiceAccount kre-responses/delete-pod", "ServiceAccount kre-responses/contain-pod"}
CONTROLLERS = {
    "ServiceAccount argo-events/argo-events-controller-manager",
    "ServiceAccount argo-workflows/argo-workflows-workflow-controller",
}


@cache
def bundle() -> Bundle:
    return load(PROJECT)


@cache
def known(name: str) -> tuple[World, Ground, Survey]:
    found = world(bundle(), name)
    stands = ground(bundle(), found.resources)
    return found, stands, survey(found.policy, stands)


@pytest.mark.parametrize("name", NAMES)
def test_pods_are_deleted_in_targets_by_responders_and_workflow_pods_by_their_controller(name: str) -> None:
    targets = {str(target) for target in each(bundle().environment(name).spec, "targets")}
    found = {space: {str(one.who) for one in some} for space, some in known(name)[2].deletes.items()}
    controller = found.pop("kre-responses")
    assert controller == {"ServiceAccount argo-workflows/argo-workflows-workflow-controller"}
    assert set(found) == targets  # nowhere else, and not everywhere
    assert all(some <= DELETERS for some in found.values())


@pytest.mark.parametrize("name", NAMES)
def test_nobody_but_the_controllers_reaches_anything_of_worth(name: str) -> None:
    found = {(str(chain.start), chain.end.sink) for chain in known(name)[2].chains}
    assert found == {(who, ENGINE) for who in CONTROLLERS}


@pytest.mark.parametrize("name", NAMES)
def test_the_dispatcher_starts_what_templates_name_and_nothing_else(name: str) -> None:
    _, stands, found = known(name)
    (leads,) = [one for one in found.hops if str(one.start.who).endswith("/dispatcher") and one.edge.about[1]] or [None]
    if leads is not None:  # an environment without responses has nobody to become
        assert leads.edge.limit == "Strict: only as whom templates name"
        assert {(node.who.namespace, node.who.name) for node in leads.to} <= stands.named
        assert "kre-engine-workflows" in leads.edge.walls


def test_it_takes_well_under_half_a_second() -> None:
    worlds = [(name, world(bundle(), name)) for name in NAMES]
    start = time.process_time()
    for _, found in worlds:
        survey(found.policy, ground(bundle(), found.resources))
    assert time.process_time() - start < 0.5
