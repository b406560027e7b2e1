"""Whether a commit is signed by somebody who may, by lists of this repository and not the user's configuration."""

from __future__ import annotations

from kre.doors import ssh
from kre.doors.git.objects import Objects
from kre.doors.ssh import Signers

# A signature of another kind is verified against the user's own keys: those are not the repository's to name.
_NOTHING_ELSE = ("gpg.program", "gpg.openpgp.program", "gpg.x509.program")


def signed(objects: Objects, commit: str, signers: Signers) -> bool:
    """Whether `git verify-commit` finds a signature of SSH over the commit by an allowed signer that is not revoked.

    The dates between which a key counts are held against the commit's own date, as Git does it.
    """
    with ssh.written(signers) as (allowed, revoked):
        settings = {
            "gpg.ssh.allowedSignersFile": allowed,
            "gpg.ssh.program": "ssh-keygen",
            "gpg.minTrustLevel": "fully",
            **dict.fromkeys(_NOTHING_ELSE, "false"),
            **({"gpg.ssh.revocationFile": revoked} if revoked else {}),
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        code, _, said = objects.run(*options, "verify-commit", "--raw", commit)
    return code == 0 and said.startswith('Good "git" signature for ')
