"""Apply: what the plan says is what is written, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from kre.errors import Blocked
from kre.model.promotion import Hop, State
from kre.promote import apply as applying
from kre.promote import lockfile
from kre.promote.check import Checked, settled
from kre.promote.gates import Gates
from kre.promote.hop import Wanted
from kre.promote.plan import plan
from kre.promote.view import View
from kre.promote.writing import Outcome
from support.filling import held, of, promote
from support.promotion import Stage
from support.writing import user

LOCK = "overlays/staging/release.lock.yaml"
RELEASE = "overlays/staging/release"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return held(tmp_path_factory.mktemp("made") / "stage")


@pytest.fixture
def stage(made: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return made.twin(tmp_path / "stage").lend(monkeypatch)


def go(
    stage: Stage, *names: str, folder: Path | None = None, at: datetime | None = None, remote: str = "", **wanted
) -> tuple[Hop, Outcome]:
    """Plans dev -> staging, and applies that; nothing is rendered, for there is nothing to render."""
    view = View(folder or stage.folder)
    try:
        hop = plan(view, Gates(lambda: at or stage.now), "dev", "staging", Wanted(names, **wanted)).hops[0]
        hop = settled(hop, Checked((), ()))
        return hop, applying.apply(view, hop, remote)
    finally:
        view.close()


def test_plan_and_apply_agree(stage: Stage) -> None:
    stage.edit("falco")
    stage.edit("pipeline", "new: 1\n", "more.yaml")
    before = stage.files("main")
    hop, outcome = go(stage)
    assert outcome.written.branch == hop.branch == "promote/staging/all"
    assert [each.name for each in hop.goes] == ["falco", "pipeline"]
    after = stage.files(hop.branch)
    lock = lockfile.read(LOCK, stage.git("show", f"{hop.branch}:{LOCK}").encode() + b"\n").components
    for each in hop.goes:
        assert lock[each.name] == each.locked
        assert lock[each.name].digest == of(stage, hop.branch, f"{RELEASE}/{each.name}")
        base, release = (stage.files(hop.branch, f"{top}/{each.name}") for top in ("base", RELEASE))
        assert [*release.values()] == [*base.values()]
    touched = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert touched == {LOCK, f"{RELEASE}/falco/values.yaml", f"{RELEASE}/pipeline/more.yaml"}


def test_again_is_no_second_commit_however_late_and_wherever(stage: Stage) -> None:
    stage.edit("falco")
    _, first = go(stage, remote="origin")
    assert (first.written.changed, first.remote) == (True, "pushed")
    stage.forward(hours=5)
    stage.land({"unrelated": "1"})  # the source is read at a later commit now
    before = user(stage.folder), user(stage.remote)
    _, again = go(stage, remote="origin")
    assert (again.written.changed, again.remote) == (False, "there")
    assert (user(stage.folder), user(stage.remote)) == before
    other = stage.clone("other")
    _, elsewhere = go(stage, folder=other, remote="origin")
    assert (elsewhere.written.commit, elsewhere.remote) == (first.written.commit, "there")


def test_a_later_change_updates_the_branch(stage: Stage) -> None:
    stage.edit("falco")
    _, first = go(stage, remote="origin")
    stage.edit("falco", "again: 1\n")
    _, second = go(stage, remote="origin")
    assert second.written.changed
    assert second.remote == "pushed"
    assert stage.git("rev-list", "--count", "main..promote/staging/all") == "1"
    assert (
        stage.refs(cwd=stage.remote)["refs/heads/promote/staging/all"] == second.written.commit != first.written.commit
    )


def test_both_sides_kept_where_they_merge(stage: Stage) -> None:
    lines = [f"line{number}: 1\n" for number in range(9)]
    stage.land({"base/falco/values.yaml": "".join(lines)})
    promote(stage, "staging", "falco")
    stage.land({f"{RELEASE}/falco/values.yaml": "".join(["ours: 1\n", *lines[1:]])})
    (stage.folder / "base/falco/values.yaml").chmod(0o755)
    stage.land({"base/falco/values.yaml": "".join([*lines[:-1], "theirs: 1\n"])})
    hop, _ = go(stage, "falco", merge=True)
    merged = "".join(["ours: 1\n", *lines[1:-1], "theirs: 1\n"])
    assert stage.git("show", f"{hop.branch}:{RELEASE}/falco/values.yaml") == merged.strip()
    assert stage.files(hop.branch)[f"{RELEASE}/falco/values.yaml"].startswith("100755 ")
    (each,) = [each for each in hop.goes if each.name == "falco"]
    assert each.locked is not None
    assert each.locked.digest == of(stage, hop.branch, f"{RELEASE}/falco") != each.locked.source.digest
    assert "Deviations accepted:\n- falco/values.yaml: " in stage.git("show", "-s", "--format=%B", hop.branch)


def test_what_is_gone_goes_with_its_entry(stage: Stage) -> None:
    stage.git("rm", "-r", "--quiet", "base/pipeline")
    unlisted = (stage.folder / "overlays/staging/kustomization.yaml").read_text().replace("- release/pipeline\n", "")
    stage.land({"overlays/staging/kustomization.yaml": unlisted})
    hop, _ = go(stage, allow_delete=True)
    assert [(each.name, each.state) for each in hop.goes] == [("pipeline", State.REMOVED)]
    assert stage.files(hop.branch, f"{RELEASE}/pipeline") == {}
    lock = lockfile.read(LOCK, stage.git("show", f"{hop.branch}:{LOCK}").encode() + b"\n").components
    assert set(lock) == {"falco", "falcosidekick"}
    assert "Removed: pipeline" in stage.git("show", "-s", "--format=%B", hop.branch)


def test_the_message(stage: Stage) -> None:
    commit = stage.edit("pipeline")
    hop, _ = go(stage, "pipeline")
    assert hop.branch == "promote/staging/pipeline"
    lines = stage.git("show", "-s", "--format=%B", hop.branch).splitlines()
    assert lines[0] == "feat(staging): promote pipeline from dev"
    assert f"- {commit[:12]} feat(pipeline): change" in lines
    (each,) = hop.goes
    assert each.locked is not None
    assert lines[-4:-1] == [
        "Promoted-From: dev",
        f"Promoted-Commit: pipeline {commit}",
        f"Promoted-Digest: pipeline {each.locked.digest}",
    ]
    trailers = stage.git("show", "-s", "--format=%(trailers:only,unfold)", hop.branch).splitlines()
    assert [line.split(":")[0] for line in trailers] == [
        "Promoted-From",
        "Promoted-Commit",
        "Promoted-Digest",
        "Kre-Seal",
    ]


@pytest.mark.parametrize("why", ["nothing goes", "a gate is pending"])
def test_what_nobody_judged_is_not_written(stage: Stage, why: str) -> None:
    if why != "nothing goes":
        stage.edit("falco")
    before = stage.refs()
    view = View(stage.folder)
    hop = plan(view, Gates(lambda: stage.now), "dev", "staging").hops[0]
    with pytest.raises(ValueError, match=why):
        applying.apply(view, hop)
    view.close()
    assert stage.refs() == before


def test_neighbours_do_not_get_into_each_others_way(stage: Stage) -> None:
    """Two components promoted at the same time, merged one after the other."""
    stage.edit("falco")
    stage.edit("pipeline")
    for name in ("falco", "pipeline"):
        go(stage, name, remote="origin")
    branches = [name for name in stage.refs(cwd=stage.remote) if "promote/" in name]
    assert len(branches) == 2
    for name in branches:
        stage.merge(name.removeprefix("refs/heads/"))
    view = View(stage.folder)
    assert all(
        each.state is State.IN_SYNC
        for each in plan(view, Gates(lambda: stage.now), "dev", "staging").hops[0].components
    )
    view.close()


@pytest.mark.parametrize("change", [lambda text: text, lambda text: text.replace("a", "b")], ids=["valid", "spoilt"])
def test_a_branch_that_a_person_changed_is_theirs(stage: Stage, change: Callable[[str], str]) -> None:
    stage.edit("falco")
    hop, _ = go(stage)
    stage.git("checkout", "--quiet", hop.branch)
    stage.commit({LOCK: change((stage.folder / LOCK).read_text()) + "# mine\n"}, "fix: by hand")
    stage.git("checkout", "--quiet", "main")
    stage.edit("falco", "again: 1\n")
    with pytest.raises(Blocked, match="which kre did not write"):
        go(stage)
