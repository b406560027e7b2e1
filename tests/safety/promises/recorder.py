"""The recorder: one of it, which can't be kept from coming back, and reads nothing but Workflows."""

from __future__ import annotations

from collections.abc import Iterator

from kre.model.resource import Resource, dig
from kre.model.resource import each as items
from safety.promise import World, each, exactly, without
from safety.promises.dispatcher import probe, unhashed

NAME = {"app.kubernetes.io/name": "recorder"}


@each("Deployment")
def the_recorder_is_one_and_gives_way_to_the_next(item: Resource, _: World) -> Iterator[str]:
    if item.name != "recorder":
        return
    spec = dig(item.body, "spec") or {}
    wanted = {"replicas": 1, "strategy": {"type": "Recreate"}, "selector": {"matchLabels": NAME}, "template": {}}
    yield from exactly({**spec, "template": {}}, wanted, "two would write everything twice")
    template = dig(spec, "template") or {}
    yield from exactly(
        {**template, "spec": {}}, {"metadata": {"labels": NAME}, "spec": {}}, "its policy knows it by this"
    )
    pod = without(dig(template, "spec") or {}, "containers", "volumes", "securityContext")
    own = {"serviceAccountName": "recorder", "terminationGracePeriodSeconds": 5}
    yield from exactly(pod, own, "an identity of its own; an end of it loses nothing, so that it need not be late")


@each("Deployment")
def the_recorder_runs_the_code_of_git(item: Resource, _: World) -> Iterator[str]:
    if item.name != "recorder":
        return
    made = {
        "name": "recorder",
        "command": ["python3", "-EsB", "/opt/kre/recorder.py"],
        "ports": [{"name": "status", "containerPort": 8081}],
        "readinessProbe": probe(periodSeconds=5, timeoutSeconds=2),
        "livenessProbe": probe(initialDelaySeconds=5, periodSeconds=10, timeoutSeconds=5, failureThreshold=6),
        "volumeMounts": [
            {"name": "sink", "mountPath": "/etc/kre/sink", "readOnly": True},
            {"name": "code", "mountPath": "/opt/kre", "readOnly": True},
        ],
    }
    pod = dig(item.body, "spec", "template", "spec") or {}
    listed = [without(one, "image", "resources", "securityContext") for one in items(pod, "containers")]
    yield from exactly(listed, [made], "isolated from its environment, and it says whether it gets on")
    sink, *others = items(pod, "volumes") or [{}]
    secret = {"name": "sink", "secret": {"secretName": "recorder-sink", "optional": True}}
    yield from exactly(sink, secret, "no other Secret is read; the Component record-sink makes it a must, by its index")
    wanted = [{"name": "code", "configMap": {"name": "recorder-code-HASH"}}]
    yield from exactly([unhashed(one) for one in others], wanted, "new code rolls it, and nothing else is read")
