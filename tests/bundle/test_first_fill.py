"""This repository's own staging and prod, filled by `kre promote --initial`: what the maintainers run on main."""

from __future__ import annotations

from pathlib import Path

import pytest

from kre.load.policy import read
from kre.model.policy import Step
from kre.promote import lockfile
from support.cli import Ended, kre
from support.promoted import promoted
from support.promotion import HOWS, Content, Stage, stage
from support.repository import PROJECT

STEPS = [step for step in read((PROJECT / "overlays/environments.yaml").read_bytes()).steps if step.source]


def files() -> dict[str, Content]:
    """The bundle as it is here, before any lock, with releases that are what base/ is."""
    root = promoted()
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return stage(tmp_path_factory.mktemp("bundle") / "stage", files())


def run(made: Stage, *arguments: str) -> Ended:
    return kre(*arguments, cwd=made.folder, env=made.environ())


def test_the_environments_are_filled_in_turn_and_proved(copy: Stage) -> None:
    assert run(copy, "validate").code == 0
    first = copy.head("main")
    for step, how in zip(STEPS, HOWS, strict=False):
        done = run(copy, "promote", str(step.source), step.name, "--initial", "--push", "origin")
        assert done.code == 0, done.out + done.err
        before = copy.head("main")
        copy.merge(f"promote/{step.name}/all", how)
        proved = run(copy, "validate", "--changed-since", before)
        assert proved.code == 0, proved.out
        lock = lockfile.read(step.lock, (copy.folder / step.lock).read_bytes())
        assert set(lock.components) == {path.name for path in (copy.folder / "base").iterdir()}
        for entry in lock.components.values():
            assert entry.origin == first  # on main, whatever becomes of branches
            passed = {gate for gate, told in entry.gates.items() if told == "passed"}
            assert passed <= {"validate", "policy"}
            assert set(entry.gates.values()) <= {"passed", "waived: initial"}
    assert run(copy, "validate").code == 0
    again = run(copy, "promote", str(STEPS[0].source), STEPS[-1].name)
    assert again.code == 0
    assert again.out.count("nothing to do") == len(STEPS)


def test_a_hand_edit_after_it_is_found(copy: Stage, tmp_path: Path) -> None:
    twin = copy.twin(tmp_path / "stage")
    step = STEPS[0]
    if not (twin.folder / step.lock).exists():
        run(twin, "promote", str(step.source), step.name, "--initial", "--push", "origin")
        twin.merge(f"promote/{step.name}/all")
    path = next(path for path in sorted((twin.folder / step.release).rglob("values.yaml")))
    path.write_text(path.read_text() + "# by hand\n")
    ended = run(twin, "validate")
    assert ended.code == 1
    assert "R2" in ended.out
    assert path.relative_to(twin.folder).as_posix() in ended.out


@pytest.mark.parametrize("step", STEPS, ids=[step.name for step in STEPS])
def test_a_lock_that_is_here_passes_no_gate_that_did_not_run(step: Step) -> None:
    path = PROJECT / step.lock
    if not path.exists():
        pytest.skip("not filled yet")
    for entry in lockfile.read(step.lock, path.read_bytes()).components.values():
        if entry.previous is None:
            assert {gate for gate, told in entry.gates.items() if told == "passed"} <= {"validate", "policy"}
