"""What runs, as whom, and behind which safeguards. An image's new digest is no risk, another image is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from kre.compare.differences import Difference
from kre.compare.pair import Pair, change, mapping, turned, within
from kre.doors import files
from kre.model.comparison import Change, Delta, Kind
from kre.model.resource import dig

WORKLOADS = ("Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Pod", "Job", "CronJob")
TEMPLATES = ("WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow", "Workflow", "WorkflowEventBinding")
_HARMLESS = re.compile(
    r"(^|\.)(resources|livenessProbe|readinessProbe|startupProbe|terminationGracePeriodSeconds|strategy|affinity|"
    r"topologySpreadConstraints|minReadySeconds|revisionHistoryLimit|replicas|priorityClassName|ttlStrategy|"
    r"tolerations|nodeSelector)([.\[]|$)"
)
_IMAGE = re.compile(r"^(?P<name>[^@]+?)(?::[\w][\w.-]*)?@sha256:[0-9a-f]{64}$")
_SECURITY = "pod-security.kubernetes.io/"


def workloads(pair: Pair) -> Iterator[Change]:
    """Pods and what makes them."""
    for delta in pair.of(*WORKLOADS, *TEMPLATES):
        if delta.before is None:
            if not pair.released(delta):
                yield change(Kind.WORKLOAD, delta, f"a {delta.key.kind} that is in no release")
            yield from _unpinned(delta)
        elif delta.after is not None:
            yield from _differ(delta, "spec")
    for delta in pair.of("Sensor", "EventSource"):
        if delta.before is not None and delta.after is not None:
            yield from _differ(delta, "spec", "template")
    for delta in pair.of("EventBus"):
        for at in within(delta, "spec") if delta.before is not None and delta.after is not None else ():
            if ("securityContext" in at.path or "ontainerTemplate" in at.path) and not _HARMLESS.search(at.path):
                yield change(Kind.WORKLOAD, delta, turned(at), at)


def _differ(delta: Delta, *steps: str) -> Iterator[Change]:
    for at in within(delta, *steps):
        if _HARMLESS.search(at.path) or (at.path.endswith(".image") and _same_image(at)):
            continue
        yield change(Kind.WORKLOAD, delta, turned(at), at)


def _same_image(at: Difference) -> bool:
    """Whether both are by digest, and of one repository."""
    then, now = (_IMAGE.match(str(value)) for value in (at.before, at.after))
    return then is not None and now is not None and then["name"] == now["name"]


def _unpinned(delta: Delta) -> Iterator[Change]:
    for image in sorted(images(delta.new)):
        if not _IMAGE.match(image):
            at = Difference("image", ("spec",), None, image)
            yield change(Kind.WORKLOAD, delta, f"image {image} has no digest: what it is may change", at)


def images(body: object) -> set[str]:
    """Every image that an object names."""
    if isinstance(body, Mapping):
        own = {str(body["image"])} if isinstance(body.get("image"), str) and body["image"] else set()
        return own.union(*(images(value) for value in body.values()))
    return set().union(*(images(value) for value in body)) if isinstance(body, list) else set()


def namespaces(pair: Pair) -> Iterator[Change]:
    """The labels by which a Namespace says which pods it takes; and every other, for policies select by them."""
    for delta in pair.of("Namespace"):
        if delta.before is not None and delta.after is not None:
            for at in within(delta, "metadata", "labels"):
                tighter = at.before is None and _SECURITY in at.path
                if not tighter:
                    yield change(Kind.WORKLOAD, delta, turned(at), at)


def code(pair: Pair) -> Iterator[Change]:
    """The engine's own code comes from the release, whose bytes the lock proves, never from a patch or another file."""
    for delta in pair.of("ConfigMap"):
        data = mapping(dig(delta.new, "data"))
        for name in sorted(str(key) for key in data if str(key).endswith((".py", ".sh"))):
            if data[name] == dig(delta.old, "data", name):
                continue
            if data[name] not in _released(pair, delta, name):
                at = Difference(f"data.{name}", ("data", name), dig(delta.old, "data", name), data[name])
                yield change(Kind.WORKLOAD, delta, f"{name} is not the file of the release", at)


def _released(pair: Pair, delta: Delta, name: str) -> Iterator[str]:
    """The texts of the files of this name that the root takes from the release."""
    bundle, folder = pair.after.bundle, pair.environment.folder
    root = bundle.root_at(delta.after.root) if delta.after else None
    for path in sorted(root.files if root else ()):
        inside = path.startswith((f"{folder}/release/", *(() if pair.promoted else ("base/",))))
        if inside and Path(path).name == name:
            try:
                yield files.read(bundle.root / path).decode(errors="replace")
            except files.FileProblem:
                continue
