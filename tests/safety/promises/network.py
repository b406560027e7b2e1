"""Who reaches whom: every pair of pods, every port, by the NetworkPolicies as Kubernetes evaluates them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kre.model.resource import Resource, dig, walk
from kre.model.resource import each as items
from safety.promise import World, each, exactly, together

PORTS = (
    (53, "UDP"),
    (123, "UDP"),
    *((port, "TCP") for port in (53, 80, 443, 2801, 4222, 6222, 6443, 8080, 8081, 8222, 12000)),
)
OURS = ("kre-pipeline", "kre-responses")
FIELDS = {
    "podSelector",
    "policyTypes",
    "ingress",
    "egress",
    "from",
    "to",
    "ports",
    "port",
    "protocol",
    "namespaceSelector",
    "matchLabels",
    "matchExpressions",
    "key",
    "operator",
}
Flow = tuple[str, int, str]  # pod, port, protocol
BOTH = ["Ingress", "Egress"]
TYPES = {
    ("kre-pipeline", "default-deny"): BOTH,
    ("kre-pipeline", "dispatcher"): BOTH,
    ("kre-pipeline", "dns"): ["Egress"],
    ("kre-pipeline", "eventbus"): BOTH,
    ("kre-pipeline", "eventsource"): BOTH,
    ("kre-pipeline", "intake"): BOTH,
    ("kre-pipeline", "recorder"): BOTH,
    ("kre-pipeline", "sensor"): BOTH,
    ("kre-responses", "default-deny"): BOTH,
    ("kre-responses", "notify"): ["Egress"],
    ("kre-responses", "workflow"): ["Egress"],
    ("falco", "default-deny"): ["Ingress"],
    ("falco", "falcosidekick"): ["Ingress"],
}


@dataclass(frozen=True)
class Pod:
    """A pod, or with no namespace an address outside of the cluster's pods, as the API server's is."""

    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)


def pods(world: World) -> dict[str, Pod]:
    """One of each sort."""
    template = dig(world.one("Deployment", "dispatcher"), "spec", "template", "metadata", "labels")
    recorder = dig(world.one("Deployment", "recorder"), "spec", "template", "metadata", "labels")
    workflow = {"workflows.argoproj.io/workflow": "one"}
    found = {
        "falco": Pod("falco", {"app.kubernetes.io/name": "falco"}),
        "falcosidekick": Pod("falco", {"app.kubernetes.io/name": "falcosidekick"}),
        "eventsource": Pod("kre-pipeline", {"eventsource-name": "falco", "controller": "eventsource-controller"}),
        "bus": Pod("kre-pipeline", {"controller": "eventbus-controller", "eventbus-name": "default"}),
        "sensor": Pod("kre-pipeline", {"sensor-name": "delete-pod", "controller": "sensor-controller"}),
        "dispatcher": Pod("kre-pipeline", template if isinstance(template, dict) else {}),
        "recorder": Pod("kre-pipeline", recorder if isinstance(recorder, dict) else {}),
        "workflow": Pod("kre-responses", {**workflow, "kre/response": "delete-pod"}),
        "dns": Pod("kube-system", {"k8s-app": "kube-dns"}),
        "monitoring": Pod("monitoring", {"app.kubernetes.io/name": "prometheus"}),
        # of other namespaces, with the labels of parts of the engine
        "stranger": Pod(
            "default", {"app.kubernetes.io/name": "falcosidekick", "sensor-name": "x", "eventsource-name": "x"}
        ),
        "decoy": Pod("default", {"app.kubernetes.io/name": "dispatcher", "controller": "eventbus-controller"}),
        "intruder": Pod("kre-pipeline"),  # in the engine's own namespace, but none of its parts
        "guest": Pod("kre-responses", {"app": "guest"}),
        "neighbour": Pod("falco", {"app": "other"}),
        "outside": Pod(""),
    }
    if world.intake:
        labels = dig(world.one("Deployment", "intake"), "spec", "template", "metadata", "labels")
        found["intake"] = Pod("kre-pipeline", labels if isinstance(labels, dict) else {})
    if "notify" in world.responses:
        found["notify"] = Pod("kre-responses", {**workflow, "kre/response": "notify"})
        found["webhook"] = Pod("kre-responses", {"kre/response": "notify"})  # its own policy without that of all
    for target in world.environment.spec["targets"]:
        found[f"{target}/shop"] = Pod(target, {"app.kubernetes.io/name": "shop"})
        found[f"{target}/isolated"] = Pod(target, {"kre/quarantine": "true"})
    return found


def sent(known: Mapping[str, Pod]) -> dict[str, set[Flow]]:
    """Whom each pod may talk to, as far as its own side lets it."""
    bus, anywhere = ("bus", 4222, "TCP"), {(name, port, "TCP") for name in known for port in (443, 6443)}
    names = {("dns", 53, protocol) for protocol in ("UDP", "TCP")}
    found = {
        "eventsource": names | {bus},
        "bus": names | {bus, ("bus", 6222, "TCP")},
        "sensor": names | {bus, ("dispatcher", 8080, "TCP")},
        "dispatcher": names | anywhere,  # the API server is no pod: nothing but its ports can be said
        "recorder": names | anywhere,
        "intruder": names,
        "workflow": anywhere,
        "guest": set[Flow](),
    }
    if "intake" in known:
        found["intake"] = names | {("eventsource", 12000, "TCP")}
    if "notify" in known:
        webhooks = {(name, 443, "TCP") for name in known}
        found |= {"notify": names | anywhere, "webhook": names | webhooks}
    return found | {name: set[Flow]() for name in known if "isolated" in name}


def taken(known: Mapping[str, Pod]) -> dict[str, set[Flow]]:
    """Whom each pod may listen to, as far as its own side lets it."""
    found = {
        name: set[Flow]() for name, pod in known.items() if pod.namespace in (*OURS, "falco") or "isolated" in name
    }
    if "intake" in known:
        found["intake"] = {("falcosidekick", 12000, "TCP"), ("monitoring", 8081, "TCP")}
    return found | {
        "falcosidekick": {("falco", 2801, "TCP")},
        "eventsource": {("intake" if "intake" in known else "falcosidekick", 12000, "TCP")},
        "bus": {*((name, 4222, "TCP") for name in ("eventsource", "sensor", "bus")), ("bus", 6222, "TCP")},
        "dispatcher": {("sensor", 8080, "TCP"), ("monitoring", 8081, "TCP")},
        "recorder": {("monitoring", 8081, "TCP")},
    }


def selects(selector: Any, labels: Mapping[str, str]) -> bool:
    """A metav1.LabelSelector; an empty one selects all."""
    for key, value in (dig(selector, "matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for entry in items(selector, "matchExpressions"):
        here, operator = entry.get("key") in labels, entry.get("operator")
        listed = labels.get(entry.get("key"), "") in (entry.get("values") or [])
        holds = {"Exists": here, "DoesNotExist": not here, "In": here and listed, "NotIn": not listed}
        if not holds.get(operator, True):
            return False
    return True


def _peer(peer: Mapping[str, Any], policy: Resource, pod: Pod) -> bool:
    if "ipBlock" in peer or not pod.namespace:
        return "ipBlock" in peer
    spaces = peer.get("namespaceSelector")
    where = {"kubernetes.io/metadata.name": pod.namespace}
    there = pod.namespace == policy.namespace if spaces is None else selects(spaces, where)
    return there and (peer.get("podSelector") is None or selects(peer["podSelector"], pod.labels))


def _opened(rule: Any, side: str, policy: Resource, known: Mapping[str, Pod]) -> Iterator[Flow]:
    """(pod, port, protocol) that a rule lets through. Without peers it is everybody, without ports every port."""
    peers, ports = items(rule, side), items(rule, "ports")
    for name, pod in known.items():
        if not peers or any(_peer(peer, policy, pod) for peer in peers):
            for port, protocol in PORTS:
                named = ((dig(one, "port"), dig(one, "protocol") or "TCP") for one in ports)
                if not ports or any(number in (None, port) and over == protocol for number, over in named):
                    yield name, port, protocol


def _lets(policies: list[Resource], way: str, known: Mapping[str, Pod]) -> set[Flow] | None:
    """Who may be talked to (Egress) or listened to (Ingress) by what these select: policies add up. None is anybody."""
    field_, side = ("egress", "to") if way == "Egress" else ("ingress", "from")
    found: set[Flow] | None = None
    for policy in policies:
        spec = policy.body.get("spec") or {}
        if way in (spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]):
            found = found or set()
            found.update(*(_opened(rule, side, policy, known) for rule in items(spec, field_)))
    return found


@together("NetworkPolicy", "Deployment")
def pods_reach_only_whom_they_must(world: World) -> Iterator[str]:
    """Each side by itself, so that either is enough where the other is gone."""
    known, policies = pods(world), world.of("NetworkPolicy")
    for way, table, verb in (("Egress", sent(known), "may reach"), ("Ingress", taken(known), "may be reached by")):
        for name, wanted in table.items():
            pod = known[name]
            mine = [
                policy
                for policy in policies
                if policy.namespace == pod.namespace and selects(dig(policy.body, "spec", "podSelector"), pod.labels)
            ]
            found = _lets(mine, way, known)
            if found is None:
                yield f"{name} {verb} everybody"
                continue
            for other, port, protocol in sorted(found - wanted):
                yield f"{name} {verb} {other} at {port}/{protocol}"
            for other, port, protocol in sorted(wanted - found):
                yield f"{name} {verb} {other} at {port}/{protocol} no more"


@each("NetworkPolicy")
def a_policy_says_which_ways_it_holds(item: Resource, _: World) -> Iterator[str]:
    types = BOTH if item.name == "kre-quarantine" else TYPES.get((item.namespace, item.name))
    yield from exactly(
        dig(item.body, "spec", "policyTypes"), types, "not left to what stands in it, or to another policy"
    )
    for pointer, value in walk(dig(item.body, "spec")):
        if isinstance(value, dict) and "matchLabels" not in pointer and (odd := set(value) - FIELDS):
            yield f"{pointer} has {sorted(odd)}, which says nothing here"
    if "podSelector" not in (item.body.get("spec") or {}):
        yield "no podSelector: it would select every pod, which is to be said"
