"""kre promote, as its user runs it."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.cli import Ended, kre
from support.promotion import HOWS, How, Stage, with_news
from support.writing import everything

VALUES = "base/falcosidekick/values.yaml"
RELEASE = "overlays/staging/release/falcosidekick/values.yaml"
LOCK = "overlays/staging/release.lock.yaml"
BRANCH = "promote/staging/falcosidekick"
ROLE = "base/responses/manifests/kre-delete-pod-clusterrole.yaml"
NEEDS = "base/responses/manifests/needs.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """staging and prod hold what dev held; dev has one change more."""
    return with_news(tmp_path_factory.mktemp("promote") / "stage", VALUES)


@pytest.fixture
def stage(made: Stage, tmp_path: Path) -> Stage:
    return made.twin(tmp_path / "stage")


def run(stage: Stage, *arguments: str, cwd: Path | None = None, **env: str) -> Ended:
    return kre("promote", *arguments, cwd=cwd or stage.folder, env={**stage.environ(), **env})


def test_from_dry_run_to_merge(stage: Stage) -> None:
    before = everything(stage.folder.parent)
    dry = run(stage, "dev", "staging", "falcosidekick", "--dry-run")
    assert (dry.code, dry.err) == (0, "")
    assert f"dev -> staging at {stage.head('main')[:12]}: {BRANCH}\n" in dry.out
    assert "falcosidekick  promote (falcosidekick 0.14.0, 1 file, 1 commit)" in dry.out
    assert "feat(falcosidekick): a word" in dry.out
    assert re.search("^risk: [a-z]+; it changes staging$", dry.out, re.MULTILINE)
    assert dry.out.endswith(f"would write {BRANCH}\n")
    assert everything(stage.folder.parent) == before

    done = run(stage, "dev", "staging", "falcosidekick", "--push", "origin")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-2:] == [
        f"wrote {BRANCH} at {stage.head(BRANCH)[:12]}, and pushed it",
        f"next: open a pull request for {BRANCH}, and merge it",
    ]
    again = run(stage, "dev", "staging", "falcosidekick", "--push", "origin")
    assert f"{BRANCH} is there already, as on the remote\n" in again.out
    start = stage.head("main")
    stage.merge(BRANCH, "squash")
    assert kre("validate", "--changed-since", start, cwd=stage.folder, env=stage.environ()).code == 0
    ended = run(stage, "dev", "staging")
    assert ended.code == 0
    assert ended.out.startswith(f"dev -> staging at {stage.head()[:12]}: nothing to do\n")


def test_both_hops_are_planned_and_the_first_is_written(stage: Stage) -> None:
    ended = run(stage, "dev", "prod")
    assert ended.code == 0
    assert "staging -> prod at" in ended.out
    assert "source-not-merged: staging does not have it yet: dev -> staging comes first" in ended.out
    assert {name for name in stage.refs() if "/promote/" in name} == {"refs/heads/promote/staging/all"}


@pytest.mark.parametrize("how", HOWS)
def test_soak_blocks_by_the_machines_clock(stage: Stage, how: How) -> None:
    run(stage, "dev", "staging", "--push", "origin")
    stage.now = datetime.now(UTC)
    stage.merge("promote/staging/all", how)
    before = everything(stage.folder.parent)
    ended = run(stage, "staging", "prod", "--push", "origin", SOURCE_DATE_EPOCH="4102444800", KRE_NOW="2100-01-01")
    assert ended.code == 4
    assert "soak: falcosidekick stands in staging since" in ended.out
    assert " of 1d\n" in ended.out
    assert everything(stage.folder.parent) == before


def test_drift_and_the_ways_out_of_it(stage: Stage) -> None:
    text = (stage.folder / RELEASE).read_text()
    stage.land({RELEASE: f"# by hand\n{text}"})
    before = everything(stage.folder.parent)
    ended = run(stage, "dev", "staging", "falcosidekick")
    assert ended.code == 4
    assert "falcosidekick  drifted" in ended.out
    assert "values.yaml, merged:\n" in ended.out
    assert "| # by hand\n" in ended.out
    assert "| # a word\n" in ended.out
    assert ended.err == (
        "kre: nothing goes from dev to staging: drift\n     docs/promote.md says of each reason what to do\n"
    )
    assert everything(stage.folder.parent) == before
    done = run(stage, "dev", "staging", "falcosidekick", "--merge")
    assert done.code == 0, done.err
    merged = stage.git("show", f"{BRANCH}:{RELEASE}")
    assert merged.startswith("# by hand\n")
    assert merged.endswith("# a word")
    kept = run(stage, "dev", "staging", "falcosidekick", "--accept-drift", "until June")
    assert kept.code == 0, kept.err
    assert "reason: until June" in stage.git("show", f"{BRANCH}:{LOCK}")


def test_a_conflict_shows_both_sides(stage: Stage) -> None:
    stage.land({RELEASE: (stage.folder / RELEASE).read_text() + "# another word\n"})
    ended = run(stage, "dev", "staging", "falcosidekick", "--merge")
    assert ended.code == 4
    shown = ended.out.partition("values.yaml, in conflict:\n")[2]
    assert shown.index("| # another word") < shown.index("| =======") < shown.index("| # a word")
    assert "conflict" in ended.err


def test_named_components_go_together_or_not_at_all(stage: Stage) -> None:
    hold = kre(
        "hold", "staging", "engine", "--reason", "not now", "--push", "origin", cwd=stage.folder, env=stage.environ()
    )
    assert hold.code == 0
    stage.merge("hold/staging/engine")
    stage.land(
        {
            "base/pipeline/manifests/kustomization.yaml": "# x\n"
            + _read(stage, "base/pipeline/manifests/kustomization.yaml")
        }
    )
    ended = run(stage, "dev", "staging", "falcosidekick", "pipeline")
    assert ended.code == 4
    assert "hold: pipeline is held by test@example.com: not now" in ended.out
    assert "was named together with pipeline, and that is blocked" in ended.out
    alone = run(stage, "dev", "staging")
    assert alone.code == 0
    changed = stage.git("diff", "--name-only", "main", "promote/staging/all").splitlines()
    assert changed == [LOCK, RELEASE]


def test_a_risk_is_taken_only_by_saying_so(stage: Stage) -> None:
    wider = {path: _read(stage, path).replace("[get, delete]", "[get, delete, list]") for path in (ROLE, NEEDS)}
    stage.land(wider)
    ended = run(stage, "dev", "staging", "responses")
    assert ended.code == 4
    assert "rbac-widened" in ended.out
    assert "risk: " in ended.out
    stage.land({".github/CODEOWNERS": "* @example/owners\n"})
    done = run(stage, "dev", "staging", "responses", "--accept-risks", "lists what it deletes", "--push", "origin")
    assert done.code == 0, done.out + done.err
    branch = next(name for name in stage.refs() if "/promote/staging/" in name).removeprefix("refs/heads/")
    assert "kind: rbac-widened" in stage.git("show", f"{branch}:{LOCK}")
    start = stage.head("main")
    stage.merge(branch)
    assert kre("validate", "--changed-since", start, cwd=stage.folder, env=stage.environ()).code == 0


def test_what_ci_reads(stage: Stage) -> None:
    plan, body = stage.folder.parent / "plan.json", stage.folder.parent / "body.md"
    options = ("--dry-run", "--plan-out", str(plan), "--pr-body", str(body))
    ended = run(stage, "dev", "prod", *options, "--format", "github")
    assert ended.code == 0
    lines = ended.out.splitlines()
    told = {line.partition("<<")[0]: lines[at + 1] for at, line in enumerate(lines) if "<<" in line}
    assert (told["target"], told["branch"], told["changed"]) == ("staging", "promote/staging/all", "true")
    assert told["title"] == "chore(staging): promote falcosidekick from dev"
    made = json.loads(plan.read_text())
    assert [hop["target"] for hop in made["hops"]] == ["staging", "prod"]
    assert made["hops"][0]["goes"] == ["falcosidekick"]
    assert body.read_text().startswith("## What\n")
    assert "## Rendered" in body.read_text()
    assert run(stage, "dev", "prod", "--dry-run", "--format", "markdown").out.startswith("## What\n")
    printed = json.loads(run(stage, "dev", "staging", "--format", "json").out)
    assert (printed["dryRun"], printed["written"]["branch"]) == (False, "promote/staging/all")
    assert run(stage, "dev", "staging", "--pr-body", "nowhere/body.md").code == 2


def test_without_kustomize_nothing_is_written(stage: Stage, tmp_path: Path) -> None:
    there = tmp_path / "bin"
    there.mkdir()
    for name in ("git", "ssh-keygen"):
        (there / name).symlink_to(str(shutil.which(name)))
    before = stage.refs()
    ended = run(stage, "dev", "staging", PATH=str(there), XDG_CACHE_HOME=str(tmp_path), HOME=str(tmp_path))
    assert (ended.code, ended.out) == (3, "")
    assert "kustomize" in ended.err
    assert len(ended.err.splitlines()) == 2
    assert stage.refs() == before


def test_a_component_that_is_gone_at_the_source(stage: Stage) -> None:
    names = [name for name in stage.files("main") if name.startswith("base/falcosidekick/")]
    listed = {f"overlays/{env}/kustomization.yaml": None for env in ("dev", "staging")}
    texts = {name: _without(_read(stage, name), "falcosidekick") for name in listed}
    stage.land({**dict.fromkeys(names), **texts})
    ended = run(stage, "dev", "staging", "falcosidekick")
    assert ended.code == 4
    assert "falcosidekick  removed" in ended.out
    assert "removal: dev has it no more; Argo CD prunes " in ended.out
    assert "Application" in ended.out
    done = run(stage, "dev", "staging", "falcosidekick", "--allow-delete", "--dry-run")
    assert "note: prunes " in done.out


def test_another_environment_that_reads_the_release_is_reached_as_well(stage: Stage) -> None:
    leaf = "overlays/prod/leaves/pipeline/kustomization.yaml"
    read = "configMapGenerator:\n- {name: x, files: [../../../staging/release/falcosidekick/values.yaml]}\n"
    stage.land({leaf: _read(stage, leaf) + read})
    ended = run(stage, "dev", "staging")
    assert ended.code == 4
    assert "R7: this change alters what staging renders, and prod reads its files as well" in ended.out
    assert "it changes staging, prod" in ended.out


def test_what_can_not_be(stage: Stage) -> None:
    for arguments, code, says in (
        (("staging", "dev"), 2, "no promotion leads from staging to dev"),
        (("dev", "nowhere"), 2, "there is no environment nowhere"),
        (("dev", "staging", "falcosidekik"), 2, "did you mean falcosidekick?"),
        (("dev", "staging", "--initial"), 2, "was filled before"),
        (("dev", "staging", "--source-ref", "nowhere"), 2, "there is no revision nowhere"),
        (("dev", "staging", "--push", "nowhere"), 2, "there is no remote nowhere"),
        (("dev", "staging", "--accept-drift", "two\nlines"), 2, "--accept-drift must be one line"),
        (("dev", "prod", "--hotfix", "now"), 4, "skips-environment"),
    ):
        ended = run(stage, *arguments)
        assert (ended.code, says in ended.err) == (code, True), (arguments, ended.err)
    assert not [name for name in stage.refs() if "/promote/" in name]


def test_from_a_worktree_with_changes_of_its_own(stage: Stage) -> None:
    stage.git("worktree", "add", "--quiet", "--detach", "../linked")
    linked = stage.folder.parent / "linked"
    (linked / "README.md").write_text("not committed\n")
    before = everything(linked)
    assert run(stage, "dev", "staging", cwd=linked / "base").code == 0
    assert everything(linked) == before
    (linked / VALUES).write_text("not: committed\n")
    assert run(stage, "dev", "staging", cwd=linked).code == 4


def test_in_a_shallow_clone(stage: Stage) -> None:
    shallow = stage.clone("shallow", "--depth=1")
    ended = run(stage, "dev", "staging", cwd=shallow)
    assert ended.code == 4
    assert "history-missing" in ended.err
    assert "git fetch --unshallow" in ended.out


def _read(stage: Stage, name: str) -> str:
    return (stage.folder / name).read_text()


def _without(text: str, word: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if word not in line)
