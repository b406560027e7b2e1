"""kre rollback, hold, unhold, approve: as their user runs them, and as their output is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli import Ended, kre
from support.filling import promote
from support.promotion import POLICY, Stage, filled, sound
from support.writing import everything

VALUES = "base/falcosidekick/values.yaml"
ROLE = "base/responses/manifests/kre-delete-pod-clusterrole.yaml"
NEEDS = "base/responses/manifests/needs.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """staging has a second version of falcosidekick; dev has a third."""
    stage = sound(
        tmp_path_factory.mktemp("branching") / "stage", POLICY.replace("soak: 0h}", "soak: 0h, approvals: 1}")
    )
    filled(stage)
    stage.land({VALUES: (stage.folder / VALUES).read_text() + "# a word\n"})
    promote(stage, "staging", "falcosidekick")
    stage.land({"overlays/allowed-signers": stage.key("ann").line})
    stage.land({VALUES: (stage.folder / VALUES).read_text() + "# another\n"})
    return stage


@pytest.fixture
def stage(made: Stage, tmp_path: Path) -> Stage:
    return made.twin(tmp_path / "stage")


def run(stage: Stage, *arguments: str, cwd: Path | None = None) -> Ended:
    return kre(*arguments, cwd=cwd or stage.folder, env=stage.environ())


def refused(ended: Ended, code: int, says: str, hint: str = "") -> None:
    assert (ended.code, ended.out) == (code, "")
    assert says in ended.err
    assert hint in ended.err


def test_a_rollback_from_its_dry_run_to_its_merge(stage: Stage) -> None:
    before = everything(stage.folder.parent)
    dry = run(stage, "rollback", "staging", "falcosidekick", "--dry-run")
    assert (dry.code, dry.err) == (0, "")
    assert dry.out.startswith(
        "would write rollback/staging/falcosidekick\ndiff --git a/overlays/staging/release.lock.yaml"
    )
    assert "\n-# a word\n" in dry.out
    assert everything(stage.folder.parent) == before

    done = run(stage, "rollback", "staging", "falcosidekick", "--reason", "loses alerts", "--push", "origin")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"wrote rollback/staging/falcosidekick at {stage.head('rollback/staging/falcosidekick')[:12]}, and pushed it",
        "changed    overlays/staging/release.lock.yaml",
        "changed    overlays/staging/release/falcosidekick/values.yaml",
        "next: open a pull request for rollback/staging/falcosidekick, and merge it",
        "next: when the way on is clear: kre unhold staging falcosidekick",
    ]
    again = run(stage, "rollback", "staging", "falcosidekick", "--reason", "loses alerts", "--push", "origin")
    assert again.out.startswith("rollback/staging/falcosidekick is there already, as on the remote\n")
    start = stage.head("main")
    stage.merge("rollback/staging/falcosidekick")
    proposed = run(stage, "validate", "--changed-since", start)
    assert proposed.code == 0, proposed.out
    lifted = run(stage, "unhold", "staging", "falcosidekick", "--push", "origin")
    assert lifted.code == 0
    stage.merge("hold/staging/falcosidekick")
    assert "by: " not in (stage.folder / "overlays/staging/release.lock.yaml").read_text()


def test_from_anywhere_in_a_repository_in_the_middle_of_something(stage: Stage) -> None:
    stage.git("worktree", "add", "--quiet", "--detach", "../linked")
    linked = stage.folder.parent / "linked"
    (linked / VALUES).write_text("dirty: 1\n")
    before = everything(linked)
    done = run(stage, "rollback", "staging", "falcosidekick", cwd=linked / "base/pipeline")
    assert done.code == 0
    assert everything(linked) == before
    assert "dirty" not in stage.git(
        "show", "rollback/staging/falcosidekick:overlays/staging/release/falcosidekick/values.yaml"
    )


def test_what_validation_has_against_it(stage: Stage) -> None:
    facts = "overlays/staging/environment/environment.yaml"
    stage.land({facts: (stage.folder / facts).read_text().replace("  mode:", "  nonsense: 1\n  mode:")})
    before = stage.refs()
    refused(
        run(stage, "rollback", "staging", "falcosidekick"),
        4,
        f"{facts}:",
        "nothing was written: 1 error stands against it",
    )
    assert stage.refs() == before
    other = "overlays/prod/environment/environment.yaml"  # somebody else's is no reason to stay
    stage.land({facts: None})
    stage.git("checkout", "--quiet", "HEAD~2", "--", facts)
    stage.land({other: (stage.folder / other).read_text().replace("  mode:", "  nonsense: 1\n  mode:")})
    assert run(stage, "rollback", "staging", "falcosidekick").code == 0


def test_a_risk_is_taken_only_by_saying_so(stage: Stage) -> None:
    wide = (stage.folder / ROLE).read_text()
    assert "[get, delete]" in wide
    needs = (stage.folder / NEEDS).read_text().replace("verbs: [get, delete]", "verbs: [get]")
    stage.land({ROLE: wide.replace("[get, delete]", "[get]"), NEEDS: needs})
    promote(stage, "staging", "responses")
    refused(
        run(stage, "rollback", "staging", "responses", "--alone"),
        4,
        "rbac-widened",
        "--accept-risks REASON says so in the lock",
    )
    stage.land({".github/CODEOWNERS": "* @example/owners\n"})
    done = run(stage, "rollback", "staging", "responses", "--alone", "--accept-risks", "it did before")
    assert done.code == 0, done.err
    assert "accepted: it did before" in done.err
    lock = stage.git("show", "rollback/staging/responses:overlays/staging/release.lock.yaml")
    assert "kind: rbac-widened" in lock
    start = stage.head("main")
    stage.git("push", "--quiet", "origin", "rollback/staging/responses")
    stage.merge("rollback/staging/responses")
    assert run(stage, "validate", "--changed-since", start).code == 0


def test_json(stage: Stage) -> None:
    made = json.loads(run(stage, "rollback", "staging", "falcosidekick", "--format", "json").out)
    commit = stage.head("rollback/staging/falcosidekick")
    assert (made["version"], made["branch"], made["commit"]) == (1, "rollback/staging/falcosidekick", commit)
    assert made["components"]["falcosidekick"]["to"] == stage.head("main~3")
    assert (made["written"], made["pushed"], made["changed"]) == (True, False, 2)
    dry = json.loads(run(stage, "hold", "staging", "engine", "--reason", "x", "--dry-run", "--format", "json").out)
    assert (dry["commit"], dry["unit"], dry["branch"], dry["next"]) == (None, "engine", "hold/staging/engine", [])
    assert "+      reason: x\n" in dry["diff"]


def test_a_hold_with_an_end(stage: Stage) -> None:
    for text, shown in (("2026-02-01", "2026-02-01T00:00:00Z"), ("2026-02-01T18:00+02:00", "2026-02-01T16:00:00Z")):
        assert run(stage, "hold", "staging", "falcosidekick", "--reason", "x", "--until", text).code == 0
        assert f"until: {shown}" in stage.git("show", "hold/staging/falcosidekick:overlays/staging/release.lock.yaml")
    refused(
        run(stage, "hold", "staging", "falcosidekick", "--reason", "x", "--until", "soon"), 2, "--until soon is no time"
    )
    for reason in ("", " ", "two\nlines", "a\x1b[31m"):
        refused(
            run(stage, "hold", "staging", "falcosidekick", "--reason", reason), 2, "--reason must be one line of text"
        )


def test_approve(stage: Stage) -> None:
    key = str(stage.key("ann").path)
    refused(run(stage, "approve", "staging", "falcosidekick"), 2, "Git signs with no SSH key here", "--key FILE")
    done = run(stage, "approve", "staging", "falcosidekick", "--key", key, "--push", "origin", "--format", "json")
    assert done.code == 0, done.err
    made = json.loads(done.out)
    assert (made["by"], made["pushed"]) == ("ann@example.com", True)
    stage.git("config", "gpg.format", "ssh")
    stage.git("config", "user.signingKey", key)
    again = run(stage, "approve", "staging", "falcosidekick", "--push", "origin", "--digest", made["digest"])
    assert again.out.startswith(f"{made['branch']} is there already, as on the remote\n")
    other = "sha256:" + "0" * 64
    refused(run(stage, "approve", "staging", "falcosidekick", "--digest", other), 2, f"not with {other}", "--dry-run")
    stage.merge(made["branch"])
    assert run(stage, "validate").code == 0
    refused(run(stage, "approve", "staging", "falcosidekick"), 2, "ann@example.com has approved falcosidekick")


def test_what_can_not_be(stage: Stage) -> None:
    refused(run(stage, "rollback", "dev", "falcosidekick"), 2, "dev runs base/ itself", "there are: staging, prod")
    refused(run(stage, "rollback", "staging", "nothing"), 2, "staging has no component nothing")
    refused(run(stage, "rollback", "prod", "falcosidekick"), 2, "since its first fill")
    refused(run(stage, "rollback", "staging", "falcosidekick", "--to", "nowhere"), 2, "there is no revision nowhere")
    refused(run(stage, "rollback", "staging", "falcosidekick", "--push", "nowhere"), 2, "there is no remote nowhere")
    stage.git("config", "--unset", "user.email")
    stage.git("config", "user.useConfigOnly", "true")
    refused(run(stage, "rollback", "staging", "falcosidekick"), 2, "Git does not know who you are", "user.email")
