"""Who may create, change and delete Workflows, with what in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from e2e.admission.api import (
    ADMIN,
    APPROVER,
    ARGOCD,
    BOTH,
    COLLECTOR,
    CONTROLLER,
    DISPATCHER,
    MANAGER,
    NAMESPACES,
    OPERATOR,
    RECORDER,
    STRANGER,
    Ask,
    Who,
    account,
)
from e2e.admission.case import RESPONSES, Case, collection, create, delete, patch
from e2e.admission.stage import HOLD, MARK

UUID = "0f8e1a9c-5b7d-4c3e-8a21-9d0c4b6f7e12"
HEX = "0123456789abcdef0123"
GOOD = {
    "namespace": "shop",
    "pod": "cart-7d9f.x",
    "uid": UUID,
    "rule": "terminal-shell-in-container",
    "alert": UUID,
    "received": "1769000000",
    "mode": "enforce",
}
RELEASE = {name: GOOD[name] for name in ("namespace", "pod", "uid")}

CREATE = "only the dispatcher and operators create Workflows here"
UPDATE = "only the workflow controller, approvers and the recorder change Workflows"
DELETE = "a Workflow is the record of what was done, and only the workflow controller takes it away"
NO_RELEASE = "the dispatcher starts a response, never release-pod"
ONLY_RELEASE = "operators start release-pod and nothing else"
NAME = "a Workflow of the dispatcher is named <template>-<20 hex digits>"
WORD = "a Workflow of an operator is named release-pod-<word of yours>"
LABELS = "of labels kre/response alone, which names the template"
NO_NOTES = "the dispatcher sets no annotation"
REQUESTED = "an operator sets annotation kre/requested-by to their own user name, and no other"
USER = "this user name can't stand in a record"
METADATA = "no owners, and of the dispatcher no generateName"
HELD = "of finalizers kre/record alone, and never without, so that none goes before its record"
RECORDS = "the recorder changes nothing of a Workflow but what holds it"
OTHERS = "of finalizers the recorder sets and takes off kre/record alone"
LET_GO = "only the recorder takes finalizer kre/record off"
STATUS = "a Workflow begins without status"
SPEC = "of the spec only workflowTemplateRef.name and arguments.parameters"
NAMES = "only the parameters namespace, pod, uid, rule, alert, received and mode, each with name and value"
ONCE = "each parameter once"
VALUE = "a parameter's value is not of its form"
MISSING = "a parameter is missing"

Parameters = list[dict[str, Any]]


def _listed(values: dict[str, str]) -> Parameters:
    return [{"name": name, "value": value} for name, value in values.items()]


def workflow(
    template: str = "delete-pod",
    name: str | None = None,
    parameters: Parameters | None = None,
    *,
    spec: dict[str, Any] | None = None,
    more: dict[str, Any] | None = None,
    **metadata: Any,
) -> dict[str, Any]:
    """A good one of the dispatcher, but for what is given."""
    arguments = {"parameters": _listed(GOOD) if parameters is None else parameters}
    whole = {"name": f"{template}-{HEX}" if name is None else name, "labels": {"kre/response": template}}
    whole |= {"finalizers": [HOLD]} | metadata
    made = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {key: value for key, value in whole.items() if value is not None},
        "spec": {"workflowTemplateRef": {"name": template}, "arguments": arguments} | (spec or {}),
    }
    return made | (more or {})


def release(who: Who = OPERATOR, name: str = "release-pod-cart", **changes: Any) -> dict[str, Any]:
    """A good one of an operator, but for what is given."""
    given = {"parameters": _listed(RELEASE), "annotations": {"kre/requested-by": who.name}} | changes
    return workflow(**({"template": "release-pod", "name": name} | given))


def _post(body: dict[str, Any]) -> Ask:
    return create("workflows", RESPONSES, body)


def _by_dispatcher(why: str, refused: str = "", **changes: Any) -> Case:
    return Case("workflows", why, DISPATCHER, _post(workflow(**changes)), refused)


def _by_operator(why: str, refused: str = "", who: Who = OPERATOR, **changes: Any) -> Case:
    return Case("workflows", why, who, _post(release(who, **changes)), refused)


def _with(name: str, value: str) -> Parameters:
    return _listed(GOOD | {name: value})


# Each of the seven, with values that only its own pattern stops, at both of their ends.
BAD: dict[str, tuple[str, ...]] = {
    "namespace": ("shop.x", "-shop", "shop-", "shop\n", "", "a" * 64, "{{workflow.name}}", "SHOP"),
    "pod": ("cart/x", "-cart", "cart-", "cart\n", "", "a" * 254, "$(id)", "cart;x"),
    "uid": (f"{UUID}0", f"0{UUID}", UUID.upper(), UUID.replace("-", ""), f"{UUID}\n", ""),
    "rule": ("Terminal shell", "a" * 64, "", "a\n", "\na", "{{=1}}"),
    "alert": (f"{UUID}0", f"0{UUID}", UUID.upper(), UUID.replace("-", ""), f"{UUID}\n", ""),
    "received": ("1e9", "-1", "", "1\n", "\n1", "1" * 13),
    "mode": ("enforced", "reenforce", "", "observe\n", "Approve", "dry"),
}
GOOD_TOO: dict[str, tuple[str, ...]] = {
    "namespace": ("a", "a" * 63, "0-z"),
    "pod": ("a", "a" * 253, "0.z-9"),
    "rule": ("a", "a" * 63, "0-z"),
    "received": ("1", "1" * 12),
    "mode": ("observe", "approve", "enforce"),
}

_SPEC: tuple[tuple[str, dict[str, Any]], ...] = (
    ("an identity", {"serviceAccountName": "delete-pod"}),
    ("an entry point", {"entrypoint": "act"}),
    ("a patch of the pod", {"podSpecPatch": "{}"}),
    ("a template", {"templates": [{"name": "act", "suspend": {}}]}),
    ("a cluster's template", {"workflowTemplateRef": {"name": "delete-pod", "clusterScope": True}}),
    ("artifacts", {"arguments": {"parameters": _listed(GOOD), "artifacts": [{"name": "x", "raw": {"data": "x"}}]}}),
    ("a suspension", {"suspend": False}),
)


def _finalizers(held: list[str], name: str = "admission-waiting", **more: Any) -> Ask:
    return patch("workflows", RESPONSES, name, {"metadata": {"finalizers": held}} | more)


def _holding() -> Iterator[Case]:
    """Who puts a Workflow's finalizer on and takes it off, and that the recorder does nothing else."""

    def case(why: str, who: Who, ask: Ask, refused: str = "") -> Case:
        return Case("workflows", why, who, ask, refused)

    yield case("lets it go", RECORDER, _finalizers([MARK]))
    yield case("holds it", RECORDER, _finalizers([HOLD], "admission-loose"))
    yield case("changes nothing", RECORDER, _finalizers([HOLD, MARK]))
    yield case("takes another's off", RECORDER, _finalizers([HOLD]), OTHERS)
    yield case("takes all off", RECORDER, _finalizers([]), OTHERS)
    yield case("adds another", RECORDER, _finalizers(["kre.test/x"], "admission-loose"), OTHERS)
    for why, body in (
        ("the spec", {"spec": {"priority": 1}}),
        ("the status", {"status": {"phase": "Succeeded"}}),
        ("a label", {"metadata": {"labels": {"x": "y"}}}),
        ("an annotation", {"metadata": {"annotations": {"kre/approved-by": RECORDER.name}}}),
        ("no annotation any more", {"metadata": {"annotations": None}}),
        (
            "an owner",
            {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": UUID}]}},
        ),
    ):
        yield case(f"changes {why}", RECORDER, patch("workflows", RESPONSES, "admission-waiting", body), RECORDS)
    for who in (CONTROLLER, COLLECTOR, NAMESPACES, MANAGER):
        yield case("lets it go", who, _finalizers([MARK]), LET_GO)
        yield case("lets another go", who, _finalizers([HOLD]))
    yield case("lets it go", ADMIN, _finalizers([MARK]))


CASES: list[Case] = [
    _by_dispatcher("a good one"),
    _by_dispatcher("any response", template="notify"),
    _by_dispatcher("a template of one letter", template="x"),
    _by_dispatcher("a long template", template="x" * 42),
    *(_by_dispatcher(f"{n} {v!r}", parameters=_with(n, v)) for n, values in GOOD_TOO.items() for v in values),
    *(_by_dispatcher(f"{n} {v!r}", VALUE, parameters=_with(n, v)) for n, values in BAD.items() for v in values),
    *(
        _by_dispatcher(f"without {name}", MISSING, parameters=[p for p in _listed(GOOD) if p["name"] != name])
        for name in GOOD
    ),
    *(_by_dispatcher(f"with {why}", SPEC, spec=spec) for why, spec in _SPEC),
    _by_dispatcher("release-pod", NO_RELEASE, template="release-pod"),
    _by_dispatcher("a longer template", NO_RELEASE, template="x" * 43),
    _by_dispatcher("another's name", NAME, name=f"notify-{HEX}"),
    _by_dispatcher("21 digits", NAME, name=f"delete-pod-{HEX}0"),
    _by_dispatcher("19 digits", NAME, name=f"delete-pod-{HEX[1:]}"),
    _by_dispatcher("more before the digits", NAME, name=f"delete-pod-0-{HEX}"),
    _by_dispatcher("no dash", NAME, name=f"delete-pod{HEX}"),
    _by_dispatcher("letters beyond f", NAME, name=f"delete-pod-{HEX[1:]}g"),
    _by_dispatcher("another's label", LABELS, labels={"kre/response": "notify"}),
    _by_dispatcher("a foreign label", LABELS, labels={"kre/response": "delete-pod", "x": "y"}),
    _by_dispatcher("no label", LABELS, labels=None),
    _by_dispatcher("an approval", NO_NOTES, annotations={"kre/approved-by": "anna@example.org"}),
    *(
        by(f"finalizers {held}", HELD, finalizers=held)
        for by in (_by_dispatcher, _by_operator)
        for held in (None, ["kre.test/x"], [HOLD, "kre.test/x"])
    ),
    _by_dispatcher("generateName", METADATA, generateName="delete-pod-"),
    _by_dispatcher(
        "an owner",
        METADATA,
        ownerReferences=[{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": UUID}],
    ),
    _by_dispatcher("a status", STATUS, more={"status": {"phase": "Succeeded"}}),
    _by_dispatcher("an empty status", STATUS, more={"status": {}}),
    _by_dispatcher("an eighth parameter", NAMES, parameters=[*_listed(GOOD), {"name": "image", "value": "x"}]),
    _by_dispatcher("a default", NAMES, parameters=[{**p, "default": "x"} for p in _listed(GOOD)]),
    _by_dispatcher("a parameter twice", ONCE, parameters=[*_listed(GOOD), {"name": "pod", "value": "other"}]),
    _by_dispatcher("no value", VALUE, parameters=[*_listed(GOOD)[1:], {"name": "namespace"}]),
    _by_dispatcher("no arguments", MISSING, spec={"arguments": {}}),
    _by_operator("a good one"),
    _by_operator("all seven parameters", parameters=_listed(GOOD)),
    _by_operator("a long word", name="release-pod-" + "x" * 42),
    _by_operator("an approver as well", who=BOTH),
    _by_operator("has its name generated", name="", generateName="release-pod-"),
    _by_operator("has another's name generated", WORD, name="", generateName="delete-pod-"),
    _by_operator("another response", ONLY_RELEASE, template="delete-pod"),
    _by_operator("no name of the pod", MISSING, parameters=_listed(RELEASE)[::2]),
    _by_operator("no namespace", MISSING, parameters=_listed(RELEASE)[1:]),
    _by_operator("no uid", MISSING, parameters=_listed(RELEASE)[:2]),
    _by_operator("a value", VALUE, parameters=_listed(RELEASE | {"pod": "{{=1}}"})),
    _by_operator("a name of the dispatcher's", WORD, name=f"delete-pod-{HEX}"),
    _by_operator("no word", WORD, name="release-pod"),
    _by_operator("a longer word", WORD, name="release-pod-" + "x" * 43),
    _by_operator("more before it", WORD, name="x-release-pod-x"),
    _by_operator("a point", WORD, name="release-pod-x.y"),
    _by_operator("another's label", LABELS, labels={"kre/response": "delete-pod"}),
    _by_operator("no user name", REQUESTED, annotations=None),
    _by_operator("another's user name", REQUESTED, annotations={"kre/requested-by": APPROVER.name}),
    _by_operator(
        "an approval", REQUESTED, annotations={"kre/requested-by": OPERATOR.name, "kre/approved-by": APPROVER.name}
    ),
    _by_operator("braces in the user name", USER, who=Who("{{workflow.name}}", OPERATOR.groups)),
    _by_operator("a long user name", USER, who=Who("o" * 254, OPERATOR.groups)),
    _by_operator("every character of a user name", who=Who("oidc:/x/Y-0_.+=@z", OPERATOR.groups)),
    _by_operator("the longest user name", who=Who("o" * 253, OPERATOR.groups)),
    _by_operator("a status", STATUS, more={"status": {"phase": "Running"}}),
    _by_operator("an identity", SPEC, spec={"serviceAccountName": "release-pod"}),
    _by_operator("an admin as well", ONLY_RELEASE, who=Who("root", ("system:masters", "kre-operators")), template="x"),
    *(
        Case("workflows", "creates", who, _post(workflow()), CREATE)
        for who in (CONTROLLER, COLLECTOR, ARGOCD, APPROVER, STRANGER, account("kube-system", "some-driver"))
    ),
    Case(
        "workflows", "creates, approving", Who("root", ("system:masters", "kre-approvers")), _post(workflow()), CREATE
    ),
    Case("workflows", "creates", Who("any name {{x}}", ADMIN.groups), _post(workflow())),
    Case("workflows", "creates", ADMIN, _post(workflow(name="x", labels={}, annotations={"x": "y"}))),
    *(
        Case("workflows", "changes", who, patch("workflows", RESPONSES, "admission-waiting", {"spec": {"priority": 1}}))
        for who in (CONTROLLER, COLLECTOR, NAMESPACES, MANAGER, ADMIN)
    ),
    *_holding(),
    *(
        Case(
            "workflows",
            "changes",
            who,
            patch("workflows", RESPONSES, "admission-waiting", {"metadata": {"labels": {"x": "y"}}}),
            UPDATE,
        )
        for who in (OPERATOR, ARGOCD, STRANGER, account("kube-system", "some-driver"), account("argo", "server"))
    ),
    *(
        Case("workflows", why, who, ask)
        for who in (CONTROLLER, COLLECTOR, NAMESPACES, MANAGER, ADMIN)
        for why, ask in (
            ("deletes one", delete("workflows", RESPONSES, "admission-waiting")),
            ("deletes all", Ask("DELETE", collection("workflows", RESPONSES))),
        )
    ),
    *(
        Case("workflows", why, who, ask, DELETE)
        for who in (
            OPERATOR,
            APPROVER,
            ARGOCD,
            STRANGER,
            account("kube-system", "some-driver"),
            Who("root", ("system:masters", "kre-approvers")),
            Who("root", ("system:masters", "kre-operators")),
        )
        for why, ask in (
            ("deletes one", delete("workflows", RESPONSES, "admission-waiting")),
            ("deletes all", Ask("DELETE", collection("workflows", RESPONSES))),
        )
    ),
]
