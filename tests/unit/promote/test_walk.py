"""One change on its way from base/ to prod: each gate stands in its way before it is met, and each hop is merged."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kre.load.bundle import load
from kre.model.promotion import Hold, Hop, Reason, State
from kre.promote import approve, hold, present, signatures
from kre.promote.apply import apply
from kre.promote.gates import Gates
from kre.promote.hop import Wanted
from kre.promote.merging import gates_again
from kre.promote.propose import Proposal, propose
from kre.promote.view import View
from kre.promote.writing import deliver
from kre.rules.run import validate
from support.promotion import HOWS, How, Key, Stage, filled, sound

NAME = "falcosidekick"
VALUES = f"base/{NAME}/values.yaml"
POLICY = """\
environments:
- name: dev
- name: staging
  from: dev
  gates: {validate: true, policy: true, soak: 2h, signed: true}
- name: prod
  from: staging
  gates: {validate: true, policy: true, soak: 24h, approvals: 1}
  freeze:
  - {cron: "0 12 * * 3", duration: 2h, timeZone: UTC, reason: the weekly rehearsal}
promote:
  include: ["<component>/**"]
  forbid: ["**/environment.yaml", "**/values/**"]
  units: {detection: [falco, falcosidekick]}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    stage = sound(tmp_path_factory.mktemp("walk") / "stage", POLICY)
    filled(stage)
    stage.land({"overlays/allowed-signers": "".join(stage.key(name).line for name in ("ann", "bob", "test"))})
    return stage


@pytest.fixture
def stage(made: Stage, tmp_path: Path) -> Stage:
    return made.twin(tmp_path / "stage")


@pytest.fixture
def walk(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Walk:
    return Walk(stage, monkeypatch)


class Walk:
    """Plans, writes and merges at the stage's time."""

    def __init__(self, stage: Stage, patch: pytest.MonkeyPatch) -> None:
        self.stage, self._patch = stage, patch

    def view(self) -> View:
        return View(self.stage.lend(self._patch).folder)

    def propose(self, source: str, target: str, **wanted: object) -> Proposal:
        view = self.view()
        try:
            return propose(view, Gates(lambda: self.stage.now), source, target, Wanted((NAME,), **wanted))  # type: ignore[arg-type]
        finally:
            view.close()

    def stands(self, source: str, target: str, **wanted: object) -> set[Reason]:
        """The reasons against the component; and nothing can be written then."""
        hop = self.propose(source, target, **wanted).hop
        (found,) = hop.components
        assert bool(found.blocks) == (not hop.goes)
        assert all(block.hint for block in found.blocks)
        return {block.reason for block in found.blocks}

    def go(self, source: str, target: str, how: How) -> Hop:
        """Writes the hop, pushes it, has it checked as a pull request and merged."""
        view = self.view()
        try:
            hop = propose(view, Gates(lambda: self.stage.now), source, target, Wanted((NAME,)), remote="origin").hop
            outcome = apply(view, hop, "origin")
        finally:
            view.close()
        assert outcome.remote == "pushed"
        self.merge(hop.branch, how)
        return hop

    def merge(self, branch: str, how: How = "merge") -> None:
        before = self.stage.head("main")
        self.stage.merge(branch, how)
        bundle = load(self.stage.folder, since=before)
        found = [*validate(bundle), *gates_again(self.stage.folder, bundle, before, Gates(lambda: self.stage.now))]
        assert [each for each in found if each.severity == "error"] == []

    def branch(self, made: Callable[[View], object]) -> None:
        """Delivers what `made` gives, and merges that."""
        view = self.view()
        try:
            change = made(view)
            deliver(self.stage.folder, change, "origin")  # type: ignore[arg-type]
        finally:
            view.close()
        self.merge(change.branch)  # type: ignore[attr-defined]

    def approve(self, key: Key) -> None:
        def made(view: View) -> object:
            step = present.target(view, "prod")
            digest = approve.digest_of(view, step, NAME, self.stage.now)
            given = approve.approve(view, step, NAME, digest, str(key.path), self.stage.now)
            return approve.change(view, step, given)

        self.branch(made)

    def sign(self, key: Key, text: str) -> None:
        """A signature file by hand, whatever it is over."""
        done = subprocess.run(
            ["ssh-keygen", "-q", "-Y", "sign", "-n", signatures.NAMESPACE, "-f", str(key.path)],
            input=text.encode(),
            capture_output=True,
            check=True,
        )
        self.stage.land({f"{signatures.folder('prod', NAME)}/{key.principal}.sig": done.stdout})


@pytest.mark.parametrize("how", HOWS)
def test_from_base_to_prod(walk: Walk, how: How) -> None:
    old = walk.propose("staging", "prod").hop.components[0].digest
    to_staging(walk, how)
    new = walk.propose("staging", "prod").hop.components[0].digest
    assert new != old
    soaked_and_approved(walk, old, new)
    held_frozen_and_drifted(walk)
    assert walk.go("dev", "prod", how).target == "prod"
    assert all(each.met for each in walk.propose("dev", "prod").plan.hops)
    base = walk.stage.files("main", f"base/{NAME}")
    for environment in ("staging", "prod"):
        folder = f"overlays/{environment}/release/{NAME}"
        held = walk.stage.files("main", folder)
        assert {path.replace(folder, f"base/{NAME}"): entry for path, entry in held.items()} == base


def to_staging(walk: Walk, how: How) -> None:
    """Signed, and two hours old: before that it is refused."""
    stage = walk.stage
    text = (stage.folder / VALUES).read_text()
    changed = {VALUES: f"{text}# a word\n"}
    stage.land(changed)
    stage.forward(hours=2)
    assert walk.stands("dev", "staging") == {Reason.UNSIGNED}
    stage.land({VALUES: text})
    stage.land(changed, key=stage.key("ann"))
    assert walk.stands("dev", "prod") == {Reason.SOAK}
    stage.forward(hours=1, minutes=59, seconds=59)
    assert walk.stands("dev", "staging") == {Reason.SOAK}
    stage.forward(seconds=1)
    _, second = walk.propose("dev", "prod").plan.hops
    assert [block.reason for block in second.blocks] == [Reason.SOURCE_NOT_MERGED]
    walk.go("dev", "staging", how)


def soaked_and_approved(walk: Walk, old: str, new: str) -> None:
    """A day old, and signed by somebody who may: not forged, replayed, of another environment, or the author's own."""
    stage = walk.stage
    stage.forward(hours=23, minutes=59, seconds=59)
    assert walk.stands("dev", "prod") == {Reason.SOAK, Reason.UNAPPROVED}
    stage.forward(seconds=1)
    assert walk.stands("dev", "prod") == {Reason.UNAPPROVED}
    for name, environment, digest in (
        ("mallory", "prod", new),
        ("bob", "prod", old),
        ("bob", "staging", new),
        ("test", "prod", new),  # who promotes
    ):
        walk.sign(stage.key(name), signatures.text(environment, NAME, digest))
        assert walk.stands("dev", "prod") == {Reason.UNAPPROVED}, (name, environment)
    walk.approve(stage.key("bob"))
    assert walk.stands("dev", "prod") == set()


def held_frozen_and_drifted(walk: Walk) -> None:
    """Each closes prod by itself, and opens it again."""
    stage, given = walk.stage, Hold("ann@example.com", "not now")
    walk.branch(lambda view: hold.hold(view, present.target(view, "prod"), NAME, given))
    assert walk.stands("dev", "prod") == {Reason.HOLD}
    walk.branch(lambda view: hold.unhold(view, present.target(view, "prod"), NAME))
    assert walk.stands("dev", "prod") == set()

    stage.now = stage.now.replace(day=7, hour=12, minute=0, second=0)  # the Wednesday
    assert walk.stands("dev", "prod") == {Reason.FREEZE}
    stage.forward(hours=1, minutes=59, seconds=59)
    assert walk.stands("dev", "prod") == {Reason.FREEZE}
    stage.forward(seconds=1)
    assert walk.stands("dev", "prod") == set()

    release = f"overlays/prod/release/{NAME}/values.yaml"
    text = (stage.folder / release).read_text()
    stage.land({release: f"{text}# by hand\n"})
    assert walk.propose("dev", "prod").hop.components[0].state is State.DRIFTED
    # What would come of it is not what was approved either.
    assert walk.stands("dev", "prod") == {Reason.DRIFT, Reason.UNAPPROVED}
    stage.land({release: text})
