"""What the engine's identities may write beside pods: evidence, workloads, nodes."""

from __future__ import annotations

from typing import Any

from e2e.admission.api import ADMIN, ARGOCD, COLLECTOR, DISPATCHER, NAMESPACES, STRANGER, Ask, Who, account
from e2e.admission.case import Case, collection, create, delete, patch, plain
from e2e.admission.pods import CORE, DELETE_POD
from e2e.admission.stage import CLOSED, EVIDENCE, PROTECTED, TARGET
from e2e.http import MERGE

APPS = "/apis/apps/v1"
CAPTURE, SCALE, CORDON = (account("kre-responses", name) for name in ("capture-evidence", "scale-down", "cordon-node"))

MADE = "evidence is made by capture-evidence, changed by nobody, and taken away by system:masters"
TYPE = "evidence is of type kre-evidence, and immutable"
NAMED = "evidence is named <Workflow>-<16 hex digits of its hash>"
BARE = "evidence has no finalizers and no owners, and its name is not generated"
NAME = f"capture-evidence-{'0a' * 10}-{'1b' * 8}"


def _evidence() -> list[Case]:
    def case(why: str, who: Who, ask: Ask, refused: str = "", through: int = 200) -> Case:
        return Case("evidence", why, who, ask, refused, through)

    def made(name: str = NAME, **changes: Any) -> Ask:
        metadata = {"name": name} | changes.pop("metadata", {})
        body = {"apiVersion": "v1", "kind": "Secret", "type": "kre-evidence", "immutable": True, "metadata": metadata}
        return create("secrets", EVIDENCE, body | changes, CORE)

    owner = [{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "7a3c1c04-0c8e-4a4e-9a33-0a8c7a0d9f11"}]
    label = {"metadata": {"labels": {"x": "y"}}}
    changed = patch("secrets", EVIDENCE, "admission", label, CORE)
    gone = delete("secrets", EVIDENCE, "admission", CORE)
    all_gone = Ask("DELETE", f"{collection('secrets', EVIDENCE, CORE)}?labelSelector=kre.test%2Fadmission%3Dmade")
    return [
        case("evidence", CAPTURE, made()),
        *(case("evidence", who, made(), MADE) for who in (STRANGER, ARGOCD, COLLECTOR)),
        case("evidence", ADMIN, made()),
        case("of another type", CAPTURE, made(type="Opaque"), TYPE),
        case("that can be changed", CAPTURE, made(immutable=False), TYPE),
        *(case("of another name", CAPTURE, made(name), NAMED) for name in ("x", f"{NAME}0", f"x-{NAME}", NAME[:-1])),
        case("with an owner", CAPTURE, made(metadata={"ownerReferences": owner}), BARE),
        case("with a finalizer", CAPTURE, made(metadata={"finalizers": ["x/y"]}), BARE),
        *(case("changes it", who, changed, MADE) for who in (STRANGER, ARGOCD)),
        *(case("changes it", who, changed) for who in (ADMIN, COLLECTOR)),
        *(case("deletes it", who, gone, MADE) for who in (STRANGER, ARGOCD)),
        *(case("deletes it", who, gone) for who in (ADMIN, NAMESPACES)),
        case("deletes all", STRANGER, all_gone, MADE),
        case("deletes all", NAMESPACES, all_gone),
    ]


NOT_HERE = "the engine changes no workload of this namespace"
PROTECTED_SPACE = "the workload's namespace is protected"
GUARDED = "the workload is protected"
TRACKED = "the engine changes no workload that Argo CD keeps as Git has it"
OWNED = "the engine changes no workload that belongs to another"
NUMBER = "the engine scales to no replicas, and to no other number"
SPEC = "the engine changes of a workload's spec the replicas alone"
METADATA = "the engine changes of a workload's metadata annotations alone"
NOTES = "the engine changes of a workload's annotations kre/scaled-from alone"
FROM = "annotation kre/scaled-from says how many replicas there were, of a workload that has some"


def _owners() -> list[Case]:
    def scaled(note: str | None = "3", replicas: int = 0, **spec: Any) -> dict[str, Any]:
        return {"metadata": {"annotations": {"kre/scaled-from": note}}, "spec": {"replicas": replicas, **spec}}

    def case(
        why: str,
        refused: str = "",
        body: dict[str, Any] | None = None,
        name: str = "plain",
        space: str = TARGET,
        kind: str = "deployments",
    ) -> Case:
        return Case("owners", why, SCALE, patch(kind, space, name, body or scaled(), APPS), refused)

    more = scaled()
    more["metadata"]["annotations"]["note"] = "other"
    labelled = scaled()
    labelled["metadata"]["labels"] = {"x": "y"}
    return [
        case("a Deployment"),
        case("a StatefulSet", kind="statefulsets"),
        *(case(f"in {space}", NOT_HERE, space=space) for space in CLOSED),
        case("in a protected namespace", PROTECTED_SPACE, space=PROTECTED),
        case("a protected one", GUARDED, name="guarded"),
        *(case(f"a {name} one", TRACKED, name=name) for name in ("tracked", "labelled", "instance")),
        case("an operator's", OWNED, name="owned"),
        *(case(f"to {number}", NUMBER, scaled(replicas=number)) for number in (1, 5)),
        case("with another spec", SPEC, scaled(minReadySeconds=7)),
        case("with a label", METADATA, labelled),
        case("with another note", NOTES, more),
        case("with a wrong number", FROM, scaled("4")),
        case("without a number", FROM, scaled(None)),
        case("one that has none", FROM, scaled("0"), name="none"),
        Case("owners", "anybody else's", STRANGER, patch("deployments", TARGET, "tracked", scaled("9", 2), APPS)),
    ]


CONTROL = "the engine changes no node of the control plane"
NODE_GUARDED = "the node is protected"
CLOSE = "the engine makes a node unschedulable, and never schedulable"
NODE_SPEC = "the engine changes nothing else of a node's spec"
NODE_METADATA = "the engine changes nothing of a node's metadata"


def node(name: str, body: dict[str, Any]) -> Ask:
    return Ask("PATCH", f"{CORE}/nodes/admission-{name}", body, MERGE)


def _nodes() -> list[Case]:
    closed: dict[str, Any] = {"spec": {"unschedulable": True}}
    taint = {"spec": {"unschedulable": True, "taints": [{"key": "x", "effect": "NoExecute"}]}}

    def case(why: str, refused: str = "", body: dict[str, Any] = closed, name: str = "plain") -> Case:
        return Case("nodes", why, CORDON, node(name, body), refused)

    return [
        case("closes one"),
        case("closes one again", name="closed"),
        *(case("closes the control plane", CONTROL, name=name) for name in ("control", "master")),
        case("closes a protected one", NODE_GUARDED, name="guarded"),
        case("opens one", CLOSE, {"spec": {"unschedulable": None}}, "closed"),
        case("with a taint", NODE_SPEC, taint),
        case("with a label", NODE_METADATA, closed | {"metadata": {"labels": {"x": "y"}}}),
        case("with a note", NODE_METADATA, closed | {"metadata": {"annotations": {"x": "y"}}}),
        Case("nodes", "anybody else's", STRANGER, node("control", {"metadata": {"labels": {"x": "y"}}})),
    ]


def _never() -> list[Case]:
    never = "the engine is not made for "
    scaled = {"metadata": {"annotations": {"kre/scaled-from": "3"}}, "spec": {"replicas": 0}}
    secret = create("secrets", TARGET, plain("Secret", "new", "v1"), CORE)
    pairs = (
        ("CREATE secrets", secret, (CAPTURE, SCALE, CORDON)),
        ("UPDATE deployments", patch("deployments", TARGET, "plain", scaled, APPS), (DELETE_POD, CAPTURE, DISPATCHER)),
        ("UPDATE statefulsets", patch("statefulsets", TARGET, "plain", scaled, APPS), (DELETE_POD, CORDON)),
        (
            "UPDATE deployments",
            patch("deployments", TARGET, "plain", scaled, APPS),
            (account("kre-pipeline", "scale-down"),),
        ),
        (
            "UPDATE deployments/scale",
            patch("deployments", TARGET, "plain/scale", {"spec": {"replicas": 0}}, APPS),
            (SCALE,),
        ),
        ("UPDATE nodes", node("plain", {"spec": {"unschedulable": True}}), (DELETE_POD, SCALE, DISPATCHER)),
        ("UPDATE nodes/status", Ask("PATCH", f"{CORE}/nodes/admission-plain/status", {"status": {}}, MERGE), (CORDON,)),
        ("DELETE nodes", Ask("DELETE", f"{CORE}/nodes/admission-plain"), (CORDON,)),
    )
    return [Case("never", what, who, ask, never + what) for what, ask, whose in pairs for who in whose]


CASES: list[Case] = [*_evidence(), *_owners(), *_nodes(), *_never()]
