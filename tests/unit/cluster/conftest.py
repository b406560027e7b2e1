"""A cluster that is well, for the small repository of the fixtures."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from kre.cluster.checks.run import run
from kre.cluster.result import Result
from kre.cluster.wanted import Wanted, wanted
from kre.load.bundle import load
from support.cluster import Double, well
from support.repository import Plan


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Wanted:
    """Its environment dev."""
    folder = Plan().build(tmp_path_factory.mktemp("repository") / "repository")
    bundle = load(folder, ["dev"])
    assert not bundle.problems
    return wanted(bundle, "dev")


@pytest.fixture
def double(rendered: Wanted) -> Double:
    return well(copy.deepcopy(rendered))


@pytest.fixture
def judge(rendered: Wanted, double: Double) -> Callable[[str], list[Result]]:
    """The results of a check by its name, of the double as it is then."""

    def results(name: str) -> list[Result]:
        return [one for one in run(double.snapshot(rendered)) if one.check == name]

    return results
