"""Who may write the engine's code and the kinds between Argo's parts, and what the engine never writes."""

from __future__ import annotations

from typing import Any

from e2e.admission.api import (
    ADMIN,
    APPROVER,
    ARGOCD,
    COLLECTOR,
    CONTROLLER,
    DISPATCHER,
    EXECUTOR,
    MANAGER,
    NAMESPACES,
    OPERATOR,
    RECORDER,
    STRANGER,
    Ask,
    Who,
    account,
)
from e2e.admission.case import ARGO, RESPONSES, Case, collection, create, delete, patch, plain
from e2e.admission.pods import CORE, DELETE_POD, ISOLATE_POD
from e2e.admission.stage import MARK, NOBODY, TARGET
from e2e.admission.workflows import workflow
from e2e.http import MERGE

PIPELINE = "kre-pipeline"
APPS = "/apis/apps/v1"
BATCH = "/apis/batch/v1"
LEASES = "/apis/coordination.k8s.io/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"

CODE = "the engine's code and settings come from Git, by Argo CD alone"
INTERNALS = "in this namespace only the executor writes task results, and only the workflow controller the rest"
NEVER = "the engine is not made for "

EVENTS = account("argo-events", "argo-events-controller-manager")


def _pods(image: str = f"{NOBODY}/x") -> dict[str, Any]:
    return {
        "selector": {"matchLabels": {"app": "x"}},
        "template": {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "x", "image": image}]}},
    }


DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "dispatcher"},
    "spec": {"replicas": 0} | _pods(),
}
_CONFIG = (
    (RESPONSES, "settings"),
    (PIPELINE, "settings"),
    (RESPONSES, "responder-code"),
    (PIPELINE, "dispatcher-code-x1"),
    (PIPELINE, "recorder-code-x1"),
)
_ARGO = {
    "workflowtemplates": (RESPONSES, plain("WorkflowTemplate", "code", spec={})),
    "sensors": (PIPELINE, plain("Sensor", "code", spec={})),
    "eventsources": (PIPELINE, plain("EventSource", "code", spec={})),
    "eventbus": (PIPELINE, plain("EventBus", "code", spec={})),
}


def code() -> list[dict[str, Any]]:
    """What the stage needs of it, where the engine is not there."""
    return [body | {"metadata": body["metadata"] | {"namespace": space}} for _, _, space, body in _code_objects()]


def _code_objects() -> list[tuple[str, str, str, dict[str, Any]]]:
    """API, plural, namespace and object of everything that is the engine's code."""
    made = [(CORE, "configmaps", space, plain("ConfigMap", name, "v1")) for space, name in _CONFIG]
    made += [(ARGO, kind, space, body) for kind, (space, body) in _ARGO.items()]
    return [*made, (APPS, "deployments", PIPELINE, DEPLOYMENT)]


def _writes(api: str, kind: str, space: str, body: dict[str, Any]) -> list[tuple[str, Ask]]:
    """To create it, and to change and delete the one that the stage has made."""
    name = body["metadata"]["name"]
    label = {"metadata": {"labels": {"x": "y"}}}
    return [
        (f"creates {kind}/{name} in {space}", create(kind, space, body, api)),
        (f"changes {kind}/{name} in {space}", patch(kind, space, name, label, api)),
        (f"deletes {kind}/{name} in {space}", delete(kind, space, name, api)),
        (f"deletes all {kind} in {space}", Ask("DELETE", collection(kind, space, api))),
    ]


def _code() -> list[Case]:
    cases = []
    for made in _code_objects():
        for number, (why, ask) in enumerate(_writes(*made)):
            # One that is there can't be made again: where no policy stops it, the API server says 409.
            through = 409 if number == 0 else 200
            others = (STRANGER, APPROVER, OPERATOR, CONTROLLER, account("argocd", "argocd-server"))
            cluster = (COLLECTOR, NAMESPACES, MANAGER)
            cases += [Case("code", why, who, ask, CODE, through) for who in others]
            cases += [Case("code", why, who, ask, through=through) for who in (ARGOCD, ADMIN)]
            cases += [Case("code", why, who, ask, "" if number else CODE, through) for who in cluster]
            finalizers = number == 1 and made[1] in ("sensors", "eventsources", "eventbus")
            cases.append(Case("code", why, EVENTS, ask, "" if finalizers else CODE, through))
    return cases + _code_by_name()


def _code_by_name() -> list[Case]:
    scale = patch("deployments", PIPELINE, "dispatcher/scale", {"spec": {"replicas": 0}}, APPS)
    hashed = plain("ConfigMap", "", "v1") | {"metadata": {"generateName": "dispatcher-code-"}}

    def config(space: str, name: str) -> Case:
        body = plain("ConfigMap", name, "v1")
        return Case("code", f"creates ConfigMap {name} in {space}", STRANGER, create("configmaps", space, body, CORE))

    def deployment(name: str) -> Ask:
        return create("deployments", PIPELINE, DEPLOYMENT | {"metadata": {"name": name}}, APPS)

    template = create("workflowtemplates", TARGET, _ARGO["workflowtemplates"][1])
    free = (
        "settings-x",
        "x-settings",
        "responder-code-x",
        "x-dispatcher-code",
        "x-responder-code",
        "other",
        "x-scale-down-code",
    )
    return [
        Case("code", "creates Deployment recorder", STRANGER, deployment("recorder"), CODE),
        Case("code", "scales the dispatcher", STRANGER, scale, CODE),
        Case("code", "scales the dispatcher", ARGOCD, scale),
        Case("code", "has a name generated", STRANGER, create("configmaps", PIPELINE, hashed, CORE), CODE),
        *(config(space, name) for name in free for space in (PIPELINE, RESPONSES)),
        config(TARGET, "settings"),
        *(
            Case("code", f"creates ConfigMap {name}-code", STRANGER, made, CODE)
            for name in ("capture-evidence", "cordon-node", "scale-down")
            for made in (create("configmaps", RESPONSES, plain("ConfigMap", f"{name}-code", "v1"), CORE),)
        ),
        *(
            Case("code", f"creates Deployment {name}", STRANGER, deployment(name))
            for name in ("dispatcher-x", "x-dispatcher", "recorder-x", "x-recorder")
        ),
        Case("code", "creates a WorkflowTemplate elsewhere", STRANGER, template),
    ]


_RESULT = plain("WorkflowTaskResult", "new")
_BINDING = {"event": {"selector": "true"}, "submit": {"workflowTemplateRef": {"name": "x"}}}
_INTERNAL = {
    "workflowtasksets": plain("WorkflowTaskSet", "new", spec={}),
    "cronworkflows": plain("CronWorkflow", "new", spec={"schedules": ["0 0 * * *"], "workflowSpec": {}}),
    "workfloweventbindings": plain("WorkflowEventBinding", "new", spec=_BINDING),
    "workflowartifactgctasks": plain("WorkflowArtifactGCTask", "new", spec={}),
}


def _internals() -> list[Case]:
    def case(why: str, who: Who, ask: Ask, refused: str = "") -> Case:
        return Case("internals", why, who, ask, refused)

    made = create("workflowtaskresults", RESPONSES, _RESULT)
    changed = patch("workflowtaskresults", RESPONSES, "admission", {"message": "x"})
    gone = delete("workflowtaskresults", RESPONSES, "admission")
    all_gone = Ask("DELETE", collection("workflowtaskresults", RESPONSES))
    cluster = (COLLECTOR, NAMESPACES, MANAGER)
    artifacts = patch("workflowartifactgctasks", RESPONSES, "admission/status", {"status": {}})
    status = patch("workflowtasksets", RESPONSES, "admission/status", {"status": {"nodes": {}}})
    kinds = {kind: create(kind, RESPONSES, body) for kind, body in _INTERNAL.items()}
    return [
        case("a task set's status", STRANGER, status, INTERNALS),
        case("an artifact task's status", STRANGER, artifacts, INTERNALS),
        case("a task set's status", CONTROLLER, status),
        *(case("a result", who, made) for who in (EXECUTOR, CONTROLLER, ADMIN)),
        *(case("changes a result", who, changed) for who in (EXECUTOR, CONTROLLER, ADMIN, *cluster)),
        *(case("deletes a result", who, gone) for who in (CONTROLLER, ADMIN, *cluster)),
        *(case("deletes all results", who, all_gone) for who in (CONTROLLER, NAMESPACES)),
        *(case("a result", who, made, INTERNALS) for who in (DELETE_POD, STRANGER, ARGOCD, APPROVER, COLLECTOR)),
        *(case("changes a result", who, changed, INTERNALS) for who in (DELETE_POD, STRANGER, ARGOCD, APPROVER)),
        *(case("deletes a result", who, gone, INTERNALS) for who in (STRANGER, ARGOCD, APPROVER)),
        *(case("deletes all results", who, all_gone, INTERNALS) for who in (STRANGER,)),
        case("a task set", CONTROLLER, kinds["workflowtasksets"]),
        *(case(f"creates {kind}", ADMIN, ask) for kind, ask in kinds.items()),
        *(case(f"creates {kind}", STRANGER, ask, INTERNALS) for kind, ask in kinds.items()),
        *(case(f"creates {kind}", COLLECTOR, ask, INTERNALS) for kind, ask in kinds.items()),
        *(case(f"creates {k}", CONTROLLER, ask, INTERNALS) for k, ask in kinds.items() if k != "workflowtasksets"),
    ]


def _event(space: str) -> Ask:
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "kre.delete-pod-x"},
        "involvedObject": {"kind": "Pod", "name": "plain", "namespace": space},
    }
    return create("events", space, body, CORE)


def _sub(name: str, body: dict[str, Any], method: str = "POST", query: str = "") -> Ask:
    content = "application/json" if method == "POST" else "application/merge-patch+json"
    return Ask(method, f"{CORE}/namespaces/{TARGET}/pods/plain/{name}{query}", body, content, dry=bool(body))


_DRY = {"deleteOptions": {"dryRun": ["All"]}}
_EVICT = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "plain"}} | _DRY
_BIND = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "plain"}, "target": {"kind": "Node", "name": "x"}}
_TOKEN = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
_POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "new"}, "spec": _pods()["template"]["spec"]}
_POD["spec"] = _POD["spec"] | {"serviceAccountName": "admission"}
_ROLE = plain("Role", "new", "rbac.authorization.k8s.io/v1", rules=[])
_JOB = plain(
    "Job", "new", "batch/v1", spec={"template": {"spec": _pods()["template"]["spec"] | {"restartPolicy": "Never"}}}
)
_DEBUG = {"spec": {"ephemeralContainers": [{"name": "x", "image": f"{NOBODY}/x"}]}}
_RESIZE = {"metadata": {"labels": {"app": "shop"}}}
# What it is, the request, and the status that it gets where nothing stops it (none of the pods has a node).
_NEVER: tuple[tuple[str, Ask, int], ...] = (
    ("CREATE pods/eviction", _sub("eviction", _EVICT), 200),
    ("CREATE pods/binding", _sub("binding", _BIND), 200),
    ("UPDATE pods/ephemeralcontainers", _sub("ephemeralcontainers", _DEBUG, "PATCH"), 200),
    ("UPDATE pods/resize", _sub("resize", _RESIZE, "PATCH"), 200),
    ("UPDATE pods/status", _sub("status", {"status": {"phase": "Failed"}}, "PATCH"), 200),
    ("CONNECT pods/exec", _sub("exec", {}, query="?command=id&stdout=true&container=main"), 400),
    ("CONNECT pods/attach", _sub("attach", {}, query="?stdout=true&container=main"), 400),
    ("CONNECT pods/portforward", _sub("portforward", {}, query="?ports=80"), 400),
    ("CONNECT pods/proxy", _sub("proxy", {}), 400),
    ("CREATE serviceaccounts/token", create("serviceaccounts/admission/token", TARGET, _TOKEN, CORE), 200),
    ("CREATE pods", create("pods", TARGET, _POD, CORE), 200),
    ("CREATE secrets", create("secrets", TARGET, plain("Secret", "new", "v1"), CORE), 200),
    ("CREATE configmaps", create("configmaps", TARGET, plain("ConfigMap", "new", "v1"), CORE), 200),
    ("CREATE roles", create("roles", TARGET, _ROLE, RBAC), 200),
    ("CREATE deployments", create("deployments", TARGET, DEPLOYMENT, APPS), 200),
    ("CREATE jobs", create("jobs", TARGET, _JOB, BATCH), 200),
    (
        "UPDATE namespaces",
        Ask("PATCH", f"{CORE}/namespaces/{TARGET}", {"metadata": {"labels": {"x": "y"}}}, MERGE),
        200,
    ),
    ("CREATE namespaces", Ask("POST", f"{CORE}/namespaces", plain("Namespace", "admission-new", "v1")), 200),
    ("DELETE serviceaccounts", delete("serviceaccounts", TARGET, "admission", CORE), 200),
)


def _never() -> list[Case]:
    lease = {"metadata": {"annotations": {"kre/actions": "{}"}}}
    ours = patch("leases", PIPELINE, "target-admission", lease, LEASES)
    other = patch("leases", PIPELINE, "admission", lease, LEASES)
    elsewhere = patch("leases", TARGET, "target-admission", lease, LEASES)
    made, foreign = (
        create("leases", PIPELINE, plain("Lease", name, "coordination.k8s.io/v1"), LEASES)
        for name in ("target-new", "admission-new")
    )
    work = create("workflows", TARGET, workflow())
    result = create("workflowtaskresults", TARGET, _RESULT)
    held = patch("workflows", RESPONSES, "admission-waiting", {"metadata": {"finalizers": [MARK]}})
    other_work = patch("workflows", TARGET, "admission", {"metadata": {"labels": {"x": "y"}}})
    status = delete("leases", PIPELINE, "target-admission", LEASES)
    sensor = account(PIPELINE, "sensor")

    def refused(what: str, who: Who, ask: Ask, through: int = 200) -> Case:
        return Case("never", what, who, ask, NEVER + what, through)

    return [
        *(
            refused(what, who, ask, through)
            for what, ask, through in _NEVER
            for who in (DISPATCHER, DELETE_POD, EXECUTOR, sensor)
        ),
        *(Case("never", what, STRANGER, ask, through=through) for what, ask, through in _NEVER),
        *(Case("never", "an Event", who, _event(TARGET)) for who in (DELETE_POD, ISOLATE_POD, STRANGER)),
        *(refused("CREATE events", who, _event(TARGET)) for who in (DISPATCHER, sensor)),
        Case("never", "its Lease", DISPATCHER, ours),
        Case("never", "its first Lease", DISPATCHER, made),
        refused("CREATE leases", DISPATCHER, foreign),
        *(refused("CREATE leases", who, made) for who in (DELETE_POD, sensor)),
        *(refused("UPDATE leases", DISPATCHER, ask) for ask in (other, elsewhere)),
        *(refused("UPDATE leases", who, ours) for who in (DELETE_POD, sensor)),
        refused("DELETE leases", DISPATCHER, status),
        refused("CREATE workflows", DISPATCHER, work),
        refused("CREATE workflows", DELETE_POD, work),
        refused("CREATE workflowtaskresults", EXECUTOR, result),
        Case("never", "a Workflow elsewhere", STRANGER, work),
        Case("never", "lets a Workflow go", RECORDER, held),
        *(refused("UPDATE workflows", who, other_work) for who in (DISPATCHER, DELETE_POD, sensor, RECORDER)),
        refused("CREATE workflows", RECORDER, work),
        *(refused("CREATE leases", RECORDER, ask) for ask in (made, foreign)),
        *(refused(what, RECORDER, ask, through) for what, ask, through in _NEVER),
    ]


CASES: list[Case] = [*_code(), *_internals(), *_never()]
