"""An approval: a signature over what is to enter an environment, as a file of its own on a branch of its own."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime

from kre.doors import ssh
from kre.doors.git import branches, push
from kre.doors.git.plumbing import Plumbing
from kre.doors.git.write import Change
from kre.doors.ssh import Signature
from kre.errors import Blocked, UsageError
from kre.model.policy import Step
from kre.model.promotion import State
from kre.promote import signatures
from kre.promote.gates import Gates
from kre.promote.hop import Wanted
from kre.promote.plan import plan
from kre.promote.view import View


@dataclass(frozen=True, slots=True)
class Approval:
    """A signature that holds, the file it stands in, and whether that is merged already."""

    component: str
    digest: str
    by: Signature
    path: str
    content: bytes
    merged: bool


def digest_of(view: View, step: Step, component: str, now: datetime) -> str:
    """The digest that a promotion would bring into an environment now: what an approval is over.

    Raises UsageError where it would bring nothing.
    """
    hops = plan(view, Gates(lambda: now), step.source or "", step.name, Wanted((component,))).hops
    found = next(each for each in hops[-1].components if each.name == component)
    if found.state is State.IN_SYNC:
        raise UsageError(f"{component} is in {step.name} as {step.source} has it: there is nothing to approve")
    return found.digest


def approve(view: View, step: Step, component: str, digest: str, key: str, now: datetime, remote: str = "") -> Approval:
    """Signs, with a key of an allowed signer. What the same key signed before, merged or on its branch, is taken as it
    stands, for some kinds of keys never sign twice alike.

    Raises Blocked where the default branch does not allow the key, UsageError where it can't be used.
    """
    if view.signers is None:
        hint = f"add the people who may: one line each, as ssh-keygen(1) says; see docs/promote.md ({view.branch})"
        raise Blocked(f"{signatures.SIGNERS} is not on the default branch: nobody may approve", hint)
    text = signatures.text(step.name, component, digest)
    content = ssh.sign(text, signatures.NAMESPACE, key)
    by = ssh.verify(text, content, signatures.NAMESPACE, view.signers, now)
    if isinstance(by, str):
        hint = f"{signatures.SIGNERS} on {view.branch} says who may sign; another key: --key FILE"
        raise Blocked(f"nothing was signed with {key}: {by}", hint)
    path = f"{signatures.folder(step.name, component)}/{fingerprint(by)}.sig"
    for commit in (view.base, *_tips(view, _branch(step, component, by), remote)):
        known = view.objects.file(commit, path)
        if known is not None and _is(ssh.verify(text, known, signatures.NAMESPACE, view.signers, now), by):
            return Approval(component, digest, by, path, known, merged=commit == view.base)
    return Approval(component, digest, by, path, content, merged=False)


def change(view: View, step: Step, approval: Approval) -> Change:
    """The commit that adds the signature."""
    name = approval.component
    message = f"chore({step.name}): approve {name}\n\nApproved-By: {approval.by.names[0]}\n"
    branch = _branch(step, name, approval.by)
    return Change(branch, view.base, f"{message}Approved-Digest: {approval.digest}", {approval.path: approval.content})


def fingerprint(by: Signature) -> str:
    """A key's fingerprint in letters that any file system keeps apart."""
    return base64.b64decode(f"{by.key.removeprefix('SHA256:')}=").hex()


def _branch(step: Step, component: str, by: Signature) -> str:
    return f"approve/{step.name}/{component}/{fingerprint(by)[:16]}"


def _tips(view: View, branch: str, remote: str) -> list[str]:
    folder = view.objects.folder
    seen = push.seen(folder, remote, branch) if remote else ""
    return [tip for tip in (branches.tip(Plumbing(folder), f"refs/heads/{branch}"), seen) if tip]


def _is(found: Signature | str, by: Signature) -> bool:
    return not isinstance(found, str) and found.key == by.key
