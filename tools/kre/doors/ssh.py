"""Signatures of ssh-keygen: who made one, by a list of those who may."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kre.doors import command
from kre.errors import ToolError, UsageError


@dataclass(frozen=True, slots=True)
class Signers:
    """An allowed-signers file, and the keys that are no longer trusted (a list of public keys or a KRL; b"" for
    none): the formats of ssh-keygen."""

    allowed: bytes
    revoked: bytes = b""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that holds: the names that the signer goes by, and the key's fingerprint."""

    names: tuple[str, ...]
    key: str


@contextlib.contextmanager
def written(signers: Signers) -> Iterator[tuple[str, str]]:
    """The paths of both lists as files for the time being, "" for no revoked keys."""
    with tempfile.TemporaryDirectory(prefix="kre-") as scratch:
        allowed, revoked = Path(scratch, "allowed"), Path(scratch, "revoked")
        allowed.write_bytes(signers.allowed)
        if signers.revoked.strip():
            revoked.write_bytes(signers.revoked)
        yield str(allowed), str(revoked) if revoked.exists() else ""


def verify(text: str, signature: bytes, namespace: str, signers: Signers, now: datetime) -> Signature | str:
    """Who signed this text for this namespace, or why it does not count. Raises ToolError without ssh-keygen.

    A key that the list gives to a pattern such as *@example.com does not count: nobody could tell two people apart.
    """
    program = _program()
    at = f"-Overify-time={now.astimezone(UTC):%Y%m%d%H%M%SZ}"
    with written(signers) as (allowed, revoked), tempfile.TemporaryDirectory(prefix="kre-") as scratch:
        path = os.path.join(scratch, "signature")
        Path(path).write_bytes(signature)
        found = command.run([program, "-Y", "find-principals", at, "-f", allowed, "-s", path])
        names = tuple(name for line in found.stdout.splitlines() for name in line.split(",") if name)
        if found.code or not names:
            return "no allowed signer made it"
        if any(set(name) & set("*?!") for name in names):
            return f"the list of signers gives its key to {','.join(names)}, which may be anybody"
        only = ["-r", revoked] if revoked else []
        named = ["-f", allowed, "-I", names[0], "-n", namespace, "-s", path]
        checked = command.run([program, "-Y", "verify", at, *only, *named], stdin=text)
    key = re.search(r"key (SHA256:\S+)", checked.stdout)
    if checked.code or key is None:
        why = "the key is revoked" if "revoked" in checked.stderr.lower() else "it is not over this text"
        return f"{names[0]}: {why}"
    return Signature(names, key[1])


def sign(text: str, namespace: str, key: str) -> bytes:
    """A signature over a text. `key` is the path of a private key, of a public one whose private half ssh-agent has, or
    a public key itself. Raises UsageError where it can't be used, ToolError without ssh-keygen.
    """
    program = _program()
    with tempfile.TemporaryDirectory(prefix="kre-") as scratch:
        path = os.path.expanduser(key)
        if re.match(r"(ssh|ecdsa|sk-)[A-Za-z0-9@.-]* ", key):
            path = os.path.join(scratch, "key.pub")
            Path(path).write_text(f"{key}\n")
        done = command.run([program, "-Y", "sign", "-f", path, "-n", namespace], stdin=text)
    if done.code:
        why = next(iter(done.stderr.strip().splitlines()), f"exit code {done.code}")
        raise UsageError(
            f"{key} can't sign: {why}", "name a key: --key FILE; one with a passphrase goes to ssh-add first"
        )
    return done.stdout.encode()


def _program() -> str:
    program = command.find("ssh-keygen")
    if program is None:
        raise ToolError("ssh-keygen was not found", "install it: your system's package openssh-client (8.9 or newer)")
    return program
