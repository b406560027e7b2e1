"""Holds: in the lock, on a branch of their own, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kre.errors import UsageError
from kre.model.promotion import Hold, Reason
from kre.promote import hold, lockfile, present
from kre.promote.gates import Gates
from kre.promote.plan import plan
from kre.promote.view import View
from kre.promote.writing import deliver
from support.filling import held
from support.promotion import Stage

LOCK = "overlays/staging/release.lock.yaml"
GIVEN = Hold("ann@example.com", "kernel upgrade", datetime(2026, 2, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return held(tmp_path_factory.mktemp("made") / "stage")


@pytest.fixture
def stage(made: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return made.twin(tmp_path / "stage").lend(monkeypatch)


@pytest.fixture
def view(stage: Stage) -> Iterator[View]:
    made = View(stage.folder)
    yield made
    made.close()


def holds(stage: Stage, rev: str) -> dict[str, Hold | None]:
    lock = lockfile.read(LOCK, stage.git("show", f"{rev}:{LOCK}").encode() + b"\n")
    return {name: entry.hold for name, entry in lock.components.items()}


@pytest.mark.parametrize("name", ["detection", "falco"])
def test_a_unit_is_held_whole_and_lifted_to_the_byte(stage: Stage, view: View, name: str) -> None:
    before = stage.files("main")
    step = present.target(view, "staging")
    made = deliver(stage.folder, hold.hold(view, step, name, GIVEN), "origin")
    assert made.written.branch == "hold/staging/detection"
    assert holds(stage, made.written.branch) == {"falco": GIVEN, "falcosidekick": GIVEN, "pipeline": None}
    assert not deliver(stage.folder, hold.hold(view, step, name, GIVEN), "origin").written.changed
    stage.merge(made.written.branch)

    later = View(stage.folder)
    stage.edit("falco")
    stage.edit("pipeline")
    fresh = View(stage.folder)
    hop = plan(fresh, Gates(lambda: stage.now), "dev", "staging").hops[0]
    assert [each.name for each in hop.goes] == ["pipeline"]
    assert Reason.HOLD in {block.reason for each in hop.components for block in each.blocks}
    with pytest.raises(UsageError, match="detection is held in staging already"):
        hold.hold(later, step, name, GIVEN)
    lifted = deliver(stage.folder, hold.unhold(later, step, name))
    assert lifted.written.branch == "hold/staging/detection"
    assert stage.files(lifted.written.branch) == before
    assert "It was held by ann@example.com: kernel upgrade" in stage.git(
        "show", "-s", "--format=%B", lifted.written.commit
    )
    later.close()
    fresh.close()


def test_what_can_not_be_held_or_lifted(stage: Stage, view: View) -> None:
    step = present.target(view, "staging")
    with pytest.raises(UsageError, match="detection is not held in staging"):
        hold.unhold(view, step, "falco")
    with pytest.raises(UsageError, match="staging has no component nothing") as caught:
        hold.hold(view, step, "nothing", GIVEN)
    assert caught.value.hint == "there are: falco, falcosidekick, pipeline"
    with pytest.raises(UsageError, match="prod has no component falco") as caught:
        hold.hold(view, present.target(view, "prod"), "falco", GIVEN)
    assert caught.value.hint == "nothing was promoted there yet"
