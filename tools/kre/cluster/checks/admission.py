"""The admission policies: there, as rendered and no weaker, and in effect."""

from __future__ import annotations

import re

from kre.cluster.checks.content import missing
from kre.cluster.compare import differs, more
from kre.cluster.reading import ATTEMPTS
from kre.cluster.result import Trouble, Verdict
from kre.cluster.snapshot import CREATED, OK, Snapshot
from kre.model.resource import dig

NONE = "no policy is rendered"
_KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


def policies(snapshot: Snapshot) -> Verdict:
    """Each policy and binding is what is rendered: not less, and nothing that lets something by."""
    troubles, names = [], []
    for item in snapshot.wanted.of(*_KINDS):
        names.append(item.name)
        live = snapshot.live(item)
        if live is None:
            troubles.append(missing(snapshot.wanted, item))
            continue
        at = differs(item.body, live) or more(dig(item.body, "spec"), dig(live, "spec"))
        if at:
            application = f"{snapshot.wanted.name}-{item.root.rpartition('/')[2]}"
            remedy = f"sync {application}; a rule that was changed by hand holds nobody"
            troubles.append(Trouble("failed", str(item), f"{at} is not as rendered", remedy))
    return Verdict(", ".join(dict.fromkeys(names)) or NONE, tuple(troubles))


def in_effect(snapshot: Snapshot) -> Verdict:
    """What the dispatcher must not write is refused by the policy, not only by RBAC."""
    troubles, well = [], []
    rendered = {item.name for item in snapshot.wanted.of("ValidatingAdmissionPolicy")}
    for policy in (name for name in ATTEMPTS if name in rendered):
        reply, where = snapshot.attempts[policy], f"ValidatingAdmissionPolicy {policy}"
        denied = re.search(r"ValidatingAdmissionPolicy '([^']+)'", reply.message)
        if denied and denied[1] == policy:
            well.append(policy)
        elif reply.status in (OK, CREATED):
            what = "a dry run as the dispatcher, of what it must never write, got through"
            remedy = f"kubectl get validatingadmissionpolicybinding {policy} -o yaml"
            troubles.append(Trouble("failed", where, what, remedy))
        elif "cannot impersonate" in reply.message:
            told = "whether it is in effect: you may not impersonate the dispatcher, so nothing was tried"
            troubles.append(Trouble("unknown", where, told, "ask as an admin: --context"))
        else:
            told = f"whether it is in effect: something else refused the dry run: {reply.message}"
            troubles.append(Trouble("unknown", where, told, "Roles of the dispatcher, or another policy, come first"))
    return Verdict(f"{', '.join(well)} refused a dry run as the dispatcher" if well else NONE, tuple(troubles))
