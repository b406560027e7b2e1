"""The way of an alert: where editing it loses some."""

from __future__ import annotations

from collections.abc import Iterator

from kre.compare.differences import Difference
from kre.compare.pair import Pair, change, turned, within
from kre.model.comparison import Change, Delta, Kind
from kre.model.resource import dig

_STREAM = ("spec.jetstream.streamConfig", "spec.jetstreamExotic.streamConfig")
_LOGIN = ("spec.nats.native.auth", "spec.jetstreamExotic.accessSecret", "spec.nats.exotic.auth")


def sensors(pair: Pair) -> Iterator[Change]:
    """A Sensor whose filters are edited loses alerts meanwhile, acknowledged ones among them; one that is gone loses
    all of its response's. One that is new loses none."""
    for delta in pair.of("Sensor"):
        if delta.after is None:
            yield change(Kind.DETECTION, delta, "this Sensor is gone: its response answers to nothing")
        elif delta.before is not None:
            for at in within(delta, "spec"):
                if not at.path.startswith("spec.template.") and ".secureHeaders" not in at.path:
                    gap = "" if at.path != "spec.replicas" else " and no Sensor runs in between"
                    yield change(Kind.DETECTION, delta, f"{turned(at)}: alerts are lost while it changes{gap}", at)
        elif not pair.released(delta):
            yield change(Kind.WORKLOAD, delta, "a Sensor that is in no release")


def event_buses(pair: Pair) -> Iterator[Change]:
    """The stream is made once, with the settings of that time; what else changes may lose what is on the bus."""
    for delta in pair.of("EventBus"):
        if delta.after is None:
            yield change(Kind.STREAM, delta, "this EventBus is gone, and with it what is on it")
            continue
        for at in within(delta, "spec") if delta.before is not None else ():
            if at.path in _STREAM:
                what = "streamConfig changes; it is write-once: the stream that is there keeps its own"
                yield change(Kind.STREAM, delta, what, at)
            elif at.path in ("spec.jetstream", "spec.nats", "spec.jetstreamExotic"):
                yield change(Kind.STREAM, delta, f"{at.path} comes or goes: another bus, without what is on this", at)
            elif at.path.startswith(_LOGIN):
                yield change(Kind.AUTHENTICATION, delta, turned(at), at)
            elif not _harmless(at):
                yield change(Kind.DETECTION, delta, f"{turned(at)}: what is on the bus may be lost", at)


def _harmless(at: Difference) -> bool:
    parts = at.path.split(".")
    if parts[-1] == "replicas" and isinstance(at.before, int) and isinstance(at.after, int):
        return at.after >= at.before
    return "resources" in parts or any("ontainerTemplate" in part for part in parts) or parts[-1] == "securityContext"


def gone(pair: Pair) -> Iterator[Change]:
    """Without these nothing answers, and nothing says so."""
    for delta in pair.of("Deployment", "DaemonSet", "StatefulSet", "WorkflowTemplate", "Application", "Namespace"):
        if delta.after is None:
            yield change(Kind.DETECTION, delta, _lost(delta))


def _lost(delta: Delta) -> str:
    if delta.key.kind == "Application":
        return "this Application is gone: Argo CD takes away all that it applied"
    if delta.key.kind == "Namespace":
        return "this Namespace is gone, and everything in it"
    return f"this {delta.key.kind} is gone"


def stopped(pair: Pair) -> Iterator[Change]:
    """Scaled down to nothing."""
    for delta in pair.of("Deployment", "StatefulSet", "EventSource"):
        for at in within(delta, "spec", "replicas") if delta.before is not None and delta.after is not None else ():
            if dig(delta.new, "spec", "replicas") == 0:
                yield change(Kind.DETECTION, delta, turned(at), at)
