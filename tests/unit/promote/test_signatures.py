"""Signatures by real keys: whose count, and for what."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kre.doors.git.objects import Objects
from kre.doors.git.signing import signed
from kre.doors.ssh import Signers
from kre.promote.signatures import Approvals, approvals, text
from support.promotion import Key, Stage, small

DIGEST, OTHER = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
TEXT = text("prod", "falco", DIGEST)


def sign(key: Key, signed: str = TEXT, namespace: str = "kre-approval") -> bytes:
    """A signature by ssh-keygen."""
    command = ["ssh-keygen", "-Y", "sign", "-q", "-f", str(key.path), "-n", namespace]
    return subprocess.run(command, input=signed.encode(), check=True, capture_output=True).stdout


def judge(*signatures: bytes, signers: Signers, authors: tuple[str, ...] = (), text: str = TEXT) -> Approvals:
    return approvals(text, {f"{n}.sig": each for n, each in enumerate(signatures)}, signers, authors, NOW)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return small(tmp_path_factory.mktemp("stage"))


def allow(*keys: Key) -> Signers:
    return Signers("".join(key.line for key in keys).encode())


def test_two_signers_count_as_two(stage: Stage) -> None:
    one, two = stage.key("one"), stage.key("two")
    found = judge(sign(one), sign(two), signers=allow(one, two))
    assert [each.names for each in found.given.values()] == [("one@example.com",), ("two@example.com",)]
    assert not found.refused


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (text("staging", "falco", DIGEST), "not over this text"),
        (text("prod", "pipeline", DIGEST), "not over this text"),
        (text("prod", "falco", OTHER), "not over this text"),
        (TEXT.rstrip("\n"), "not over this text"),
        (TEXT.replace("\n", "\r\n"), "not over this text"),
    ],
)
def test_a_signature_is_for_one_text(stage: Stage, made: str, why: str) -> None:
    key = stage.key("one")
    found = judge(sign(key, made), signers=allow(key))
    assert not found.given
    assert why in found.refused["0.sig"]


def test_a_signature_for_something_else_does_not_count(stage: Stage) -> None:
    key = stage.key("one")
    assert not judge(sign(key, namespace="git"), signers=allow(key)).given


def test_who_is_not_on_the_list_does_not_count(stage: Stage) -> None:
    one, stranger = stage.key("one"), stage.key("stranger")
    assert "no allowed signer" in judge(sign(stranger), signers=allow(one)).refused["0.sig"]
    assert "no allowed signer" in judge(sign(one), signers=Signers(b"")).refused["0.sig"]


def test_a_stranger_who_uses_a_name_on_the_list_does_not_count(stage: Stage) -> None:
    one, stranger = stage.key("one"), stage.key("stranger")
    forged = sign(stranger).replace(b"\n", b"\n", 1)
    assert not judge(forged, signers=Signers(f"{one.principal} {one.public}\n".encode())).given
    assert not judge(b"-----BEGIN SSH SIGNATURE-----\nAAAA\n", b"", b"\0\xff", signers=allow(one)).given


def test_the_author_does_not_count(stage: Stage) -> None:
    one, two = stage.key("one"), stage.key("two")
    found = judge(sign(one), sign(two), signers=allow(one, two), authors=("ONE@example.com",))
    assert list(found.given) == ["1.sig"]
    assert "author" in found.refused["0.sig"]
    both = Signers(f"other@example.com,one@example.com {one.public}\n".encode())
    assert not judge(sign(one), signers=both, authors=("one@example.com",)).given


def test_one_person_and_one_key_count_once(stage: Stage) -> None:
    one, two = stage.key("one"), stage.key("two")
    assert list(judge(sign(one), sign(one), signers=allow(one)).given) == ["0.sig"]
    same_person = Signers(f"{one.line}{one.principal} {two.public}\n".encode())
    assert len(judge(sign(one), sign(two), signers=same_person).given) == 1
    same_key = Signers(f"{one.line}two@example.com {one.public}\n".encode())
    assert len(judge(sign(one), sign(one), signers=same_key).given) == 1


def test_a_pattern_is_nobody(stage: Stage) -> None:
    one = stage.key("one")
    found = judge(sign(one), signers=Signers(f"*@example.com {one.public}\n".encode()))
    assert "may be anybody" in found.refused["0.sig"]


def test_a_revoked_key_does_not_count(stage: Stage) -> None:
    one, two = stage.key("one"), stage.key("two")
    signers = Signers(allow(one, two).allowed, f"{one.public}\n".encode())
    assert list(judge(sign(one), sign(two), signers=signers).given) == ["1.sig"]


@pytest.mark.parametrize(("option", "counts"), [("before", False), ("after", True)])
def test_a_key_counts_for_its_time(stage: Stage, option: str, *, counts: bool) -> None:
    one = stage.key("one")
    line = f'{one.principal} valid-{option}="20260101Z" {one.public}\n'
    assert bool(judge(sign(one), signers=Signers(line.encode())).given) is counts


def test_a_key_for_commits_alone_does_not_approve(stage: Stage) -> None:
    one = stage.key("one")
    line = f'{one.principal} namespaces="git" {one.public}\n'
    assert not judge(sign(one), signers=Signers(line.encode())).given


def test_signed_commits(tmp_path: Path) -> None:
    stage = small(tmp_path)
    one, two = stage.key("one"), stage.key("two")
    mine, other, plain = stage.land(key=one), stage.land(key=two), stage.land()
    with Objects(stage.folder) as objects:
        for commit, allowed in ((mine, True), (other, False), (plain, False)):
            assert signed(objects, commit, allow(one)) is allowed
        assert not signed(objects, mine, Signers(b""))
        assert not signed(objects, mine, Signers(b"nonsense\n"))
        assert not signed(objects, mine, Signers(allow(one).allowed, f"{one.public}\n".encode()))
        late = f'{one.principal} valid-after="20260301Z" {one.public}\n'
        assert not signed(objects, mine, Signers(late.encode()))


def test_a_commit_changed_after_it_was_signed(tmp_path: Path) -> None:
    stage = small(tmp_path)
    one = stage.key("one")
    raw = stage.git("cat-file", "commit", stage.land(key=one)) + "\n"
    path = tmp_path / "forged"
    path.write_text(raw.replace("test: change", "test: chance"))
    forged = stage.git("hash-object", "-t", "commit", "-w", str(path))
    with Objects(stage.folder) as objects:
        assert not signed(objects, forged, allow(one))


def test_the_users_own_configuration_has_no_say(tmp_path: Path) -> None:
    """A list of signers, a program, a trust level in the clone's configuration."""
    stage = small(tmp_path)
    one, stranger = stage.key("one"), stage.key("stranger")
    made = stage.land(key=stranger)
    (tmp_path / "own").write_text(stranger.line)
    always = tmp_path / "always"
    always.write_text("#!/bin/sh\necho 'Good \"git\" signature for one@example.com with ED25519 key SHA256:x'\n")
    always.chmod(0o755)
    stage.git("config", "gpg.ssh.allowedSignersFile", str(tmp_path / "own"))
    stage.git("config", "gpg.ssh.program", str(always))
    stage.git("config", "gpg.minTrustLevel", "never")
    with Objects(stage.folder) as objects:
        assert not signed(objects, made, allow(one))


def test_a_signature_of_another_kind_does_not_count(tmp_path: Path) -> None:
    """OpenPGP would be verified against whatever keys the user happens to have."""
    stage = small(tmp_path)
    one = stage.key("one")
    always = tmp_path / "always"
    status = "[GNUPG:] NEWSIG\\n[GNUPG:] GOODSIG 0123456789ABCDEF somebody\\n[GNUPG:] TRUST_ULTIMATE 0 pgp\\n"
    always.write_text(f"#!/bin/sh\ncat >/dev/null\nprintf '{status}'\n")
    always.chmod(0o755)
    head, _, body = stage.git("cat-file", "commit", stage.head()).partition("\n\n")
    block = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n AAAA\n -----END PGP SIGNATURE-----"
    path = tmp_path / "commit"
    path.write_text(f"{head}\n{block}\n\n{body}\n")
    made = stage.git("hash-object", "-t", "commit", "-w", str(path))
    stage.git("config", "gpg.program", str(always))
    assert stage.git("verify-commit", made) == ""  # it does for Git, with this configuration
    with Objects(stage.folder) as objects:
        assert not signed(objects, made, allow(one))
