"""What may be promoted: merged, committed, named by the source's lock, plain files that the policy lets pass; drift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kre.doors.git import blob_id
from kre.errors import UsageError
from kre.load.policy import read
from kre.model.policy import Policy
from kre.model.promotion import Accepted, Block, ComponentPlan, Lock, Reason, Side, State
from kre.promote import lockfile, paths
from kre.promote.view import View
from support.promotion import POLICY, Stage, small

LINES = "".join(f"line{number}: 1\n" for number in range(9))
VALUES = "overlays/staging/release/pipeline/values.yaml"


def blocks(component: ComponentPlan) -> dict[Reason, Block]:
    return {block.reason: block for block in component.blocks}


# ---- merged, committed, named by the lock


@pytest.mark.parametrize("kind", ["work tree", "index", "untracked", "deleted"])
def test_a_source_that_is_not_committed(stage: Stage, at, kind: str) -> None:
    stage.edit("pipeline")
    stage.edit("falco")
    if kind == "deleted":
        (stage.folder / "base/pipeline/values.yaml").unlink()
    else:
        name = "new.yaml" if kind == "untracked" else "values.yaml"
        stage.write({f"base/pipeline/{name}": "dirty: true\n"})
    if kind == "index":
        stage.git("add", "--all")
    found = at.one("pipeline", "dev", "staging")
    assert found.state is State.BLOCKED
    assert blocks(found)[Reason.SOURCE_DIRTY].paths == ("new.yaml" if kind == "untracked" else "values.yaml",)
    assert at.one("falco", "dev", "staging").goes


def test_what_is_ignored_is_not_dirty(stage: Stage, at) -> None:
    stage.land({".gitignore": "*.swp\n"})
    stage.edit("pipeline")
    stage.write({"base/pipeline/.values.yaml.swp": "x"})
    assert at.one("pipeline", "dev", "staging").goes


def test_a_commit_that_is_not_merged(stage: Stage, at) -> None:
    commit = stage.branch("mine", {"base/pipeline/values.yaml": "mine: true\n"})
    hop = at.hop("dev", "staging", source_ref=commit)
    assert [block.reason for block in hop.blocks] == [Reason.COMMIT_NOT_MERGED]
    assert not hop.goes
    stage.git("checkout", "--quiet", "mine")
    assert at.hop("dev", "staging").met  # what is checked out does not matter


def test_what_is_committed_here_and_not_pushed(stage: Stage, at) -> None:
    stage.commit({"base/pipeline/values.yaml": "mine: true\n"})
    assert at.hop("dev", "staging").met
    assert at.hop("dev", "staging", source_ref="HEAD").blocks[0].reason is Reason.COMMIT_NOT_MERGED


def test_an_older_commit_whose_bytes_dev_runs_no_more(stage: Stage, at) -> None:
    stage.edit("pipeline", "first: true\n")
    old = stage.head()
    stage.edit("pipeline", "second: true\n")
    assert Reason.SOURCE_NOT_LOCKED in blocks(at.one("pipeline", "dev", "staging", source_ref=old))
    stage.edit("falco")
    same = stage.head()
    stage.land({"README.md": "x\n"})
    made = at.one("falco", "dev", "staging", source_ref=same)
    assert made.locked is not None
    assert made.locked.source.commit == same


def test_a_revision_that_is_not_there(stage: Stage, at) -> None:
    with pytest.raises(UsageError, match="there is no revision v9"):
        at.plan("dev", "staging", source_ref="v9")


def test_bytes_that_the_sources_lock_does_not_name(stage: Stage, at) -> None:
    stage.land({VALUES: "by: hand\n"})
    stage.forward(hours=48)
    found = at.one("pipeline")
    assert Reason.SOURCE_NOT_LOCKED in blocks(found)
    assert blocks(found)[Reason.SOURCE_NOT_LOCKED].hint == "kre promote dev staging first"


def test_a_component_that_the_sources_lock_does_not_name(stage: Stage, at) -> None:
    stage.land({"overlays/staging/release/extra/values.yaml": "by: hand\n"})
    stage.forward(hours=48)
    assert Reason.SOURCE_NOT_LOCKED in blocks(at.one("extra"))


# ---- plain files


def test_links_and_submodules(stage: Stage, at) -> None:
    (stage.folder / "base/pipeline/link.yaml").symlink_to("values.yaml")
    stage.land()
    stage.git("update-index", "--add", "--cacheinfo", f"160000,{stage.head()},base/falco/sub")
    stage.git("commit", "--quiet", "-m", "test: submodule")
    stage.git("push", "--quiet", "origin", "main")
    assert blocks(at.one("pipeline", "dev", "staging"))[Reason.NOT_A_FILE].paths == ("link.yaml",)
    assert blocks(at.one("falco", "dev", "staging"))[Reason.NOT_A_FILE].paths == ("sub",)


def test_forbidden_paths_block_and_are_not_dropped(stage: Stage, at) -> None:
    stage.land({"base/pipeline/deep/environment.yaml": "x: 1\n", "base/pipeline/values/x.yaml": "x: 1\n"})
    found = at.one("pipeline", "dev", "staging")
    assert blocks(found)[Reason.FORBIDDEN_PATH].paths == ("deep/environment.yaml", "values/x.yaml")
    assert "deep/environment.yaml" in [file.path for file in found.files]


def test_names_that_differ_in_case_alone(stage: Stage, at) -> None:
    stage.land({"base/pipeline/Values.yaml": "x: 1\n", "base/pipeline/a/x": "1", "base/pipeline/A/y": "2"})
    found = blocks(at.one("pipeline", "dev", "staging"))[Reason.CASE_COLLISION]
    assert found.paths == ("A/y", "Values.yaml", "a/x", "values.yaml")


def test_a_component_whose_name_is_none(stage: Stage, at) -> None:
    stage.land({"base/Pipe line/values.yaml": "x: 1\n"})
    assert Reason.FORBIDDEN_PATH in blocks(at.one("Pipe line", "dev", "staging"))


def test_a_tree_that_leads_out(stage: Stage, at) -> None:
    """Git's own commands make none; somebody who writes objects by hand does."""
    blob = stage.git("rev-parse", "HEAD:base/pipeline/values.yaml")

    def tree(*entries: tuple[str, str, str]) -> str:
        raw = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(oid) for mode, name, oid in entries)
        path = stage.remote.parent / "tree"
        path.write_bytes(raw)
        return stage.git("hash-object", "-t", "tree", "-w", "--literally", str(path))

    out = tree(("40000", "..", tree(("100644", "evil.yaml", blob))), ("100644", "values.yaml", blob))
    base = tree(("40000", "pipeline", out))
    root = stage.git("ls-tree", "HEAD").splitlines()
    entries = [(line.split()[0].lstrip("0"), line.split("\t")[1], line.split()[2]) for line in root]
    whole = tree(*[(mode, name, base if name == "base" else oid) for mode, name, oid in entries])
    commit = stage.git("commit-tree", whole, "-p", "HEAD", "-m", "test: out")
    stage.git("update-ref", "refs/remotes/origin/main", commit)
    found = at.one("pipeline", "dev", "staging")
    assert blocks(found)[Reason.FORBIDDEN_PATH].paths == ("../evil.yaml",)


CLEAN = Policy((), forbid=("**/environment.yaml", "**/values/**", "*/secret?.env"))


@pytest.mark.parametrize(
    ("path", "passes"),
    [
        ("values.yaml", True),
        ("environment.yaml", False),
        ("a/b/environment.yaml", False),
        ("a/Environment.YAML", False),
        ("my-environment.yaml", True),
        ("values/x", False),
        ("a/values/b/x", False),
        ("a/values", True),
        ("secret1.env", False),
        ("secret12.env", True),
        ("a/secret1.env", True),
        ("a\\b", False),
        ("a:b", False),
        (".git/config", False),
        ("a/.GIT/x", False),
        ("a\nb", False),
        ("\udcff", False),
        (".hidden", True),
    ],
)
def test_what_passes(path: str, *, passes: bool) -> None:
    assert paths.passes("pipeline", path, CLEAN) is passes


def test_include_is_for_one_component() -> None:
    policy = Policy((), include=("<component>/manifests/**", "*/values.yaml"))
    assert paths.passes("pipeline", "manifests/a/b.yaml", policy)
    assert paths.passes("pipeline", "values.yaml", policy)
    assert not paths.passes("pipeline", "other.yaml", policy)
    assert not paths.passes("pipeline", "manifests", policy)


@given(st.lists(st.text("aAbBéÉ/", min_size=1, max_size=5), max_size=6))
def test_collisions_are_what_a_file_system_that_folds_would_mix_up(names: list[str]) -> None:
    clean = sorted({name for name in names if all(name.split("/"))})
    found = paths.collisions(clean)
    folders = {"/".join(name.split("/")[:depth]) for name in clean for depth in range(1, name.count("/") + 2)}
    assert bool(found) == (len({folder.casefold() for folder in folders}) < len(folders))


# ---- options


LEAF = "overlays/staging/leaves/pipeline/kustomization.yaml"


def test_options_that_come_and_go(stage: Stage, at) -> None:
    component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
    stage.land({"base/pipeline/options/tls/kustomization.yaml": component})
    made = at.one("pipeline", "dev", "staging")
    assert made.notes == ("new option options/tls: no leaf chooses it",)
    stage.bring(at.hop("dev", "staging"))
    stage.land({LEAF: "components:\n- ../../release/pipeline/options/tls\n"})
    stage.land({"base/pipeline/options/tls/kustomization.yaml": None})
    found = at.one("pipeline", "dev", "staging")
    assert found.state is State.BLOCKED
    block = blocks(found)[Reason.OPTION_GONE]
    assert block.message == f"{LEAF} names pipeline/options/tls, which would be gone"
    assert block.paths == (LEAF,)
    stage.land({LEAF: "components: []\n"})
    assert at.one("pipeline", "dev", "staging").goes


def test_a_new_option_that_a_leaf_chooses_already(stage: Stage, at) -> None:
    stage.land(
        {
            "base/pipeline/options/tls/kustomization.yaml": "kind: Component\n",
            LEAF: "components: [../../release/pipeline/options/tls]\n",
        }
    )
    assert at.one("pipeline", "dev", "staging").notes == ()


def test_files_that_the_target_names(stage: Stage, at) -> None:
    stage.land({LEAF: "patches:\n- path: ../../release/pipeline/values.yaml\n"})
    stage.land({"base/pipeline/values.yaml": None})
    assert Reason.OPTION_GONE in blocks(at.one("pipeline", "dev", "staging"))


# ---- drift


@pytest.fixture
def drifted(stage: Stage, at) -> Stage:
    """Of pipeline staging holds nine lines, of which it changed the last."""
    stage.edit("pipeline", LINES)
    stage.bring(at.hop("dev", "staging"))
    stage.land({VALUES: LINES.replace("line8: 1", "line8: 2")})
    return stage


def test_a_hand_edit_stops_everything(drifted: Stage, at) -> None:
    drifted.edit("falco")
    hop = at.hop("dev", "staging")
    found = hop.components[2]
    assert (found.state, found.locked) == (State.DRIFTED, None)
    assert blocks(found)[Reason.DRIFT].paths == ("values.yaml",)
    assert hop.components[0].state is State.PROMOTE
    assert hop.goes == ()


def test_drift_is_kept_where_it_is_accepted(drifted: Stage, at) -> None:
    ours = blob_id(LINES.replace("line8: 1", "line8: 2").encode())
    made = at.one("pipeline", "dev", "staging", accept_drift="two, for the load test")
    assert made.locked is not None
    assert made.locked.accepted == (Accepted("values.yaml", ours, "two, for the load test"),)
    assert made.locked.digest != made.locked.source.digest
    assert [file.result for file in made.files] == [file.ours for file in made.files]
    drifted.bring(at.hop("dev", "staging", accept_drift="two, for the load test"))
    assert at.hop("dev", "staging").met
    drifted.forward(hours=48)
    later = at.one("pipeline")  # and the deviation goes on to prod, for staging's lock names it
    assert later.locked is not None
    assert later.locked.digest == made.locked.digest


def test_both_changed_it(drifted: Stage, at) -> None:
    drifted.edit("pipeline", LINES.replace("line0: 1", "line0: 0"))
    found = at.one("pipeline", "dev", "staging")
    (file,) = [each for each in found.files if each.path == "values.yaml"]
    assert (found.state, file.side) == (State.DRIFTED, Side.MERGED)
    both = LINES.replace("line0: 1", "line0: 0").replace("line8: 1", "line8: 2").encode()
    assert file.text == both
    made = at.one("pipeline", "dev", "staging", merge=True)
    assert made.locked is not None
    assert made.locked.accepted == (Accepted("values.yaml", blob_id(both), "kept by --merge"),)
    drifted.bring(at.hop("dev", "staging", merge=True))
    assert (drifted.folder / VALUES).read_bytes() == both
    assert at.hop("dev", "staging").met
    view = at.view()
    step = view.step("staging")
    lock = view.lock(step)
    assert lock
    assert view.digest(view.entries(step, "pipeline")) == lock.components["pipeline"].digest


def test_both_changed_it_and_the_targets_is_to_stay(drifted: Stage, at) -> None:
    drifted.edit("pipeline", LINES.replace("line0: 1", "line0: 0"))
    made = at.one("pipeline", "dev", "staging", accept_drift="as it is")
    (file,) = [each for each in made.files if each.path == "values.yaml"]
    assert (made.state, file.result, file.text) == (State.PROMOTE, file.ours, b"")


def test_a_conflict(drifted: Stage, at) -> None:
    drifted.edit("pipeline", LINES.replace("line8: 1", "line8: 3"))
    found = at.one("pipeline", "dev", "staging")
    assert Reason.DRIFT in blocks(found)
    (file,) = [each for each in found.files if each.path == "values.yaml"]
    assert b"<<<<<<< staging\nline8: 2\n=======\nline8: 3\n>>>>>>> dev\n" in file.text
    stuck = at.one("pipeline", "dev", "staging", merge=True)
    assert (stuck.state, list(blocks(stuck))) == (State.DRIFTED, [Reason.CONFLICT])
    assert at.one("pipeline", "dev", "staging", accept_drift="ours").goes


def test_what_was_accepted_stays_until_the_source_changes_the_file(drifted: Stage, at) -> None:
    drifted.bring(at.hop("dev", "staging", accept_drift="load test"))
    drifted.land({"base/pipeline/other.yaml": "a: 1\n"})
    made = at.one("pipeline", "dev", "staging")
    assert made.locked is not None
    assert [each.reason for each in made.locked.accepted] == ["load test"]
    drifted.bring(at.hop("dev", "staging"))
    drifted.edit("pipeline", LINES.replace("line0: 1", "line0: 0"))
    assert at.one("pipeline", "dev", "staging").state is State.DRIFTED
    drifted.edit("pipeline", LINES.replace("line8: 1", "line8: 2"))  # base/ takes it over
    made = at.one("pipeline", "dev", "staging")
    assert made.locked is not None
    assert (made.locked.accepted, made.locked.digest) == ((), made.locked.source.digest)


def test_a_hand_edit_of_what_was_accepted_is_drift_again(drifted: Stage, at) -> None:
    drifted.bring(at.hop("dev", "staging", accept_drift="load test"))
    drifted.land({VALUES: LINES.replace("line8: 1", "line8: 3")})
    assert at.one("pipeline", "dev", "staging").state is State.DRIFTED


def test_the_same_change_on_both_sides_is_in_sync(stage: Stage, at) -> None:
    stage.edit("pipeline", "same: true\n")
    stage.land({VALUES: "same: true\n"})
    made = at.one("pipeline", "dev", "staging")  # the bytes are there; the lock does not know yet
    assert made.state is State.PROMOTE
    assert all(file.side is Side.SAME for file in made.files)


def test_a_mode_changed_by_hand(stage: Stage, at) -> None:
    (stage.folder / VALUES).chmod(0o755)
    stage.land()
    assert at.one("pipeline", "dev", "staging").state is State.DRIFTED
    made = at.one("pipeline", "dev", "staging", accept_drift="a script")
    assert made.locked is not None
    assert made.locked.accepted[0].mode == "100755"
    stage.bring(at.hop("dev", "staging", accept_drift="a script"))
    assert at.hop("dev", "staging").met


# ---- a lock that is not true


def test_a_lock_that_names_other_bytes(drifted: Stage, at) -> None:
    view = at.view()
    lock = view.lock(view.step("staging"))
    assert lock
    entry = lock.components["pipeline"]
    for wrong in (
        replace(entry.source, digest=f"sha256:{'0' * 64}"),
        replace(entry.source, commit="0" * 40),
        replace(entry.source, path="base/falco"),
    ):
        forged = Lock("staging", {**lock.components, "pipeline": replace(entry, source=wrong)})
        drifted.land({"overlays/staging/release.lock.yaml": lockfile.render(forged)})
        found = at.one("pipeline", "dev", "staging")
        assert found.state is State.DRIFTED
        assert any("is not true of pipeline" in block.message for block in found.blocks)


def test_a_lock_that_can_not_be_read(stage: Stage, at) -> None:
    stage.land({"overlays/staging/release.lock.yaml": "version: 1\nenvironment: staging\ncomponents: []\n"})
    with pytest.raises(UsageError, match=r"release\.lock\.yaml:3:1: components must be of type Mapping"):
        at.plan("dev", "staging")


# ---- clones of all kinds


def test_worktree_detached_and_below_the_top(stage: Stage, at, tmp_path: Path) -> None:
    stage.edit("pipeline")
    wanted = at.plan("dev", "prod")
    stage.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"), "HEAD~1")
    assert at.plan("dev", "prod", folder=tmp_path / "tree") == wanted
    stage.git("checkout", "--quiet", "--detach", "HEAD~1")
    assert at.plan("dev", "prod") == wanted


def test_a_repository_below_the_top_of_a_larger_one(tmp_path: Path, planner: Callable) -> None:
    whole = small(tmp_path / "stage")
    (whole.folder / "engine").mkdir()
    whole.git("mv", "base", "overlays", "engine/")
    whole.land({"base/falco/values.yaml": "another: tree\n"})
    hop = planner(whole).hop("dev", "staging", folder=whole.folder / "engine", initial=True)
    assert [each.name for each in hop.goes] == ["falco", "falcosidekick", "pipeline"]
    assert [commit.subject for commit in hop.goes[0].commits] == ["test: change"]


def test_sha256_in_one_line(tmp_path: Path) -> None:
    made = small(tmp_path / "stage", object_format="sha256")
    with pytest.raises(UsageError, match="names its objects by SHA-256"):
        View(made.folder)


def test_no_default_branch(stage: Stage) -> None:
    stage.git("checkout", "--quiet", "--detach")
    stage.git("remote", "remove", "origin")
    stage.git("branch", "--quiet", "-m", "main", "trunk")
    with pytest.raises(UsageError, match="no default branch") as failed:
        View(stage.folder)
    assert failed.value.hint == "git remote set-head origin --auto"


def test_replaced_objects_do_not_count(stage: Stage, at) -> None:
    """`git replace` changes what this clone shows, not what is merged."""
    stage.edit("pipeline")
    wanted = at.plan("dev", "staging")
    stage.git("replace", stage.head(), stage.head("HEAD~1"))
    assert at.plan("dev", "staging") == wanted


def test_the_users_configuration_does_not_count(stage: Stage, at) -> None:
    stage.edit("pipeline")
    stage.forward(hours=30)
    wanted = at.plan("dev", "prod")
    for name, value in {
        "log.showRoot": "false",
        "log.showSignature": "true",
        "log.follow": "true",
        "diff.renames": "copies",
        "diff.noprefix": "true",
        "color.ui": "always",
        "core.quotePath": "true",
        "core.autocrlf": "true",
        "core.ignoreCase": "true",
        "core.fileMode": "false",
        "merge.conflictStyle": "zdiff3",
        "status.showUntrackedFiles": "no",
    }.items():
        stage.git("config", name, value)
    assert at.plan("dev", "prod") == wanted


def test_units_of_the_policy_are_read_strictly() -> None:
    assert read(POLICY.encode()).members("falco") == ("falco", "falcosidekick")
    for wrong, says in (
        ("units: {detection: [falco, falco]}", "is in two units"),
        ("units: {detection: [falco], other: [falco]}", "is in two units"),
        ("unit: {}", "unknown field"),
    ):
        with pytest.raises(UsageError, match=says):
            read(POLICY.replace("units: {detection: [falco, falcosidekick]}", wrong).encode())
