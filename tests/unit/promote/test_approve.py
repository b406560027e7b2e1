"""Approvals: signed by those who may, over exactly what would enter; and they count for the gate."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kre.doors import ssh
from kre.errors import Blocked, UsageError
from kre.model.promotion import Reason
from kre.promote import approve, present, signatures
from kre.promote.gates import Gates
from kre.promote.hop import Wanted
from kre.promote.plan import plan
from kre.promote.view import View
from kre.promote.writing import Outcome, deliver
from support.filling import held
from support.promotion import POLICY, Key, Stage

TWO = POLICY.replace("soak: 0h}", "soak: 0h, approvals: 1}")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """staging wants one approval; ann may give it."""
    made = held(tmp_path_factory.mktemp("made") / "stage", TWO)
    made.land({"overlays/allowed-signers": made.key("ann").line})
    made.edit("pipeline")
    return made


@pytest.fixture
def stage(made: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return made.twin(tmp_path / "stage").lend(monkeypatch)


def sign(
    stage: Stage, key: Key | str, component: str = "pipeline", remote: str = ""
) -> tuple[approve.Approval, Outcome]:
    view = View(stage.folder)
    try:
        step = present.target(view, "staging")
        digest = approve.digest_of(view, step, component, stage.now)
        name = key if isinstance(key, str) else str(key.path)
        made = approve.approve(view, step, component, digest, name, stage.now, remote)
        return made, deliver(stage.folder, approve.change(view, step, made), remote)
    finally:
        view.close()


def gate(stage: Stage) -> tuple[str, set[Reason]]:
    view = View(stage.folder)
    hop = plan(view, Gates(lambda: stage.now), "dev", "staging", Wanted(("pipeline",))).hops[0]
    view.close()
    (found,) = hop.components
    return found.gates["approvals"], {block.reason for block in found.blocks}


def test_an_approval_opens_the_gate_when_it_is_merged(stage: Stage) -> None:
    assert gate(stage) == ("blocked", {Reason.UNAPPROVED})
    made, outcome = sign(stage, stage.key("ann"), remote="origin")
    assert outcome.written.branch.startswith("approve/staging/pipeline/")
    assert gate(stage) == ("blocked", {Reason.UNAPPROVED})
    stage.merge(outcome.written.branch)
    assert gate(stage) == ("passed", set())
    stage.edit("pipeline", "another: 1\n")  # it is for those bytes alone
    assert gate(stage) == ("blocked", {Reason.UNAPPROVED})
    again, outcome = sign(stage, stage.key("ann"), remote="origin")
    assert again.path == made.path  # a person has one signature a component
    assert stage.git("diff", "--name-status", "main", outcome.written.branch).split() == ["M", made.path]


def test_the_file_is_what_the_docs_say(stage: Stage) -> None:
    made, outcome = sign(stage, stage.key("ann"))
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-E", "sha256", "-f", f"{stage.key('ann').path}.pub"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert made.by.key in shown
    name = made.path.rpartition("/")[2]
    assert made.path == f"overlays/staging/approvals/pipeline/{name}"
    assert len(name) == 64 + len(".sig")
    signature = stage.folder.parent / "signature"
    signature.write_bytes(stage.raw(stage.files(outcome.written.commit)[made.path].split()[1]))
    signers = ["-f", "overlays/allowed-signers", "-I", "ann@example.com", "-n", "kre-approval", "-s", str(signature)]
    subprocess.run(
        ["ssh-keygen", "-Y", "verify", *signers],
        input=f"staging pipeline {made.digest}\n",
        cwd=stage.folder,
        check=True,
        capture_output=True,
        text=True,
    )


def test_twice_is_once(stage: Stage) -> None:
    _, first = sign(stage, stage.key("ann"), remote="origin")
    made, again = sign(stage, stage.key("ann"), remote="origin")
    assert (again.written.changed, again.remote, made.merged) == (False, "there", False)
    stage.merge(first.written.branch)
    view = View(stage.folder)
    merged = approve.approve(
        view, present.target(view, "staging"), "pipeline", made.digest, str(stage.key("ann").path), stage.now
    )
    view.close()
    assert merged.merged


def test_a_key_that_signs_another_way_each_time(stage: Stage) -> None:
    path = stage.folder.parent / "ecdsa"
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(path)], check=True)
    public = " ".join(Path(f"{path}.pub").read_text().split()[:2])
    stage.land({"overlays/allowed-signers": f"eve@example.com {public}\n"})
    one, two = (ssh.sign("x\n", signatures.NAMESPACE, str(path)) for _ in range(2))
    assert one != two
    _, first = sign(stage, str(path))
    assert not sign(stage, str(path))[1].written.changed
    assert first.written.changed


@pytest.mark.parametrize("case", ["stranger", "no list", "own list", "revoked", "wildcard"])
def test_nobody_else_can_approve(stage: Stage, case: str) -> None:
    key = stage.key("bob")
    if case == "no list":
        stage.land({"overlays/allowed-signers": None})
    elif case == "own list":  # not merged
        stage.write({"overlays/allowed-signers": key.line})
    elif case == "revoked":
        stage.land({"overlays/allowed-signers": key.line, "overlays/revoked-signers": f"{key.public}\n"})
    elif case == "wildcard":
        stage.land({"overlays/allowed-signers": f"*@example.com {key.public}\n"})
    before = stage.refs()
    with pytest.raises(Blocked, match="nobody may approve" if case == "no list" else "nothing was signed with"):
        sign(stage, key)
    assert stage.refs() == before


def test_keys_that_can_not_sign(stage: Stage) -> None:
    secret = stage.folder.parent / "secret"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "passphrase", "-f", str(secret)], check=True)
    public = Path(f"{secret}.pub").read_text().strip()
    for key in ("/no/such/key", str(secret), public):
        with pytest.raises(UsageError, match="can't sign") as caught:
            sign(stage, key)
        assert "--key FILE" in caught.value.hint


def test_nothing_to_approve(stage: Stage) -> None:
    with pytest.raises(UsageError, match="nothing to approve"):
        sign(stage, stage.key("ann"), "falco")
    with pytest.raises(UsageError, match="there is no component 'nothing'"):
        sign(stage, stage.key("ann"), "nothing")
