"""Whatever components hold: what was planned is written, what is written equals its source, a rollback undoes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kre.model.promotion import Hold, Hop, Locked
from kre.promote import hold, lockfile, present, rollback
from kre.promote.apply import apply
from kre.promote.check import Checked, settled
from kre.promote.gates import Gates
from kre.promote.hop import Wanted
from kre.promote.plan import plan
from kre.promote.view import View
from kre.promote.writing import deliver
from support.filling import of
from support.promotion import Stage, small

LOCK, RELEASE = "overlays/staging/release.lock.yaml", "overlays/staging/release/falco"
HOLD = Hold("ann@example.com", "it loses alerts")
AT = datetime(2026, 1, 9, 12, 0, tzinfo=UTC)
Files = Mapping[str, tuple[bytes, bool]]

names = st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3})?\.(yaml|sh)", fullmatch=True)
contents = st.dictionaries(names, st.tuples(st.binary(max_size=40), st.booleans()), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stage, list[int]]:
    """A stage, and how many versions it has had."""
    return small(tmp_path_factory.mktemp("property") / "stage", components=("falco",)), [0]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=contents, second=contents)
def test_promote_then_rollback(numbered: tuple[Stage, list[int]], first: Files, second: Files) -> None:
    stage, count = numbered
    with pytest.MonkeyPatch.context() as patch:
        stage.lend(patch)
        states = []
        for files in (first, second):
            count[0] += 1  # no two versions are alike
            change_base(stage, files, count[0])
            hop = promote(stage)
            agrees(stage, hop)
            merge(stage, hop.branch)
            states.append(stage.files("main", RELEASE))
        branch = roll_back(stage)
        assert stage.files(branch, RELEASE) == states[0] != states[1]
        assert of(stage, branch, RELEASE) == locked(stage, branch).digest
        merge(stage, branch)
        lift(stage)


def change_base(stage: Stage, files: Files, number: int) -> None:
    stage.git("rm", "-r", "--quiet", "base/falco")
    stage.write({f"base/falco/{path}": content for path, (content, _) in files.items()})
    stage.write({"base/falco/number": str(number)})
    for path, (_, executable) in files.items():
        (stage.folder / "base/falco" / path).chmod(0o755 if executable else 0o644)
    stage.land()


def promote(stage: Stage) -> Hop:
    """Plans and writes; nothing is rendered, for there is nothing to render."""
    view = View(stage.folder)
    try:
        first = not (stage.folder / LOCK).exists()
        wanted = Wanted(initial=first, allow_delete=True)
        hop = settled(plan(view, Gates(lambda: stage.now), "dev", "staging", wanted).hops[0], Checked((), ()))
        assert apply(view, hop).written.changed
    finally:
        view.close()
    return hop


def agrees(stage: Stage, hop: Hop) -> None:
    """What stands on the branch is what the plan says, and what base/ holds."""
    (planned,) = hop.goes
    held = {path.removeprefix(f"{RELEASE}/"): entry for path, entry in stage.files(hop.branch, RELEASE).items()}
    base = stage.files("main", "base/falco")
    assert held == {path.removeprefix("base/falco/"): entry for path, entry in base.items()}
    assert held == {file.path: f"{file.result.mode} {file.result.blob}" for file in planned.files if file.result}
    assert locked(stage, hop.branch) == planned.locked
    assert of(stage, hop.branch, RELEASE) == planned.digest
    before, after = stage.files("main"), stage.files(hop.branch)
    touched = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert touched == {LOCK} | {f"{RELEASE}/{file.path}" for file in planned.files if file.ours != file.result}


def locked(stage: Stage, rev: str) -> Locked:
    blob = stage.git("rev-parse", f"{rev}:{LOCK}")
    return lockfile.read(LOCK, stage.raw(blob)).components["falco"]


def merge(stage: Stage, branch: str) -> None:
    stage.git("merge", "--quiet", "--no-ff", "-m", f"Merge {branch}", branch)
    stage.git("push", "--quiet", "origin", "main")


def roll_back(stage: Stage) -> str:
    view = View(stage.folder)
    try:
        step = present.target(view, "staging")
        restored = rollback.restore(view, step, "falco", HOLD, AT)
        return deliver(stage.folder, rollback.change(view, step, "falco", restored, HOLD)).written.branch
    finally:
        view.close()


def lift(stage: Stage) -> None:
    """The way on is open again for the next example."""
    view = View(stage.folder)
    try:
        made = deliver(stage.folder, hold.unhold(view, present.target(view, "staging"), "falco"))
    finally:
        view.close()
    merge(stage, made.written.branch)
