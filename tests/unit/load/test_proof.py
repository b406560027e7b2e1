"""R2 where there is a lock: every digest is recomputed, and what the lock says of the past is looked up."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kre.doors import git as door
from kre.load import layout
from kre.load.releases import foreign, locks
from kre.load.sources import Sources
from kre.model.bundle import Foreign
from kre.model.promotion import Accepted, Lock, Locked, Previous
from kre.promote import lockfile
from kre.promote.gates import Gates
from kre.promote.hop import Wanted
from kre.promote.plan import plan
from kre.promote.view import View
from support.promotion import Stage, filled, small

LOCK = "overlays/prod/release.lock.yaml"
FILE = "overlays/prod/release/pipeline/values.yaml"


def found(root: Path) -> tuple[Foreign, ...]:
    sources = Sources(root)
    environments = layout.environments(sources)
    known, unreadable = locks(sources, environments)
    return (*unreadable, *foreign(root, environments, known))


def told(root: Path) -> list[tuple[str, str]]:
    return [(each.path, each.why) for each in found(root)]


@pytest.fixture(scope="session")
def _walked(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Filled, then a change of pipeline that walked to prod."""
    stage = filled(small(tmp_path_factory.mktemp("walked")))
    stage.edit("pipeline", "a: 1\nb: 2\nc: 3\n")
    for hop in range(2):
        stage.forward(hours=48)
        promote(stage, *("dev", "staging") if hop == 0 else ("staging", "prod"))
    return stage


def promote(stage: Stage, source: str, target: str, **wanted) -> None:
    view = View(stage.folder)
    hop = plan(view, Gates(lambda: stage.now), source, target, Wanted(**wanted)).hops[0]
    view.close()
    assert hop.goes
    stage.bring(hop)


@pytest.fixture
def stage(tmp_path: Path, _walked: Stage) -> Stage:
    return _walked.twin(tmp_path / "stage")


def change(stage: Stage, made: Callable[[Locked], Locked], component: str = "pipeline") -> None:
    """Edits prod's lock by hand."""
    lock = lockfile.read(LOCK, (stage.folder / LOCK).read_bytes())
    entries = {**lock.components, component: made(lock.components[component])}
    stage.write({LOCK: lockfile.render(Lock("prod", entries))})


def test_what_was_promoted_is_proved(stage: Stage) -> None:
    assert found(stage.folder) == ()


def test_a_hand_edit(stage: Stage) -> None:
    stage.write({FILE: "by: hand\n"})
    assert told(stage.folder) == [(FILE, f"its bytes or mode are not those that {LOCK} names")]
    stage.land()
    assert [path for path, _ in told(stage.folder)] == [FILE]


def test_a_hand_edit_to_bytes_that_base_once_held(stage: Stage) -> None:
    """No lock names them now."""
    stage.write({FILE: stage.raw(stage.git("rev-list", "--max-parents=0", "HEAD") + ":base/pipeline/values.yaml")})
    assert [path for path, _ in told(stage.folder)] == [FILE]


@pytest.mark.parametrize("name", ["new.yaml", ".hidden/new.yaml", "__pycache__/new.pyc"])
def test_a_new_file(stage: Stage, name: str) -> None:
    stage.write({f"overlays/prod/release/pipeline/{name}": "a: 1\n"})
    assert [path for path, _ in told(stage.folder)] == [f"overlays/prod/release/pipeline/{name}"]


def test_a_file_that_git_ignores(stage: Stage) -> None:
    stage.write({".gitignore": "*.swp\n", f"{FILE}.swp": "x"})
    assert found(stage.folder) == ()


def test_a_file_that_is_gone(stage: Stage) -> None:
    stage.write({FILE: None})
    assert [path for path, _ in told(stage.folder)] == [FILE]


def test_modes_are_those_of_the_index(stage: Stage) -> None:
    stage.git("config", "core.fileMode", "false")
    (stage.folder / FILE).chmod(0o755)
    assert found(stage.folder) == ()
    before = door.modes(stage.folder, "overlays")
    stage.git("update-index", "--chmod=+x", FILE)
    assert [path for path, _ in told(stage.folder)] == [FILE]
    assert door.modes(stage.folder, "overlays") != before


def test_a_link(stage: Stage) -> None:
    (stage.folder / FILE).unlink()
    (stage.folder / FILE).symlink_to("kustomization.yaml")
    (stage.folder / "overlays/prod/release/falco/up").symlink_to("..")
    links = [path for path, why in told(stage.folder) if "a link" in why]
    assert links == ["overlays/prod/release/falco/up", FILE]


def test_components_without_an_entry_and_entries_without_a_component(stage: Stage) -> None:
    stage.write({"overlays/prod/release/extra/values.yaml": "a: 1\n"})
    assert ("overlays/prod/release/extra", f"{LOCK} says nothing of extra") in told(stage.folder)
    shutil.rmtree(stage.folder / "overlays/prod/release/falco")
    assert (LOCK, "falco: overlays/prod/release/falco is not there") in told(stage.folder)


def test_line_endings_are_not_touched(stage: Stage) -> None:
    stage.git("config", "core.autocrlf", "true")
    stage.git("rm", "-r", "--quiet", "--cached", ".")
    stage.git("reset", "--quiet", "--hard")
    assert found(stage.folder) == ()


ZERO = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda e: replace(e, digest=ZERO), "its digest is not the one"),
        (lambda e: replace(e, source=replace(e.source, digest=ZERO)), "had another digest at"),
        (lambda e: replace(e, source=replace(e.source, commit="1" * 40)), "there is no commit 111111111111"),
        (lambda e: replace(e, source=replace(e.source, path="overlays/staging/release/falco")), "is not pipeline of"),
        (lambda e: replace(e, origin="1" * 40), "is not part of this branch's past"),
        (lambda e: replace(e, environment="dev"), "is promoted from staging, and no hotfix is stated"),
        (lambda e: replace(e, accepted=(Accepted("x.yaml", "", "why"),)), "this is not how the files differ"),
        (lambda e: replace(e, previous=None), None),  # compared with what is merged into, by another rule
        (lambda e: replace(e, previous=replace(e.previous, digest=ZERO)), "no lock of the past had this entry"),
        (lambda e: replace(e, previous=Previous(e.digest, e.source, "2" * 40)), "no lock of the past had this entry"),
    ],
)
def test_a_lock_edited_by_hand(stage: Stage, made, why: str | None) -> None:
    change(stage, made)
    reasons = [why for _, why in told(stage.folder)]
    assert any(why in reason for reason in reasons) if why else reasons == []


def test_an_edit_with_a_lock_to_match(stage: Stage) -> None:
    """The digest is right, and what it is said to come from is not."""
    stage.write({FILE: "by: hand\n"})
    view = View(stage.folder)
    stage.land()
    other = View(stage.folder)
    digest = other.digest(other.entries(other.step("prod"), "pipeline"))
    view.close()
    other.close()
    change(stage, lambda e: replace(e, digest=digest))
    assert told(stage.folder) == [(LOCK, "pipeline: this is not how the files differ from their source")]
    change(stage, lambda e: replace(e, source=replace(e.source, path="overlays/prod/release/pipeline", digest=digest)))
    assert any("this is not pipeline of staging" in why for _, why in told(stage.folder))


def test_the_sources_lock_must_have_named_it(stage: Stage) -> None:
    """staging's bytes before its lock named them: a commit that only a branch had."""
    first = stage.git("rev-list", "--max-parents=0", "HEAD")
    change(stage, lambda e: replace(e, origin=first))
    assert any("did not name these bytes and their origin" in why for _, why in told(stage.folder))


def test_accepted_explains_exactly_the_difference(stage: Stage) -> None:
    stage.land({FILE: "a: 1\nb: 2\nc: 4\n"})
    promote(stage, "staging", "prod", accept_drift="four here")
    assert found(stage.folder) == ()
    change(stage, lambda e: replace(e, accepted=()))
    assert [why for _, why in told(stage.folder)] == ["pipeline: this is not how the files differ from their source"]
    stage.git("checkout", "--quiet", LOCK)
    stage.write({FILE: "a: 1\nb: 2\nc: 5\n"})
    assert [path for path, _ in told(stage.folder)] == [FILE]
    stage.git("checkout", "--quiet", FILE)
    stage.write({FILE: "a: 1\nb: 2\nc: 3\n"})  # as the source has it: but the lock says otherwise
    assert [path for path, _ in told(stage.folder)] == [FILE]


def test_a_shallow_clone_says_what_mends_it(stage: Stage) -> None:
    shallow = stage.clone("shallow", "--depth=1")
    whys = [why for _, why in told(shallow)]
    assert whys
    assert all("git fetch --unshallow" in why for why in whys)
    stage.git("fetch", "--quiet", "--unshallow", cwd=shallow)
    assert found(shallow) == ()


def test_without_git_the_bytes_are_held_against_the_lock(stage: Stage, tmp_path: Path) -> None:
    shutil.copytree(stage.folder, tmp_path / "plain", ignore=shutil.ignore_patterns(".git"))
    assert found(tmp_path / "plain") == ()
    (tmp_path / "plain" / FILE).write_text("by: hand\n")
    assert [path for path, _ in told(tmp_path / "plain")] == ["overlays/prod/release/pipeline"]


def test_a_lock_that_can_not_be_read_proves_nothing(stage: Stage) -> None:
    stage.write({LOCK: "version: 1\nenvironment: prod\ncomponents: {falco: {}}\n"})
    assert any("nothing proves this release" in why for _, why in told(stage.folder))


def test_the_lock_of_another_environment(stage: Stage) -> None:
    text = (stage.folder / LOCK).read_text()
    stage.write({LOCK: text.replace("environment: prod", "environment: staging", 1)})
    assert ("this is the lock of staging") in [why for _, why in told(stage.folder)]
