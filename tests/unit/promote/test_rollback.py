"""Rollback: every byte and mode of before, a hold, and nothing that the locks do not vouch for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kre.errors import Blocked, Exit, UsageError
from kre.model.promotion import Hold, Lock
from kre.promote import lockfile, present, rollback
from kre.promote.view import View
from kre.promote.writing import Outcome, deliver
from support.filling import changed, held, of, promote
from support.promotion import HOWS, How, Stage, small

HOLD = Hold("ann@example.com", "it loses alerts")
AT = datetime(2026, 1, 9, 12, 0, tzinfo=UTC)
LOCK = "overlays/staging/release.lock.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """staging has the second version of everything, and had the first."""
    made = held(tmp_path_factory.mktemp("made") / "stage")
    for component in ("falco", "falcosidekick"):
        made.edit(component)
    promote(made, "staging", "falco", "falcosidekick")
    return made


@pytest.fixture
def stage(made: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return made.twin(tmp_path / "stage").lend(monkeypatch)


def roll(folder: Path, component: str = "falco", at: datetime = AT, remote: str = "", **options) -> Outcome:
    view = View(folder)
    try:
        step = present.target(view, "staging")
        restored = rollback.restore(view, step, component, HOLD, at, **options)
        return deliver(folder, rollback.change(view, step, component, restored, HOLD, remote), remote)
    finally:
        view.close()


def lock_at(stage: Stage, rev: str) -> Lock:
    return lockfile.read(LOCK, stage.git("show", f"{rev}:{LOCK}").encode() + b"\n")


def test_a_unit_goes_back_with_its_bytes_and_a_hold(stage: Stage) -> None:
    first = stage.head("main~3")
    before, now = lock_at(stage, "main"), stage.files("main")
    assert roll(stage.folder).written.branch == "rollback/staging/falco"
    branch = "rollback/staging/falco"
    for component in ("falco", "falcosidekick"):
        folder = f"overlays/staging/release/{component}"
        assert stage.files(branch, folder) == stage.files(first, folder) != stage.files("main", folder)
        entry, replaced = lock_at(stage, branch).components[component], before.components[component]
        was = lock_at(stage, first).components[component]
        assert (entry.source, entry.origin, entry.digest) == (was.source, was.origin, was.digest)
        assert entry.digest == of(stage, branch, folder)
        assert entry.previous is not None
        assert (entry.previous.digest, entry.previous.source) == (replaced.digest, replaced.source)
        assert (entry.hold, entry.promoted) == (HOLD, AT)
        assert entry.gates == {"soak": "waived: rollback", "validate": "passed"}
    assert lock_at(stage, branch).components["pipeline"] == before.components["pipeline"]
    touched = {path for path, entry in stage.files(branch).items() if now.get(path) != entry}
    assert touched == {LOCK, *(f"overlays/staging/release/{name}/values.yaml" for name in ("falco", "falcosidekick"))}
    message = stage.git("show", "-s", "--format=%B", branch)
    assert message.startswith("revert(staging): roll back falco, falcosidekick\n\nit loses alerts\n\n")
    assert f"Rolled-Back-To: falco {stage.head('main~1')}" in message  # the last with these bytes


def test_one_component_alone(stage: Stage) -> None:
    roll(stage.folder, alone=True)
    there = lock_at(stage, "rollback/staging/falco").components
    assert (there["falco"].hold, there["falcosidekick"].hold) == (HOLD, None)
    folder = "overlays/staging/release/falcosidekick"
    assert stage.files("rollback/staging/falco", folder) == stage.files("main", folder)


def test_again_writes_and_pushes_nothing(stage: Stage) -> None:
    first = roll(stage.folder, remote="origin")
    assert (first.written.changed, first.remote) == (True, "pushed")
    again = roll(stage.folder, at=AT.replace(day=10), remote="origin")
    assert (again.written.commit, again.written.changed, again.remote) == (first.written.commit, False, "there")
    other = stage.clone("other")
    elsewhere = roll(other, at=AT.replace(day=11), remote="origin")
    assert (elsewhere.written.commit, elsewhere.remote) == (first.written.commit, "there")


def test_a_member_that_did_not_change_then_stays(stage: Stage) -> None:
    stage.edit("falco", "third: 1\n")
    promote(stage, "staging", "falco")
    roll(stage.folder)
    assert stage.git("diff", "--name-only", "main", "rollback/staging/falco").splitlines() == [
        LOCK,
        "overlays/staging/release/falco/values.yaml",
    ]
    assert lock_at(stage, "rollback/staging/falco").components["falcosidekick"].hold is None


def test_a_member_that_changed_twice_is_not_guessed(stage: Stage) -> None:
    stage.edit("falcosidekick", "third: 1\n")
    promote(stage, "staging", "falcosidekick")
    with pytest.raises(Blocked, match="falcosidekick in staging came by more than one promotion") as caught:
        roll(stage.folder)
    assert "--to " in caught.value.hint
    assert "--alone" in caught.value.hint
    assert roll(stage.folder, alone=True).written.changed


def test_to_a_commit(stage: Stage) -> None:
    first = stage.head("main~3")
    for text in ("third: 1\n", "fourth: 1\n"):
        stage.edit("falco", text)
        promote(stage, "staging", "falco")
    roll(stage.folder, to=first)
    folder = "overlays/staging/release/falco"
    assert stage.files("rollback/staging/falco", folder) == stage.files(first, folder)
    assert set(lock_at(stage, "rollback/staging/falco").components) == {"falco", "falcosidekick", "pipeline"}


def test_a_rollback_of_a_rollback_is_the_way_forward_again(stage: Stage) -> None:
    roll(stage.folder, remote="origin")
    second = stage.files("main", "overlays/staging/release")
    stage.merge("rollback/staging/falco")
    changed(stage, "staging", "falco", hold=None)  # a lifted hold is no version of its own
    roll(stage.folder)
    assert stage.files("rollback/staging/falco", "overlays/staging/release") == second


@pytest.mark.parametrize("how", HOWS)
def test_however_promotions_were_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: How) -> None:
    made = small(tmp_path / "stage")
    for name, value in made.environ().items():
        monkeypatch.setenv(name, value)
    promote(made, "staging", "falco")
    first = made.files("main", "overlays/staging/release/falco")
    made.edit("falco")
    start = made.head("main")
    promote(made, "staging", "falco")
    made.git("push", "--quiet", "--force", "origin", "main:promoted", f"{start}:main")
    made.git("reset", "--quiet", "--hard", start)
    made.edit("pipeline")  # main goes on meanwhile
    made.merge("promoted", how)
    roll(made.folder, alone=True)
    assert made.files("rollback/staging/falco", "overlays/staging/release/falco") == first


def test_nothing_to_go_back_to(stage: Stage) -> None:
    for component, says, hint in (
        ("pipeline", "since its first fill", "--to REV"),
        ("nothing", "staging has no component nothing", "there are: falco, falcosidekick, pipeline"),
    ):
        with pytest.raises(UsageError, match=says) as caught:
            roll(stage.folder, component)
        assert hint in caught.value.hint
    with pytest.raises(UsageError, match="falco in staging is what it was at"):
        roll(stage.folder, to="main")
    stage.branch("side", {"a": "1"})
    with pytest.raises(UsageError, match="was never what the default branch held"):
        roll(stage.folder, to="origin/side")
    with pytest.raises(UsageError, match="staging had no falco at"):
        roll(stage.folder, to="main~4")


def test_environments_that_are_not_promoted_into(stage: Stage) -> None:
    view = View(stage.folder)
    for name, says in (("dev", "dev runs base/ itself"), ("qa", "there is no environment qa")):
        with pytest.raises(UsageError, match=says):
            present.target(view, name)
    view.close()


@pytest.mark.parametrize("what", ["bytes then", "previous"])
def test_what_the_locks_do_not_vouch_for_is_not_restored(stage: Stage, what: str) -> None:
    if what == "previous":
        entry = lock_at(stage, "main").components["falco"]
        assert entry.previous is not None
        changed(stage, "staging", "falco", previous=None)
        with pytest.raises(UsageError, match="first fill"):
            roll(stage.folder)
        return
    stage.land({"overlays/staging/release/falco/values.yaml": "by hand: 1\n"})
    stage.edit("falco", "third: 1\n")
    promote(stage, "staging", "falco")
    before = stage.refs()
    with pytest.raises(Blocked, match="are not those that its lock named then") as caught:
        roll(stage.folder)
    assert caught.value.exit is Exit.BLOCKED
    assert stage.refs() == before


def test_a_shallow_clone_says_what_it_lacks(stage: Stage) -> None:
    shallow = stage.clone("shallow", "--depth=1")
    with pytest.raises(Blocked, match="lacks the history before") as caught:
        roll(shallow)
    assert "git fetch --unshallow" in caught.value.hint
    stage.git("fetch", "--quiet", "--unshallow", cwd=shallow)  # as it says
    assert roll(shallow).written.changed
