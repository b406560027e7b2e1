"""Stages to plan on, made once and copied for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kre.model.promotion import ComponentPlan, Hop, Plan
from kre.promote.gates import Gates
from kre.promote.hop import Wanted
from kre.promote.plan import plan
from kre.promote.view import View
from support.promotion import Stage, filled, small


class Planner:
    """Plans on a stage, at its time: each time with a view of its own."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._views: list[View] = []

    def view(self, source_ref: str = "", folder: Path | None = None) -> View:
        made = View(folder or self.stage.folder, source_ref)
        self._views.append(made)
        return made

    def plan(
        self,
        source: str = "staging",
        target: str = "prod",
        *names: str,
        source_ref: str = "",
        folder: Path | None = None,
        at: datetime | None = None,
        **wanted: Any,
    ) -> Plan:
        view = self.view(source_ref, folder)
        return plan(view, Gates(lambda: at or self.stage.now), source, target, Wanted(names, **wanted))

    def hop(self, *arguments: str, **options: Any) -> Hop:
        """The only hop."""
        (hop,) = self.plan(*arguments, **options).hops
        return hop

    def one(self, name: str, *arguments: str, **options: Any) -> ComponentPlan:
        """A component in the only hop."""
        return next(each for each in self.hop(*arguments, **options).components if each.name == name)

    def close(self) -> None:
        for view in self._views:
            view.close()


@pytest.fixture(scope="session")
def _empty(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return small(tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="session")
def _filled(tmp_path_factory: pytest.TempPathFactory, _empty: Stage) -> Stage:
    return filled(_empty.twin(tmp_path_factory.mktemp("filled")))


@pytest.fixture
def empty(tmp_path: Path, _empty: Stage) -> Stage:
    """Nothing was promoted yet."""
    return _empty.twin(tmp_path / "stage")


@pytest.fixture
def stage(tmp_path: Path, _filled: Stage) -> Stage:
    """staging and prod hold what dev holds."""
    return _filled.twin(tmp_path / "stage")


@pytest.fixture
def planner() -> Iterator[Callable[[Stage], Planner]]:
    made: list[Planner] = []

    def make(stage: Stage) -> Planner:
        made.append(Planner(stage))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def at(stage: Stage, planner: Callable[[Stage], Planner]) -> Planner:
    """Plans on `stage`."""
    return planner(stage)
