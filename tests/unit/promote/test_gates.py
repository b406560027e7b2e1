"""Each gate, met and, before, seen blocking."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kre.model.promotion import Block, ComponentPlan, Hold, Lock, Reason, State
from kre.promote import lockfile
from kre.promote.gates import Gates
from kre.promote.signatures import text
from support.promotion import HOWS, How, Key, Stage

DAY = timedelta(hours=24)
SECOND = timedelta(seconds=1)
PROD = "gates: {validate: true, policy: true, soak: 24h, approvals: forge}"


def blocks(component: ComponentPlan) -> dict[Reason, Block]:
    return {block.reason: block for block in component.blocks}


def policy(stage: Stage, prod: str, where: str = PROD) -> None:
    """Changes the policy of prod."""
    path = "overlays/environments.yaml"
    before = (stage.folder / path).read_text()
    assert where in before
    stage.land({path: before.replace(where, prod)}, "feat: policy")


def arrive(stage: Stage, at, how: How = "merge", component: str = "pipeline") -> datetime:
    """A change of base/ that comes to staging now; returns when."""
    stage.edit(component, f"at: {stage.now}\n")
    stage.bring(at.hop("dev", "staging"), how)
    return stage.now


# ---- soak


@pytest.mark.parametrize("how", HOWS)
def test_soak_ends_at_exactly_its_time(stage: Stage, at, how: How) -> None:
    since = arrive(stage, at, how)
    early = at.one("pipeline", at=since + DAY - SECOND)
    assert early.state is State.BLOCKED
    assert blocks(early)[Reason.SOAK].message.endswith("23h 59m of 1d")
    assert blocks(early)[Reason.SOAK].hint == "from 2026-01-06T10:00:00Z on"
    assert early.gates["soak"] == "blocked"
    made = at.one("pipeline", at=since + DAY)
    assert made.state is State.PROMOTE
    assert made.locked is not None
    assert (made.locked.gates["soak"], made.locked.promoted) == ("passed", since + DAY)


@pytest.mark.parametrize("how", HOWS)
def test_a_branch_that_was_left_open_does_not_soak(stage: Stage, at, how: How) -> None:
    """The promotion's commit is days old when it is merged."""
    stage.edit("pipeline")
    hop = at.hop("dev", "staging")
    files = {
        f"overlays/staging/release/pipeline/{file.path}": stage.raw(file.result.blob)
        for file in hop.goes[0].files
        if file.result
    }
    view = at.view()
    lock = view.lock(view.step("staging"))
    assert lock
    assert hop.goes[0].locked
    entries = {**lock.components, "pipeline": hop.goes[0].locked}
    files["overlays/staging/release.lock.yaml"] = lockfile.render(Lock("staging", entries))
    stage.branch("old", files)
    merged = stage.forward(days=30)
    stage.merge("old", how)
    assert Reason.SOAK in blocks(at.one("pipeline", at=merged + DAY - SECOND))
    assert at.one("pipeline", at=merged + DAY).goes


def test_a_date_before_its_time_does_not_help(stage: Stage, at) -> None:
    """A commit that says it is older than what it is built on is as old as that."""
    stage.edit("pipeline")
    hop = at.hop("dev", "staging")
    now = stage.forward(hours=1)
    stage.land(message="test: something else")
    stage.now = datetime(2020, 1, 1, tzinfo=UTC)
    stage.bring(hop, "squash")
    stage.now = now
    found = blocks(at.one("pipeline"))[Reason.SOAK]
    assert f"since {lockfile.stamp(now)}" in found.message


def test_a_date_that_has_not_come_blocks(stage: Stage, at) -> None:
    now = stage.now
    stage.edit("pipeline")
    hop = at.hop("dev", "staging")
    stage.forward(days=365)
    stage.bring(hop)
    found = at.one("pipeline", at=now + DAY * 30)
    assert Reason.DATE_IN_FUTURE in blocks(found)
    assert found.gates["soak"] == "blocked"


def test_an_interruption_restarts_it(stage: Stage, at) -> None:
    """Other bytes for a while, then the same again."""
    path = "overlays/staging/release/pipeline/values.yaml"
    arrive(stage, at)
    right = (stage.folder / path).read_bytes()
    stage.forward(hours=20)
    stage.land({path: b"for: a while\n"})
    stage.land({path: right})
    again = stage.now
    assert Reason.SOAK in blocks(at.one("pipeline", at=again + DAY - SECOND))
    assert at.one("pipeline", at=again + DAY).goes


def test_other_commits_do_not_restart_it(stage: Stage, at) -> None:
    since = arrive(stage, at)
    stage.forward(hours=23)
    stage.edit("falco")
    stage.branch("x", {"README.md": "x\n"})
    stage.merge("x")
    assert at.one("pipeline", at=since + DAY).goes


def test_a_unit_is_as_young_as_its_youngest(stage: Stage, at) -> None:
    first = arrive(stage, at, component="falco")
    stage.forward(hours=10)
    second = arrive(stage, at, component="falcosidekick")
    found = at.one("falco", at=first + DAY)
    assert "falcosidekick stands in staging" in blocks(found)[Reason.SOAK].message
    assert {each.name for each in at.hop(at=second + DAY).goes} == {"falco", "falcosidekick"}


def test_soak_in_dev_is_that_of_base(stage: Stage, at) -> None:
    policy(stage, "gates: {validate: true, soak: 2h}", "gates: {validate: true, soak: 0h}")
    stage.edit("pipeline")
    since = stage.now
    assert Reason.SOAK in blocks(at.one("pipeline", "dev", "staging", at=since + timedelta(hours=2) - SECOND))
    assert at.one("pipeline", "dev", "staging", at=since + timedelta(hours=2)).goes


def test_no_variable_reaches_the_clock(stage: Stage, at, monkeypatch: pytest.MonkeyPatch) -> None:
    arrive(stage, at)
    stage.edit("falco")
    for name in ("SOURCE_DATE_EPOCH", "KRE_NOW", "NOW", "GIT_COMMITTER_DATE", "FAKETIME"):
        monkeypatch.setenv(name, "2100-01-01T00:00:00Z")
    assert Reason.SOAK in blocks(at.one("pipeline"))
    assert abs(Gates().now - datetime.now(UTC)) < timedelta(minutes=1)
    with pytest.raises(ValueError, match="time zone"):
        Gates(lambda: datetime(2026, 1, 1))  # noqa: DTZ001


# ---- a clone without history


def test_a_shallow_clone_says_what_it_lacks(stage: Stage, at) -> None:
    since = arrive(stage, at)
    shallow = stage.clone("shallow", "--depth=1")
    found = at.one("pipeline", folder=shallow, at=since + DAY)
    assert found.state is State.BLOCKED
    assert blocks(found)[Reason.HISTORY_MISSING].hint == "git fetch --unshallow"
    stage.git("fetch", "--quiet", "--unshallow", cwd=shallow)
    assert at.one("pipeline", folder=shallow, at=since + DAY) == at.one("pipeline", at=since + DAY)


def test_a_shallow_clone_can_tell_what_is_in_sync(stage: Stage, at) -> None:
    assert at.hop(folder=stage.clone("shallow", "--depth=1")).met


# ---- freeze


def test_a_freeze_closes_an_environment(stage: Stage, at) -> None:
    policy(stage, f"{PROD}\n  freeze: [{{cron: '0 16 * * 5', duration: 64h, reason: the weekend}}]")
    arrive(stage, at)
    friday = datetime(2026, 1, 9, 16, tzinfo=UTC)
    assert at.one("pipeline", at=friday - SECOND).goes
    found = blocks(at.one("pipeline", at=friday))[Reason.FREEZE]
    assert (found.message, found.hint) == ("prod is closed: the weekend", "until 2026-01-12T08:00:00Z")
    assert at.one("pipeline", at=friday + timedelta(hours=64)).goes
    assert at.one("falco", at=friday).state is State.IN_SYNC


# ---- signatures


def allow(stage: Stage, *keys: Key, revoked: str = "") -> None:
    stage.land({"overlays/allowed-signers": "".join(key.line for key in keys), "overlays/revoked-signers": revoked})


def approve(stage: Stage, key: Key, digest: str, environment: str = "prod", component: str = "pipeline") -> None:
    """Puts a signature on main, where one for prod and pipeline belongs."""
    command = ["ssh-keygen", "-Y", "sign", "-q", "-f", str(key.path), "-n", "kre-approval"]
    signed = text(environment, component, digest).encode()
    made = subprocess.run(command, input=signed, check=True, capture_output=True).stdout
    stage.land({f"overlays/prod/approvals/pipeline/{key.path.name}.sig": made})


@pytest.fixture
def asked(stage: Stage, at) -> tuple[Stage, str]:
    """A change that has soaked, into a prod that asks for two approvals; and its digest."""
    policy(stage, PROD.replace("forge", "2"))
    arrive(stage, at)
    stage.forward(hours=24)
    return stage, at.one("pipeline").digest


def test_two_approvals(asked: tuple[Stage, str], at) -> None:
    stage, digest = asked
    one, two = stage.key("one"), stage.key("two")
    assert Reason.NO_SIGNERS in blocks(at.one("pipeline"))
    allow(stage, one, two)
    found = blocks(at.one("pipeline"))[Reason.UNAPPROVED]
    assert found.message.startswith("0 of 2 signatures")
    assert found.hint == "kre approve prod pipeline"
    approve(stage, one, digest)
    assert blocks(at.one("pipeline"))[Reason.UNAPPROVED].message.startswith("1 of 2")
    approve(stage, two, digest)
    made = at.one("pipeline")
    assert made.goes
    assert made.gates["approvals"] == "passed"
    stage.edit("pipeline", "later: true\n")  # what was signed does not hold for what comes after it
    stage.bring(at.hop("dev", "staging"))
    stage.forward(hours=24)
    assert blocks(at.one("pipeline"))[Reason.UNAPPROVED].message.startswith("0 of 2")


def test_approvals_that_do_not_count(asked: tuple[Stage, str], at) -> None:
    stage, digest = asked
    one, two, stranger = stage.key("one"), stage.key("two"), stage.key("stranger")
    allow(stage, one, two)
    approve(stage, one, digest)
    approve(stage, stranger, digest)
    assert "stranger.sig: no allowed signer" in blocks(at.one("pipeline"))[Reason.UNAPPROVED].message
    for replayed in ({"environment": "staging"}, {"component": "falco"}):
        approve(stage, two, digest, **replayed)
        assert blocks(at.one("pipeline"))[Reason.UNAPPROVED].message.startswith("1 of 2")
    approve(stage, two, f"sha256:{'0' * 64}")
    assert blocks(at.one("pipeline"))[Reason.UNAPPROVED].message.startswith("1 of 2")
    approve(stage, two, digest)
    assert at.one("pipeline").goes
    mine = blocks(at.one("pipeline", authors=frozenset({"two@example.com"})))[Reason.UNAPPROVED]
    assert "two.sig: two@example.com is the author of the promotion" in mine.message
    stage.git("config", "user.email", "one@example.com")
    assert "one.sig: one@example.com is the author" in blocks(at.one("pipeline"))[Reason.UNAPPROVED].message
    stage.git("config", "user.email", "test@example.com")
    allow(stage, one, two, revoked=f"{two.public}\n")
    assert blocks(at.one("pipeline"))[Reason.UNAPPROVED].message.startswith("1 of 2")


def test_only_what_is_merged_says_who_may_sign(asked: tuple[Stage, str], at) -> None:
    stage, digest = asked
    one, two = stage.key("one"), stage.key("two")
    allow(stage, one)
    approve(stage, one, digest)
    stage.branch("mine", {"overlays/allowed-signers": one.line + two.line})
    stage.git("checkout", "--quiet", "mine")
    assert blocks(at.one("pipeline"))[Reason.UNAPPROVED].message.startswith("1 of 2")


def test_signed(stage: Stage, at) -> None:
    one, two = stage.key("one"), stage.key("two")
    policy(stage, "gates: {signed: true}", "gates: {validate: true, soak: 0h}")
    stage.edit("pipeline")
    assert Reason.NO_SIGNERS in blocks(at.one("pipeline", "dev", "staging"))
    allow(stage, one)
    found = at.one("pipeline", "dev", "staging")
    assert (found.gates["signed"], Reason.UNSIGNED in blocks(found)) == ("blocked", True)
    stage.land({"base/pipeline/values.yaml": "a: 1\n"}, key=two)
    assert Reason.UNSIGNED in blocks(at.one("pipeline", "dev", "staging"))
    stage.land({"base/pipeline/values.yaml": "a: 2\n"}, key=one)
    made = at.one("pipeline", "dev", "staging")
    assert (made.gates["signed"], made.blocks) == ("passed", ())
    stage.land({"README.md": "not signed\n"})  # somebody else's change does not matter
    assert at.one("pipeline", "dev", "staging").goes
    allow(stage, one, revoked=f"{one.public}\n")
    assert Reason.UNSIGNED in blocks(at.one("pipeline", "dev", "staging"))


# ---- holds


def hold(stage: Stage, at, component: str, until: datetime | None = None) -> None:
    view = at.view()
    lock = view.lock(view.step("prod"))
    assert lock
    held = replace(lock.components[component], hold=Hold("ops@example.com", "it leaks", until))
    stage.land({"overlays/prod/release.lock.yaml": lockfile.render(Lock("prod", {**lock.components, component: held}))})


def test_a_hold_stops_its_unit_and_no_other(stage: Stage, at) -> None:
    arrive(stage, at, component="falco")
    arrive(stage, at, component="pipeline")
    stage.forward(hours=24)
    hold(stage, at, "falcosidekick")
    hop = at.hop()
    assert [each.name for each in hop.goes] == ["pipeline"]
    found = blocks(hop.components[0])[Reason.HOLD]
    assert found.message == "falcosidekick is held by ops@example.com: it leaks"
    assert found.hint == "kre unhold prod falcosidekick"
    assert hop.components[1].state is State.IN_SYNC


def test_a_hold_ends_when_it_says(stage: Stage, at) -> None:
    since = arrive(stage, at)
    until = since + timedelta(days=3)
    hold(stage, at, "pipeline", until)
    assert Reason.HOLD in blocks(at.one("pipeline", at=until - SECOND))
    made = at.one("pipeline", at=until)
    assert made.goes
    assert made.locked is not None
    assert made.locked.hold is None


def test_a_hotfix_does_not_lift_a_hold(stage: Stage, at) -> None:
    policy(stage, f"{PROD}\n  hotfix: {{from: [dev], waives: [soak, freeze, approvals, signed]}}")
    arrive(stage, at)
    assert at.one("pipeline", "dev", "prod", hotfix="outage").goes
    assert at.one("pipeline", "staging", "prod", hotfix="outage").goes
    hold(stage, at, "pipeline")
    assert list(blocks(at.one("pipeline", "dev", "prod", hotfix="outage"))) == [Reason.HOLD]


# ---- the gates as they are on the default branch


def test_the_policy_is_that_of_the_default_branch(stage: Stage, at, tmp_path: Path) -> None:
    arrive(stage, at)
    before = (stage.folder / "overlays/environments.yaml").read_text()
    stage.branch("lax", {"overlays/environments.yaml": before.replace("24h", "0h")})
    stage.git("checkout", "--quiet", "lax")
    assert Reason.SOAK in blocks(at.one("pipeline"))
