"""The intake: two of it, before the EventSource, with no right and no Secret but its port's certificate."""

from __future__ import annotations

from collections.abc import Iterator

from kre.model.resource import Resource, dig
from kre.model.resource import each as items
from safety.promise import World, each, exactly, without
from safety.promises.dispatcher import probe, spread, unhashed

NAME = {"app.kubernetes.io/name": "intake"}
NEXT = {"kre/passes-on-to": "falco-webhook:12000"}  # what rule X10 follows


@each("Deployment")
def the_intake_is_two_and_answers_what_it_has_begun(item: Resource, _: World) -> Iterator[str]:
    if item.name != "intake":
        return
    spec = dig(item.body, "spec") or {}
    rolled = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    wanted = {"replicas": 2, "strategy": rolled, "selector": {"matchLabels": NAME}, "template": {}}
    yield from exactly({**spec, "template": {}}, wanted, "never fewer than two, while it is rolled as well")
    template = dig(spec, "template") or {}
    labels = {"metadata": {"labels": NAME}, "spec": {}}
    yield from exactly({**template, "spec": {}}, labels, "its Service and its policy know it by this label")
    pod = without(dig(template, "spec") or {}, "containers", "volumes", "securityContext")
    places = [spread(key, NAME) for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")]
    own = {"serviceAccountName": "intake", "terminationGracePeriodSeconds": 30, "topologySpreadConstraints": places}
    yield from exactly(pod, own, "no right; what it has taken is answered, and posted once more, before it ends")


@each("Deployment")
def the_intake_runs_the_code_of_git(item: Resource, _: World) -> Iterator[str]:
    if item.name != "intake":
        return
    mounts = [("tls", "/etc/kre/tls"), ("code", "/opt/kre")]
    made = {
        "name": "intake",
        "command": ["python3", "-EsB", "/opt/kre/intake.py"],
        "ports": [{"name": "alerts", "containerPort": 12000}, {"name": "status", "containerPort": 8081}],
        "readinessProbe": probe(periodSeconds=2, timeoutSeconds=2),
        "livenessProbe": probe(initialDelaySeconds=5, periodSeconds=10, timeoutSeconds=5, failureThreshold=6),
        "volumeMounts": [{"name": name, "mountPath": path, "readOnly": True} for name, path in mounts],
    }
    pod = dig(item.body, "spec", "template", "spec") or {}
    listed = [without(one, "image", "resources", "securityContext") for one in items(pod, "containers")]
    yield from exactly(listed, [made], "isolated from its environment, and it says when it is ready")
    first, *others = items(pod, "volumes") or [{}]
    certificate = {"name": "tls", "secret": {"secretName": "falco-eventsource-tls", "optional": True}}
    yield from exactly(first, certificate, "no other Secret is read; without a certificate the port is plain HTTP")
    wanted = [{"name": "code", "configMap": {"name": "intake-code-HASH"}}]
    yield from exactly([unhashed(one) for one in others], wanted, "new code rolls it, and nothing else is read")


@each("Service")
def what_passes_alerts_on_says_whereto(item: Resource, world: World) -> Iterator[str]:
    wanted = NEXT if world.intake and item.name == "falco-eventsource" else None
    yield from exactly(item.metadata.get("annotations"), wanted, "a rule follows the alert by it", "annotations")
