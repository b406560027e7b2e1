"""What takes an alert from the webhook to the dispatcher: namespaces, bus, EventSource, Sensors."""

from __future__ import annotations

from kre.cluster.checks.content import missing
from kre.cluster.checks.controllers import is_ready, not_ready
from kre.cluster.result import Trouble, Unreadable, Verdict
from kre.cluster.snapshot import Snapshot
from kre.cluster.wanted import DISPATCHER, FALCO, PIPELINE, RESPONSES
from kre.model.resource import Body, Resource, dig, each


def namespaces(snapshot: Snapshot) -> Verdict:
    """The engine's own."""
    names = [PIPELINE, RESPONSES, FALCO, *(place for place, _ in snapshot.wanted.controllers().values())]
    missing = [name for name in dict.fromkeys(names) if snapshot.get("Namespace", name) is None]
    remedy = "the *-access Applications and detection bring them: kubectl -n argocd get applications"
    troubles = tuple(Trouble("failed", f"Namespace {name}", "there is none", remedy) for name in missing)
    return Verdict(", ".join(dict.fromkeys(names)), troubles)


def eventbus(snapshot: Snapshot) -> Verdict:
    """Each is deployed, its servers are ready, and the controller knows its version of JetStream."""
    troubles, told = [], []
    for item in snapshot.wanted.of("EventBus"):
        trouble, live = _deployed(snapshot, item, "eventbus-name")
        version = str(dig(live, "spec", "jetstream", "version") or dig(item.body, "spec", "jetstream", "version"))
        known = _jetstream(snapshot)
        if known is not None and version not in known:
            what = f"the controller does not know JetStream {version}, but {', '.join(known) or 'none'}"
            trouble = Trouble("failed", str(item), what, "configs.jetstream.versions in the values of argo-events")
        told.append(f"{item.namespace}/{item.name}, JetStream {version}")
        if trouble:
            troubles.append(trouble)
    return Verdict(f"{', '.join(told)}: deployed, all servers ready", tuple(troubles))


def eventsource(snapshot: Snapshot) -> Verdict:
    """It is deployed, and its pods are ready."""
    item = snapshot.wanted.eventsource
    if item is None:
        raise Unreadable("the environment renders no EventSource")
    trouble, _ = _deployed(snapshot, item, "eventsource-name")
    return Verdict(f"{item.namespace}/{item.name}: deployed, all pods ready", (trouble,) if trouble else ())


def sensors(snapshot: Snapshot) -> Verdict:
    """Each response that is enabled has one, deployed, with ready pods, and filters as rendered."""
    wanted = snapshot.wanted.sensors
    found = (_deployed(snapshot, item, "sensor-name")[0] for item in wanted.values())
    return Verdict(f"{', '.join(wanted) or 'no response is enabled'}", tuple(each for each in found if each))


def dispatcher(snapshot: Snapshot) -> Verdict:
    """As many as are wanted are ready."""
    item = next((item for item in snapshot.wanted.of("Deployment") if item.name == DISPATCHER), None)
    if item is None:
        raise Unreadable("the environment renders no dispatcher")
    live = snapshot.live(item)
    if live is None:
        return Verdict("", (missing(snapshot.wanted, item),))
    trouble = not_ready(live, str(item))
    return Verdict(f"{dig(live, 'status', 'readyReplicas')} pods are ready", (trouble,) if trouble else ())


def _deployed(snapshot: Snapshot, item: Resource, label: str) -> tuple[Trouble | None, Body]:
    """What is wrong with an object of Argo Events, and the live one."""
    live = snapshot.live(item)
    if live is None:
        return missing(snapshot.wanted, item), {}
    conditions = each(live, "status", "conditions")
    logs = f"kubectl -n {item.namespace} get {item.kind.lower()} {item.name} -o yaml"
    if not conditions:
        controller = f"kubectl -n {snapshot.wanted.controllers()['argo-events'][0]} logs deployment/*controller-manager"
        return Trouble("failed", str(item), "its controller has not taken it up", controller), live
    false = [one for one in conditions if one.get("status") != "True"]
    if false:
        said = str(false[0].get("message") or false[0].get("reason") or "no reason is given")
        return Trouble("failed", str(item), f"{false[0].get('type')} is {false[0].get('status')}: {said}", logs), live
    pods = [pod for pod in snapshot.list("Pod", item.namespace) if _of(pod, label, item.name)]
    wants = dig(item.body, "spec", "jetstream", "replicas") or dig(item.body, "spec", "replicas") or 1
    ready = sum(is_ready(pod) for pod in pods)
    if ready < wants:
        remedy = f"kubectl -n {item.namespace} describe pods -l {label}={item.name}: its Secret, its image, the node"
        status = "warning" if ready and item.kind != "EventBus" else "failed"
        if ready > wants // 2:  # the stream has a majority still
            status = "warning"
        return Trouble(status, str(item), f"{ready} of {wants} pods are ready", remedy), live  # type: ignore[arg-type]
    return None, live


def _of(pod: Body, label: str, name: str) -> bool:
    return bool(dig(pod, "metadata", "labels", label) == name)


def _jetstream(snapshot: Snapshot) -> list[str] | None:
    """The versions that the controller knows, None where nobody can say."""
    namespace = snapshot.wanted.controllers()["argo-events"][0]
    try:
        maps = snapshot.list("ConfigMap", namespace)
    except Unreadable:
        return None
    import yaml

    for entry in maps:
        try:
            found = yaml.safe_load(dig(entry, "data", "controller-config.yaml") or "")
        except yaml.YAMLError:
            return None
        versions = each(found, "eventBus", "jetstream", "versions")
        if versions:
            return [str(one.get("version")) for one in versions]
    return None
