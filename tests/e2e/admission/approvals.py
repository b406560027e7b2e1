"""What an approver may change of a Workflow: the phase of the node that waits, signed."""

from __future__ import annotations

from typing import Any

from e2e.admission.api import APPROVER, BOTH, CONTROLLER, Who
from e2e.admission.case import RESPONSES, Case, patch
from e2e.admission.stage import HOLD, MARK

SPEC = "an approval changes nothing of the spec"
METADATA = "an approval changes no labels, finalizers, owners or anything else of the metadata"
NOTES = "of the annotations an approval sets kre/approved-by alone"
SIGNED = "an approval is signed, by annotation kre/approved-by with your own user name"
TWICE = "this Workflow is approved or rejected already"
USER = "this user name can't stand in a record"
ONE = "an approval changes exactly one node"
WAITING = "an approval takes a node of type Suspend from Running to Succeeded or Failed"
PHASE = "an approval changes of that node the phase alone"
STATUS = "an approval changes nothing else of the status"
OWN = "nobody approves what they asked for themselves"

EMPTY: dict[str, Any] = {}
FALSE_ADMIN = Who("root", ("system:masters", "kre-approvers"))


def _case(
    why: str,
    refused: str = "",
    who: Who = APPROVER,
    *,
    name: str = "admission-waiting",
    phase: str = "Succeeded",
    node: dict[str, Any] = EMPTY,
    nodes: dict[str, Any] = EMPTY,
    notes: dict[str, Any] = EMPTY,
    status: dict[str, Any] = EMPTY,
    metadata: dict[str, Any] = EMPTY,
    **more: Any,
) -> Case:
    """A good approval, but for what is given."""
    body = {
        "metadata": {"annotations": {"kre/approved-by": who.name} | notes} | metadata,
        "status": {"nodes": {"gate": {"phase": phase} | node} | nodes} | status,
    } | more
    return Case("approve", why, who, patch("workflows", RESPONSES, name, body), refused)


_OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "0f8e1a9c-5b7d-4c3e-8a21-9d0c4b6f7e12"}

CASES: list[Case] = [
    _case("approves"),
    _case("rejects", phase="Failed"),
    _case("approves, an admin as well", who=FALSE_ADMIN),
    _case("approves, with every character of a user name", who=Who("oidc:/x/Y-0_.+=@z", APPROVER.groups)),
    _case("approves, with the longest user name", who=Who("o" * 253, APPROVER.groups)),
    _case("rejects what they asked for", who=BOTH, phase="Failed"),
    _case("approves what they asked for", OWN, who=BOTH),
    _case("changes the spec", SPEC, spec={"priority": 1}),
    _case("resumes by the spec", SPEC, spec={"suspend": False}),
    _case("changes a label", METADATA, metadata={"labels": {"kre/response": "notify"}}),
    _case("adds a label", METADATA, metadata={"labels": {"x": "y"}}),
    _case("removes the labels", METADATA, metadata={"labels": None}),
    _case("adds a finalizer", METADATA, metadata={"finalizers": [HOLD, MARK, "kre.test/x"]}),
    _case("adds an owner", METADATA, metadata={"ownerReferences": [_OWNER]}),
    _case("sets generateName", METADATA, metadata={"generateName": "x"}),
    _case("adds an annotation", NOTES, notes={"x": "y"}),
    _case("changes an annotation", NOTES, notes={"note": "theirs"}),
    _case("removes an annotation", NOTES, notes={"note": None}),
    _case("disowns the request", NOTES, notes={"kre/requested-by": APPROVER.name}, phase="Failed"),
    _case("signs as another", SIGNED, notes={"kre/approved-by": "erik@example.org"}),
    _case("does not sign", SIGNED, notes={"kre/approved-by": None}),
    _case("signs as nobody", SIGNED, notes={"kre/approved-by": ""}),
    _case("signs, an admin as well, as another", SIGNED, who=FALSE_ADMIN, notes={"kre/approved-by": APPROVER.name}),
    _case("approves again", TWICE, name="admission-approved"),
    _case("braces in the user name", USER, who=Who("{{workflow.name}}", APPROVER.groups)),
    _case("a long user name", USER, who=Who("o" * 254, APPROVER.groups)),
    _case("approves two", ONE, nodes={"gate-2": {"phase": "Succeeded"}}),
    _case("adds a node", ONE, nodes={"new": {"id": "new", "name": "new", "type": "Pod", "phase": "Succeeded"}}),
    _case("signs alone", ONE, node={"phase": "Running"}),
    _case("removes the node", WAITING, nodes={"gate": None}),
    _case("leaves it waiting otherwise", WAITING, phase="Skipped"),
    _case("takes the phase away", WAITING, node={"phase": None}),
    _case("approves the past", WAITING, node={"phase": "Running"}, nodes={"past": {"phase": "Failed"}}),
    _case("ends a step that acts", WAITING, node={"phase": "Running"}, nodes={"act": {"phase": "Failed"}}),
    _case("says more", PHASE, node={"message": "fine"}),
    _case("changes the type", PHASE, node={"type": "Skipped"}),
    _case("takes a field away", PHASE, node={"templateName": None}),
    _case("gives it outputs", PHASE, node={"outputs": {"exitCode": "0"}}),
    _case("ends the Workflow", STATUS, status={"phase": "Succeeded"}),
    _case("adds to the status", STATUS, status={"message": "fine"}),
    _case("takes from the status", STATUS, status={"progress": None}),
    _case("approves, being the controller", who=Who(CONTROLLER.name, (*CONTROLLER.groups, "kre-approvers"))),
]
