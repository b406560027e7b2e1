"""What the engine's identities may delete and change of pods."""

from __future__ import annotations

import json
from typing import Any

from e2e.admission.api import ADMIN, DISPATCHER, EXECUTOR, STRANGER, Ask, Who, account
from e2e.admission.case import Case, collection, delete, patch
from e2e.admission.stage import CLOSED, KEPT, OPEN, PROTECTED, TARGET

CORE = "/api/v1"
DELETE_POD, CONTAIN_POD, ISOLATE_POD, RELEASE_POD, LABEL_POD, NOTIFY = (
    account("kre-responses", name)
    for name in ("delete-pod", "contain-pod", "isolate-pod", "release-pod", "label-pod", "notify")
)
# Of the right name in a wrong namespace.
FALSE = account("kre-pipeline", "delete-pod")

NOT_YOU = "of the engine only delete-pod and contain-pod delete pods"
NOT_HERE = "the engine deletes no pod of this namespace"
PROTECTED_SPACE = "the pod's namespace is protected"
PROTECTED_POD = "the pod is protected"
STATIC = "the engine deletes no static pod"
OWNED = "the engine deletes no pod of a DaemonSet or a Node"
ONE = "the engine deletes one pod at a time"
UID = "a delete names the pod's uid, by preconditions.uid"

Uids = dict[tuple[str, str], str]


def deletes(uids: Uids) -> list[Case]:
    """`uids` of the stage's pods, by namespace and name."""

    def case(why: str, refused: str = "", who: Who = DELETE_POD, name: str = "plain", space: str = TARGET) -> Case:
        wanted = {"uid": uids[space, name]}
        return Case("deletes", why, who, delete("pods", space, name, CORE, preconditions=wanted), refused)

    without = delete("pods", TARGET, "plain", CORE)
    other = delete("pods", TARGET, "plain", CORE, preconditions={"uid": uids[TARGET, "one"]})
    all_of_one = Ask("DELETE", f"{collection('pods', TARGET, CORE)}?labelSelector=only%3Done")
    sure = Ask("DELETE", all_of_one.path, {"preconditions": {"uid": uids[TARGET, "one"]}})
    return [
        case("a pod"),
        case("a pod", who=CONTAIN_POD),
        case("a pod of a ReplicaSet", name="replica"),
        case("an isolated pod", who=CONTAIN_POD, name="isolated"),
        *(
            case("a pod", NOT_YOU, who)
            for who in (DISPATCHER, EXECUTOR, ISOLATE_POD, RELEASE_POD, LABEL_POD, NOTIFY, FALSE)
        ),
        *(case(f"a pod in {space}", NOT_HERE, space=space) for space in CLOSED),
        *(case(f"a pod in {space}", space=space) for space in OPEN),
        case("a pod of a protected namespace", PROTECTED_SPACE, space=PROTECTED),
        case("a protected pod", PROTECTED_POD, name="protected"),
        case("a static pod", STATIC, name="mirror"),
        case("a DaemonSet's pod", OWNED, name="daemon"),
        case("a Node's pod", OWNED, name="node"),
        Case("deletes", "a pod without its uid", DELETE_POD, without, UID),
        Case("deletes", "a pod with another's uid", DELETE_POD, other, through=409),
        Case("deletes", "a collection", DELETE_POD, sure, ONE),
        Case("deletes", "a collection", ADMIN, all_of_one),
        Case("deletes", "a protected pod", STRANGER, delete("pods", TARGET, "protected", CORE)),
        Case("deletes", "a pod of the engine", STRANGER, delete("pods", "kre-pipeline", "plain", CORE)),
    ]


WHO = "this identity of the engine changes no pods"
NOT_THERE = "the engine changes no pod of this namespace"
NO_STATIC = "the engine changes no static pod"
NO_OWNED = "the engine changes no pod of a DaemonSet or a Node"
SPEC = "the engine changes nothing of a pod's spec"
METADATA = "the engine changes of a pod's metadata labels and annotations alone"
NOTES = "the engine changes of a pod's annotations kre/isolated-labels alone"
NO_NOTE = "this identity changes no annotation"
QUARANTINE = "isolation sets label kre/quarantine to true, and no other"
KEEP = "this identity removes no label"
KEPT_NOTE = "isolation keeps each label that it takes away in annotation kre/isolated-labels"
FORGETS = "isolation forgets no label that it took away before"
OBJECT = "annotation kre/isolated-labels is a JSON object of labels"
ISOLATED = "release changes isolated pods alone"
RELEASED = "release takes away label kre/quarantine and annotation kre/isolated-labels"
ONLY_QUARANTINE = "release removes no other label"
AS_THEY_WERE = "release sets the labels that isolation took away, as they were"
ALERT = "label-pod sets label kre/alert alone, to the slug of a rule"

SET = {"kre/quarantine": "true"}
STRIP: dict[str, Any] = dict.fromkeys(KEPT) | SET
BACK: dict[str, Any] = KEPT | {"kre/quarantine": None}
NOTE = "kre/isolated-labels"


def _change(
    why: str,
    refused: str = "",
    who: Who = DISPATCHER,
    pod: str = "plain",
    space: str = TARGET,
    *,
    labels: dict[str, Any] | None = None,
    notes: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
    **more: Any,
) -> Case:
    meta = {key: value for key, value in {"labels": labels, "annotations": notes}.items() if value is not None}
    body = {"metadata": meta | (metadata or {})} | more
    return Case("pods", why, who, patch("pods", space, pod, body, CORE), refused)


def _isolate(why: str, refused: str = "", who: Who = ISOLATE_POD, **changes: Any) -> Case:
    return _change(why, refused, who, **({"labels": STRIP, "notes": {NOTE: json.dumps(KEPT)}} | changes))


def _release(why: str, refused: str = "", **changes: Any) -> Case:
    return _change(why, refused, RELEASE_POD, **({"pod": "isolated", "labels": BACK, "notes": {NOTE: None}} | changes))


def _label(why: str, refused: str = "", value: str = "terminal-shell", **changes: Any) -> Case:
    return _change(why, refused, LABEL_POD, **({"labels": {"kre/alert": value}} | changes))


_OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "0f8e1a9c-5b7d-4c3e-8a21-9d0c4b6f7e12"}
_FINALIZERS = {"finalizers": ["kre.test/admission", "kre.test/x"]}
COMPACT = json.dumps(KEPT, separators=(",", ":"))

CHANGES: list[Case] = [
    # the dispatcher's fast lane
    _change("sets the label", labels=SET),
    _change("sets it again", pod="labelled", labels=SET),
    _change("sets another label", QUARANTINE, labels=SET | {"x": "y"}),
    _change("changes a label", QUARANTINE, labels=SET | {"app": "x"}),
    _change("sets it to false", QUARANTINE, labels={"kre/quarantine": "false"}),
    _change("sets nothing", QUARANTINE, metadata={}),
    _change("removes a label", KEEP, labels=SET | {"app": None}),
    _change("notes", NO_NOTE, labels=SET, notes={NOTE: "{}"}),
    # isolation
    _isolate("strips the labels"),
    _isolate("strips the labels", who=CONTAIN_POD),
    _isolate("strips the labels, compactly noted", notes={NOTE: COMPACT}),
    _isolate("strips what has the label", pod="labelled"),
    _isolate("strips one", labels=SET | {"app": None}, notes={NOTE: '{"app": "shop"}'}),
    _isolate("strips none, of a StatefulSet", labels=SET, notes=None),
    _isolate("does it again", pod="isolated", labels=SET, notes=None),
    _isolate("strips the rest", pod="half", labels={"tier": None}),
    _isolate("strips what came back since", pod="back", labels={"app": None}),
    _isolate("does not note it", KEPT_NOTE, notes=None),
    _isolate("notes half of it", KEPT_NOTE, notes={NOTE: '{"app": "shop"}'}),
    _isolate("notes a wrong value", KEPT_NOTE, notes={NOTE: json.dumps(KEPT | {"app": "x"})}),
    _isolate("notes a wrong value, compactly", KEPT_NOTE, notes={NOTE: COMPACT.replace("shop", "x")}),
    _isolate("notes it before its time, and more", notes={NOTE: json.dumps(KEPT | {"x": ""})}),
    _isolate("notes no object", OBJECT, labels=SET, notes={NOTE: "x"}),
    _isolate("notes more than an object", OBJECT, notes={NOTE: f"{COMPACT}x"}),
    _isolate("notes something before an object", OBJECT, notes={NOTE: f"x{COMPACT}"}),
    _isolate("notes less than an object", OBJECT, notes={NOTE: COMPACT[1:]}),
    _isolate("notes a list", OBJECT, labels=SET, notes={NOTE: "[]"}),
    _isolate("notes an empty object", labels=SET, notes={NOTE: "{}"}),
    _isolate("forgets the first half", FORGETS, pod="half", labels={"tier": None}, notes={NOTE: '{"tier":"web"}'}),
    _isolate("forgets all", FORGETS, pod="isolated", labels=SET, notes={NOTE: "{}"}),
    _isolate("sets another label", QUARANTINE, labels=STRIP | {"x": "y"}),
    _isolate("does not isolate", QUARANTINE, labels=dict.fromkeys(KEPT)),
    _isolate("writes another annotation", NOTES, notes={NOTE: json.dumps(KEPT), "x": "y"}),
    _isolate("changes an annotation", NOTES, pod="noted", notes={NOTE: json.dumps(KEPT), "note": "theirs"}),
    _isolate("removes an annotation", NOTES, pod="noted", notes={NOTE: json.dumps(KEPT), "note": None}),
    # release
    _release("puts them back"),
    _release("puts one back", labels=SET | {"kre/quarantine": None, "app": "shop"}),
    _release("puts the compact one back", pod="half", labels={"kre/quarantine": None, "app": "shop"}),
    _release("releases what was only labelled", pod="labelled", labels={"kre/quarantine": None}),
    _release("releases what was protected since", pod="late"),
    _release("changes a pod that is free", ISOLATED, pod="plain", labels={}),
    _release("leaves the label", RELEASED, labels=KEPT),
    _release("leaves the annotation", RELEASED, notes=None),
    _release("removes another label", ONLY_QUARANTINE, pod="labelled", labels={"kre/quarantine": None, "app": None}),
    _release("sets another label", AS_THEY_WERE, labels=BACK | {"x": "y"}),
    _release("sets another value", AS_THEY_WERE, labels=BACK | {"app": "x"}),
    _release("sets another value of the compact one", AS_THEY_WERE, pod="half", labels=BACK | {"app": "x"}),
    _release("changes a label that was kept", AS_THEY_WERE, pod="labelled", labels=BACK | {"app": "x"}),
    _release("writes another annotation", NOTES, notes={NOTE: None, "x": "y"}),
    # label-pod
    _label("labels"),
    _label("labels with the longest slug", value="a" * 63),
    _label("sets another label", ALERT, labels={"kre/alert": "x", "x": "y"}),
    _label("changes a label", ALERT, labels={"app": "x"}),
    _label("sets capitals", ALERT, value="Shell"),
    _label("sets nothing", ALERT, value=""),
    _label("sets a point", ALERT, value="a.b"),
    _label("isolates", ALERT, labels=SET),
    _label("removes a label", KEEP, labels={"kre/alert": "x", "app": None}),
    _label("notes", NO_NOTE, notes={NOTE: "{}"}),
    # everybody
    *(_change("changes nothing", WHO, who, metadata={}) for who in (DELETE_POD, NOTIFY, EXECUTOR, FALSE)),
    _change("isolates", WHO, account("kre-pipeline", "isolate-pod"), labels=SET),
    _change("isolates", WHO, account("kre-responses", "dispatcher"), labels=SET),
    *(
        case
        for space in CLOSED
        for case in (
            _change(f"in {space}", NOT_THERE, space=space, labels=SET),
            _isolate(f"in {space}", NOT_THERE, space=space),
            _release(f"in {space}", NOT_THERE, space=space, pod="plain"),
            _label(f"in {space}", NOT_THERE, space=space),
        )
    ),
    *(_change(f"in {space}", space=space, labels=SET) for space in OPEN),
    _change("in a protected namespace", PROTECTED_SPACE, space=PROTECTED, labels=SET),
    _release("in a protected namespace", PROTECTED_SPACE, space=PROTECTED, pod="plain"),
    *(
        case
        for pod, refused in (
            ("protected", PROTECTED_POD),
            ("mirror", NO_STATIC),
            ("daemon", NO_OWNED),
            ("node", NO_OWNED),
        )
        for case in (
            _change(f"pod {pod}", refused, pod=pod, labels=SET),
            _isolate(f"pod {pod}", refused, pod=pod),
            _isolate(f"pod {pod}", refused, who=CONTAIN_POD, pod=pod),
            _label(f"pod {pod}", refused, pod=pod),
        )
    ),
    *(
        case
        for why, refused, change in (
            ("a deadline", SPEC, {"spec": {"activeDeadlineSeconds": 60}}),
            ("a finalizer", METADATA, {"metadata": _FINALIZERS}),
            ("no finalizers", METADATA, {"metadata": {"finalizers": None}}),
            ("an owner", METADATA, {"metadata": {"ownerReferences": [_OWNER]}}),
        )
        for case in (
            _change(why, refused, labels=SET, **change),
            _isolate(why, refused, **change),
            _release(why, refused, **change),
            _label(why, refused, **change),
        )
    ),
    # who is not of the engine
    _change("anything", who=STRANGER, pod="protected", labels={"x": "y", "app": None}, notes={"x": "y"}),
    _change("adopts", who=account("kube-system", "replicaset-controller"), metadata={"ownerReferences": [_OWNER]}),
]
