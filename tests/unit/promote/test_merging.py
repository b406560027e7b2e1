"""At merge the gates are judged again: a lock that somebody wrote by hand passes none by saying so."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from kre.load.bundle import load
from kre.model.promotion import Hold
from kre.promote import lockfile
from kre.promote.apply import apply
from kre.promote.gates import Gates
from kre.promote.hop import Wanted
from kre.promote.merging import gates_again
from kre.promote.propose import propose
from kre.promote.view import View
from kre.rules.run import validate
from support.cli import kre
from support.filling import changed, promote
from support.promotion import Stage, filled, sound

POLICY = """\
environments:
- name: dev
- name: staging
  from: dev
  gates: {validate: true, policy: true, soak: 2h, approvals: 1}
- name: prod
  from: staging
  hotfix: {from: [dev], waives: [soak]}
  freeze:
  - {cron: "0 12 * * 3", duration: 2h, timeZone: UTC, reason: the weekly rehearsal}
promote:
  include: ["<component>/**"]
  units: {engine: [pipeline, responses]}
"""
NAME = "falcosidekick"
VALUES = f"base/{NAME}/values.yaml"
PASSED = {"validate": "passed", "policy": "passed", "soak": "passed", "approvals": "passed"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    stage = sound(tmp_path_factory.mktemp("merging") / "stage", POLICY)
    filled(stage)
    stage.land({"overlays/allowed-signers": stage.key("ann").line})
    stage.land({VALUES: (stage.folder / VALUES).read_text() + "# a word\n"})
    return stage


@pytest.fixture
def stage(made: Stage, tmp_path: Path) -> Stage:
    return made.twin(tmp_path / "stage")


def found(stage: Stage, since: str, at: datetime | None = None) -> list[str]:
    bundle = load(stage.folder, since=since)
    assert [each for each in validate(bundle) if each.rule in ("R2", "P16", "S05")] == []
    now = at or stage.now
    return [f"{each.rule} {each.message}" for each in gates_again(stage.folder, bundle, since, Gates(lambda: now))]


def by_hand(stage: Stage, environment: str = "staging", **fields: object) -> str:
    """A promotion that is no promotion: bytes, and a lock that says what it likes. Returns main before it."""
    before = stage.head("main")
    promote(stage, environment, NAME, source="base" if environment == "staging" else "staging")
    if environment == "prod":
        lock = "overlays/staging/release.lock.yaml"
        fields["origin"] = lockfile.read(lock, (stage.folder / lock).read_bytes()).components[NAME].origin
    changed(stage, environment, NAME, **{"gates": PASSED, **fields})
    return before


def test_gates_that_did_not_pass(stage: Stage) -> None:
    before = by_hand(stage)
    stage.forward(hours=1, minutes=59, seconds=59)
    soak, approvals = found(stage, before)
    assert soak.startswith(f"P16 {NAME}: soak: {NAME} stands in dev since 2026-01-05T")
    assert approvals.startswith(f"P16 {NAME}: unapproved: 0 of 1 signatures over sha256:")
    stage.forward(seconds=1)
    assert found(stage, before) == [approvals]


def test_by_the_command(stage: Stage) -> None:
    before = by_hand(stage)
    ended = kre("validate", "--changed-since", before, cwd=stage.folder, env=stage.environ())
    assert ended.code == 1
    assert "unapproved: 0 of 1 signatures" in ended.out
    assert "P16" in ended.out


def test_gates_that_are_other_than_told(stage: Stage) -> None:
    before = by_hand(stage, "prod", gates={"validate": "passed"})
    (said,) = found(stage, before)
    assert said == (
        f"P16 {NAME}: its gates are not as they are by what is merged: validate passed, policy passed, freeze passed"
    )


def test_a_freeze_that_began_meanwhile(stage: Stage) -> None:
    told = {"validate": "passed", "policy": "passed", "freeze": "passed"}
    before = by_hand(stage, "prod", gates=told)
    assert found(stage, before) == []
    (said,) = found(stage, before, stage.now.replace(day=7, hour=13))
    assert said == f"P16 {NAME}: freeze: prod is closed: the weekly rehearsal"


def test_a_hold_is_lifted_by_a_change_of_its_own(stage: Stage) -> None:
    changed(stage, "prod", NAME, hold=Hold("ann@example.com", "not now"))
    told = {"validate": "passed", "policy": "passed", "freeze": "passed"}
    before = by_hand(stage, "prod", gates=told, hold=None)
    assert found(stage, before) == [f"P16 {NAME}: {NAME} is held by ann@example.com: not now"]
    before = stage.head("main")
    changed(stage, "prod", NAME, hold=Hold("ann@example.com", "again"))
    assert found(stage, before) == []  # neither a hold nor its end is a promotion
    before = stage.head("main")
    changed(stage, "prod", NAME, hold=None)
    assert found(stage, before) == []


def test_policy_and_signers_are_those_that_are_merged(stage: Stage) -> None:
    before = stage.head("main")
    policy = (stage.folder / "overlays/environments.yaml").read_text()
    stage.land({"overlays/environments.yaml": policy.replace(", soak: 2h, approvals: 1", "")})
    promote(stage, "staging", NAME)
    changed(stage, "staging", NAME, gates={"validate": "passed", "policy": "passed"})
    assert len(found(stage, before)) == 2


def test_the_first_fill_waives_and_a_lock_is_not_filled_twice(stage: Stage) -> None:
    lock = "overlays/staging/release.lock.yaml"
    first = stage.git("log", "--format=%H", "--diff-filter=A", "--", lock).splitlines()[-1]
    stage.git("checkout", "--quiet", first)
    bundle = load(stage.folder, since=f"{first}^1")
    assert [*gates_again(stage.folder, bundle, f"{first}^1", Gates(lambda: stage.now))] == []
    stage.git("checkout", "--quiet", "main")
    before = by_hand(stage, gates={"validate": "passed", "policy": "passed", "soak": "waived: initial"})
    assert len(found(stage, before)) == 2


def test_a_hotfix_skips_an_environment_and_says_so(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stage.head("main")
    view = View(stage.lend(monkeypatch).folder)
    try:
        hop = propose(view, Gates(lambda: stage.now), "dev", "prod", Wanted((NAME,), hotfix="it is on fire")).hop
        apply(view, hop, "origin")
    finally:
        view.close()
    message = stage.git("show", "-s", "--format=%B", hop.branch)
    assert message.startswith(f"fix(prod): hotfix {NAME} from dev\n")
    assert "Hotfix: it is on fire" in message
    stage.merge(hop.branch)
    assert found(stage, before) == []
    lock = "overlays/prod/release.lock.yaml"
    entry = lockfile.read(lock, (stage.folder / lock).read_bytes()).components[NAME]
    assert (entry.environment, entry.hotfix) == ("dev", "it is on fire")
    changed(stage, "prod", NAME, hotfix="")  # without the reason it is a skipped environment
    bundle = load(stage.folder, since=before)
    assert "no hotfix is stated" in " ".join(each.message for each in validate(bundle) if each.rule == "R2")
