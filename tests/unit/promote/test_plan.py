"""The plan of a hop: states, order, branches, and that nothing is touched."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kre.errors import UsageError
from kre.model.promotion import Block, ComponentPlan, Lock, Reason, State
from kre.promote import lockfile
from kre.promote.plan import checked
from support.promotion import HOWS, How, Stage

SOAKED = {"hours": 48}


def reasons(component: ComponentPlan) -> list[Reason]:
    return [block.reason for block in component.blocks]


def everything(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file, .git's own among them: mode, time of the last change, bytes."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() or path.is_symlink()]
    return {str(path): ((st := os.lstat(path)).st_mode, st.st_mtime_ns, path.read_bytes()) for path in paths}


def test_planning_touches_nothing(stage: Stage, at) -> None:
    stage.edit("falco")
    stage.write({"base/pipeline/values.yaml": "dirty: true\n", "new": "untracked"})
    os.utime(stage.folder / "base/falco/values.yaml")  # the index is stale: a refresh would write it
    before = everything(stage.folder.parent)
    at.plan("dev", "prod", merge=True)
    assert everything(stage.folder.parent) == before


def test_all_in_sync(at) -> None:
    hops = at.plan("dev", "prod").hops
    assert [(hop.source, hop.target, hop.met) for hop in hops] == [("dev", "staging", True), ("staging", "prod", True)]
    assert {each.state for hop in hops for each in hop.components} == {State.IN_SYNC}
    assert not any(hop.goes for hop in hops)


@pytest.mark.parametrize("how", HOWS)
def test_a_change_walks_from_base_to_prod(stage: Stage, at, how: How) -> None:
    stage.branch("feature", {"base/pipeline/values.yaml": "replicas: 2\n"}, "feat: two")
    origin = stage.merge("feature", how)
    first, second = at.plan("dev", "prod").hops
    (made,) = first.goes
    assert (made.name, made.state) == ("pipeline", State.PROMOTE)
    assert made.locked is not None
    assert (made.locked.origin, made.locked.source.commit, made.locked.source.path) == (origin, origin, "base/pipeline")
    assert made.locked.source.digest == made.locked.digest == made.digest
    assert "feat: two" in [commit.subject for commit in made.commits] or how == "squash"
    assert [block.reason for block in second.blocks] == [Reason.SOURCE_NOT_MERGED]
    assert first.base == stage.head()

    stage.bring(first, how)
    stage.forward(**SOAKED)
    first, second = at.plan("dev", "prod").hops
    assert first.met
    (made,) = second.goes
    assert made.locked is not None
    assert made.locked.origin == origin
    assert made.locked.environment == "staging"
    assert made.locked.previous is not None
    assert made.before is not None
    assert made.locked.previous.digest == made.before.digest

    stage.bring(second, how)
    assert all(hop.met for hop in at.plan("dev", "prod").hops)
    copies = [stage.files("HEAD", f"overlays/{env}/release") for env in ("staging", "prod")]
    base = {path.removeprefix("base/"): entry for path, entry in stage.files("HEAD", "base").items()}
    for env, files in zip(("staging", "prod"), copies, strict=True):
        assert {path.removeprefix(f"overlays/{env}/release/"): entry for path, entry in files.items()} == base


def test_the_same_repository_gives_the_same_plan(stage: Stage, at) -> None:
    stage.edit("falco")
    assert at.plan("dev", "prod") == at.plan("dev", "prod")


def test_an_executable_stays_one(stage: Stage, at) -> None:
    (stage.folder / "base/pipeline/values.yaml").chmod(0o755)
    stage.git("update-index", "--add", "--chmod=+x", "base/pipeline/values.yaml")
    stage.git("commit", "--quiet", "-m", "test: mode alone")
    stage.git("push", "--quiet", "origin", "main")
    made = at.hop("dev", "staging").goes[0]
    (changed,) = [file for file in made.files if file.result != file.ours]
    assert changed.result is not None
    assert (changed.path, changed.result.mode) == ("values.yaml", "100755")


# ---- what goes together, and how the branch is called


def test_branches(stage: Stage, at) -> None:
    stage.edit("falco")
    assert at.hop("dev", "staging").branch == "promote/staging/all"
    assert at.hop("dev", "staging", "pipeline").branch == "promote/staging/pipeline"
    one = at.hop("dev", "staging", "falco").branch
    assert one.startswith("promote/staging/")
    assert len(one.rpartition("/")[2]) == 12
    assert at.hop("dev", "staging", "falcosidekick", "falco").branch == one
    assert at.hop("dev", "staging", "pipeline", "falco").branch != one


def test_a_component_brings_its_unit(stage: Stage, at) -> None:
    stage.edit("falcosidekick")
    hop = at.hop("dev", "staging", "falco")
    assert [(each.name, each.unit) for each in hop.components] == [
        ("falco", "detection"),
        ("falcosidekick", "detection"),
    ]


def test_a_unit_waits_for_its_blocked_member(stage: Stage, at) -> None:
    stage.edit("falco")
    stage.land({"base/falcosidekick/environment.yaml": "x: 1\n"})
    stage.edit("pipeline")
    hop = at.hop("dev", "staging")
    assert [(each.name, each.state, reasons(each)) for each in hop.components] == [
        ("falco", State.BLOCKED, [Reason.UNIT]),
        ("falcosidekick", State.BLOCKED, [Reason.FORBIDDEN_PATH]),
        ("pipeline", State.PROMOTE, []),
    ]
    assert [each.name for each in hop.goes] == ["pipeline"]
    assert hop.components[0].locked is None


@pytest.mark.parametrize("name", ["falko", "../falco", "falco/../pipeline", "/etc", "", ".", "FALCO", "falco/"])
def test_a_component_that_is_not_there(at, name: str) -> None:
    with pytest.raises(UsageError, match="there is no component"):
        at.plan("dev", "staging", name)


@pytest.mark.parametrize(
    ("source", "target", "says"),
    [
        ("dev", "live", "there is no environment live"),
        ("prod", "dev", "no promotion leads"),
        ("staging", "staging", "no promotion leads"),
        ("staging", "dev", "no promotion leads"),
    ],
)
def test_no_way(at, source: str, target: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        at.plan(source, target)


# ---- the first fill


def test_the_first_fill_is_asked_for_and_waives_gates(empty: Stage, planner: Callable) -> None:
    at = planner(empty)
    (hop,) = at.plan("dev", "staging").hops
    assert [block.reason for block in hop.blocks] == [Reason.NO_LOCK]
    assert not hop.goes
    hop = at.hop("dev", "staging", initial=True)
    assert {each.state for each in hop.goes} == {State.NEW}
    empty.bring(hop)
    hop = at.hop("staging", "prod", initial=True)
    waived = dict.fromkeys(("soak", "approvals"), "waived: initial")
    for each in hop.goes:
        assert each.locked is not None
        assert each.locked.gates == {"validate": "pending", "policy": "pending", **waived}
        assert each.locked.previous is None
    empty.bring(hop)
    with pytest.raises(UsageError, match="was filled before"):
        at.plan("staging", "prod", initial=True)


def test_a_source_that_was_never_filled_has_nothing_to_give(empty: Stage, planner: Callable) -> None:
    hop = planner(empty).hop("staging", "prod", initial=True)
    assert [block.reason for block in hop.blocks] == [Reason.SOURCE_NOT_LOCKED]


def test_the_first_fill_over_copies_that_were_made_by_hand(empty: Stage, planner: Callable) -> None:
    """What base/ once held is merely old; what it never held is drift."""
    old = (empty.folder / "base/falco/values.yaml").read_bytes()
    empty.edit("falco")
    empty.land(
        {
            "overlays/staging/release/falco/values.yaml": old,
            "overlays/staging/release/pipeline/values.yaml": b"by: hand\n",
            "overlays/staging/release/pipeline/kustomization.yaml": (
                empty.folder / "base/pipeline/kustomization.yaml"
            ).read_bytes(),
        }
    )
    hop = planner(empty).hop("dev", "staging", initial=True)
    falco, _, pipeline = hop.components
    assert (falco.state, reasons(falco)) == (State.NEW, [])
    assert pipeline.state is State.DRIFTED
    assert pipeline.blocks[0].paths == ("values.yaml",)
    assert not hop.goes


# ---- new, removed, older


def test_a_new_component(stage: Stage, at) -> None:
    stage.land({"base/extra/values.yaml": "a: 1\n"})
    made = at.one("extra", "dev", "staging")
    assert (made.state, made.blocks) == (State.NEW, ())
    assert any("names release/extra" in note for note in made.notes)


def test_a_new_component_needs_the_facts_that_the_source_has(stage: Stage, at) -> None:
    stage.land({"base/extra/values.yaml": "a: 1\n", "overlays/dev/values/extra.yaml": "{}\n"})
    made = at.one("extra", "dev", "staging")
    assert (made.state, reasons(made)) == (State.BLOCKED, [Reason.FACTS_MISSING])
    assert made.blocks[0].paths == ("overlays/staging/values/extra.yaml",)
    stage.land({"overlays/staging/environment/environment.yaml": None})
    assert at.one("extra", "dev", "staging").blocks[0].paths == (
        "overlays/staging/environment/environment.yaml",
        "overlays/staging/values/extra.yaml",
    )
    stage.land(
        {
            "overlays/staging/values/extra.yaml": "{}\n",
            "overlays/staging/environment/environment.yaml": "kind: Environment\n",
        }
    )
    assert at.one("extra", "dev", "staging").state is State.NEW


def _drop(stage: Stage, folder: str) -> None:
    stage.git("rm", "-r", "--quiet", folder)
    stage.land(message="feat!: drop")


def test_a_component_that_is_gone_in_the_source(stage: Stage, at) -> None:
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
    stage.land({"base/pipeline/settings-configmap.yaml": manifest})
    stage.bring(at.hop("dev", "staging"))
    _drop(stage, "base/pipeline")
    made = at.one("pipeline", "dev", "staging")
    assert made.state is State.REMOVED
    assert reasons(made) == [Reason.OPTION_GONE, Reason.REMOVAL]
    assert "prunes ConfigMap settings" in made.notes
    listed = (stage.folder / "overlays/staging/kustomization.yaml").read_text()
    stage.land({"overlays/staging/kustomization.yaml": listed.replace("- release/pipeline\n", "")})
    assert reasons(at.one("pipeline", "dev", "staging")) == [Reason.REMOVAL]
    hop = at.hop("dev", "staging", allow_delete=True)
    (made,) = hop.goes
    assert (made.state, made.locked) == (State.REMOVED, None)
    assert {file.result for file in made.files} == {None}
    stage.bring(hop)
    assert not (stage.folder / "overlays/staging/release/pipeline").exists()
    assert at.hop("dev", "staging").met
    stage.forward(**SOAKED)
    assert at.one("pipeline").state is State.REMOVED


def test_a_removal_soaks_as_everything_does(stage: Stage, at) -> None:
    for env in ("staging", "prod"):
        listed = (stage.folder / f"overlays/{env}/kustomization.yaml").read_text()
        stage.land({f"overlays/{env}/kustomization.yaml": listed.replace("- release/pipeline\n", "")})
    _drop(stage, "base/pipeline")
    stage.bring(at.hop("dev", "staging", allow_delete=True))
    stage.forward(hours=23)
    assert reasons(at.one("pipeline", allow_delete=True)) == [Reason.SOAK]
    stage.forward(hours=1)
    assert at.one("pipeline", allow_delete=True).goes


def test_hand_edits_of_a_component_that_is_gone_are_not_thrown_away(stage: Stage, at) -> None:
    listed = (stage.folder / "overlays/staging/kustomization.yaml").read_text()
    stage.land(
        {
            "overlays/staging/release/pipeline/values.yaml": "by: hand\n",
            "overlays/staging/kustomization.yaml": listed.replace("- release/pipeline\n", ""),
        }
    )
    _drop(stage, "base/pipeline")
    assert at.one("pipeline", "dev", "staging", allow_delete=True).state is State.DRIFTED
    made = at.one("pipeline", "dev", "staging", allow_delete=True, accept_drift="it was a try")
    assert made.goes
    assert {file.result for file in made.files} == {None}


def test_what_is_older_needs_to_be_asked_for(stage: Stage, at) -> None:
    """staging was rolled back, as `kre rollback` does it: the old bytes, source and origin."""
    before = at.one("pipeline").before
    stage.edit("pipeline")
    old = stage.raw(stage.git("rev-parse", "HEAD:overlays/staging/release/pipeline/values.yaml"))
    stage.bring(at.hop("dev", "staging"))
    stage.forward(**SOAKED)
    stage.bring(at.hop())
    view = at.view()
    lock = view.lock(view.step("staging"))
    staging = at.hop("dev", "staging").components[-1].before
    assert before
    assert lock
    entries = {**lock.components, "pipeline": replace(staging, digest=before.digest, origin=before.origin)}
    stage.land(
        {
            "overlays/staging/release/pipeline/values.yaml": old,
            "overlays/staging/release.lock.yaml": lockfile.render(Lock("staging", entries)),
        }
    )
    stage.forward(**SOAKED)
    made = at.one("pipeline")
    assert (made.state, reasons(made)) == (State.DOWNGRADE, [Reason.DOWNGRADE])
    allowed = at.one("pipeline", allow_downgrade=True)
    assert allowed.state is State.DOWNGRADE
    assert allowed.goes


# ---- gates that need rendering


def test_what_is_checked_outside_of_the_plan(stage: Stage, at) -> None:
    stage.edit("falco")
    stage.edit("falcosidekick")
    stage.edit("pipeline")
    hop = at.hop("dev", "staging")
    fine = checked(checked(hop, "validate", {}), "policy", {})
    assert {tuple(each.gates.items()) for each in fine.goes} == {(("validate", "passed"), ("policy", "passed"))}
    assert {tuple((each.locked.gates if each.locked else {}).items()) for each in fine.goes} == {
        (("validate", "passed"), ("policy", "passed"))
    }
    bad = checked(hop, "policy", {"falco": [Block(Reason.RISK, "rbac-widened")]})
    assert [(each.name, reasons(each)) for each in bad.components] == [
        ("falco", [Reason.RISK]),
        ("falcosidekick", [Reason.UNIT]),
        ("pipeline", []),
    ]
    assert bad.components[0].gates["policy"] == "blocked"
    assert bad.components[0].locked is None


# ---- hotfixes


def test_no_environment_is_skipped_unless_the_policy_lets_a_hotfix(stage: Stage, at) -> None:
    stage.edit("pipeline")
    (hop,) = at.plan("dev", "prod", hotfix="the night of the outage").hops
    assert [block.reason for block in hop.blocks] == [Reason.SKIPS_ENVIRONMENT]
    policy = (stage.folder / "overlays/environments.yaml").read_text()
    stage.land(
        {
            "overlays/environments.yaml": policy.replace(
                "approvals: forge}", "approvals: forge}\n  hotfix: {from: [dev], waives: [soak]}"
            )
        }
    )
    (hop,) = at.plan("dev", "prod", hotfix="the night of the outage").hops
    assert (hop.source, hop.target, hop.blocks) == ("dev", "prod", ())
    (made,) = hop.goes
    assert made.locked is not None
    assert (made.locked.environment, made.locked.hotfix) == ("dev", "the night of the outage")
    assert made.locked.gates["soak"] == "waived: hotfix"
    assert made.locked.gates["approvals"] == "delegated"
    assert len(at.plan("dev", "prod").hops) == 2
