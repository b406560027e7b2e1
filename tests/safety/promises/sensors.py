"""Sensors let an alert through only where every field is listed, and pass on seven values and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import re2

from kre.model.resource import Resource, dig, walk
from kre.model.resource import each as items
from safety.promise import World, each, exactly, without
from support.repository import PROJECT

NAMESPACE, POD = r"body.output_fields.k8s\.ns\.name", r"body.output_fields.k8s\.pod\.name"
PATHS = [NAMESPACE, "body.rule", "body.source", "body.priority", POD, "body.uuid"]
PRIORITIES = ["Debug", "Informational", "Notice", "Warning", "Error", "Critical", "Alert", "Emergency"]
UUID = "0e5d1a5c-4c5b-4d7e-9d6c-2f4e0a7b9c11"
PODS = ["a", "web-1", "web-5d8f.x-1", "a" * 253, "9"]
NO_PODS = ["-a", "a-", ".a", "a" * 254, "a_b", "a/b", "a b", "a;b", "{{a}}", "a{{=b}}c", "a\nb", "a\x00b", "$(a)", "ä"]
PAYLOAD = {
    "namespace": {"dataKey": NAMESPACE},
    "pod": {"dataKey": POD},
    "uid": {"dataKey": r"body.output_fields.k8s\.pod\.uid", "value": ""},
    "container": {"dataKey": r"body.output_fields.container\.full_id", "value": ""},
    "rule": {"dataKey": "body.rule"},
    "alert": {"dataKey": "body.uuid"},
    "time": {"contextKey": "time"},
}


@cache
def recorded(response: str) -> list[dict[str, Any]]:
    """The alerts that a response is documented by."""
    folder = PROJECT / "base/responses/options" / response / "alerts"
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def near(value: str) -> Iterator[str]:
    """Values that a pattern for `value` alone must not let through."""
    yield from (f"{value}x", f"x{value}", f"{value}\n", f"\n{value}", f"{value}\n{value}", f" {value}", f"{value} ", "")
    yield from (f"{{{{{value}}}}}", f"{value}{{{{=1}}}}", f"{value};", f"{value}|x", "null", "<NA>", "x" * 5000)
    yield from (f"{value[:index]}~{value[index + 1 :]}" for index in range(len(value)))


@cache
def _compiled(pattern: str) -> Any:
    try:
        return re2.compile(pattern)
    except re2.error:
        return None


@cache
def lets(pattern: str, wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> str:
    """What is wrong with a pattern: it must find these and none of those; "" for nothing."""
    known = _compiled(pattern)
    if known is None:
        return f"{pattern!r} is no pattern, and filters nothing"
    for value in wanted:
        if not known.search(value):
            return f"{pattern!r} does not let {value[:60]!r} through"
    for value in unwanted:
        if value not in wanted and known.search(value):
            return f"{pattern!r} lets {value[:60]!r} through"
    return ""


def forms(response: str, targets: Iterable[str]) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Path -> what its pattern must find, and must not."""
    alerts, wanted = recorded(response), tuple(targets)
    rules = tuple(sorted({alert["rule"] for alert in alerts}))
    least = min(PRIORITIES.index(alert["priority"]) for alert in alerts) if alerts else len(PRIORITIES)
    others = ("kube-system", "kre-pipeline", "kre-responses", "argocd", "default", "falco")

    def around(*values: str) -> tuple[str, ...]:
        return tuple(one for value in values for one in near(value))

    return {
        NAMESPACE: (wanted, (*around(*wanted), "", "other", *others)),
        "body.rule": (rules, (*around(*rules), "Test rule", "other", "Falco internal: syscall event drop")),
        "body.source": (("syscall",), (*around("syscall"), "internal", "k8s_audit")),
        "body.priority": (tuple(PRIORITIES[least:]), (*around(*PRIORITIES[least:]), *PRIORITIES[:least], "other")),
        POD: (tuple(PODS), (*NO_PODS, "", "A", "a\n", "\na", "x" * 5000)),
        "body.uuid": ((UUID,), (*around(UUID), UUID.upper(), UUID.replace("-", ""), UUID[:-1], f"{UUID}-")),
    }


@each("Sensor")
def only_listed_alerts_pass(item: Resource, world: World) -> Iterator[str]:
    dependencies = items(item.body, "spec", "dependencies")
    if len(dependencies) != 1:
        yield "an alert comes in at one place"
    for dependency in dependencies:
        filters = items(dependency, "filters", "data")
        yield from exactly([dig(one, "path") for one in filters], PATHS, "these fields, the namespace first", "filters")
        known = forms(item.name, world.environment.spec["targets"])
        for index, one in enumerate(filters):
            shape = {"path": dig(one, "path"), "type": "string", "value": dig(one, "value")}
            yield from exactly(one, shape, "no comparator or template beside the pattern", f"filters/{index}")
            values = items(one, "value")
            if len(values) != 1 or dig(one, "path") not in known:
                yield f"filters/{index}: {len(values)} patterns, of which any one would do"
            elif wrong := lets(str(values[0]), *known[str(dig(one, "path"))]):
                yield f"filters/{index}: {wrong}"


@each("Sensor")
def filters_are_all_of_them(item: Resource, _: World) -> Iterator[str]:
    for dependency in items(item.body, "spec", "dependencies"):
        wanted = {"name": "alert", "eventSourceName": "falco", "eventName": "alerts", "filters": {}}
        yield from exactly({**dependency, "filters": {}}, wanted, "alerts of Falco, untransformed")
        found = {**(dig(dependency, "filters") or {}), "data": []}
        yield from exactly(
            found, {"data": [], "dataLogicalOperator": "and"}, "every filter must hold; no script, no exprs"
        )


@each("Sensor")
def a_sensor_asks_the_dispatcher_and_nobody_else(item: Resource, _: World) -> Iterator[str]:
    spec = dig(item.body, "spec") or {}
    found = without(spec, "dependencies", "triggers", "template")
    yield from exactly(found, {}, "no error policy or replicas of its own")
    template = without(dig(spec, "template") or {}, "securityContext", "container")
    yield from exactly(template, {"serviceAccountName": "sensor"}, "an identity that is bound to nothing")
    container = without(dig(spec, "template", "container") or {}, "securityContext", "resources")
    yield from exactly(container, {}, "its image and arguments are the controller's")
    secret = {"name": f"{item.name}-dispatch-token", "key": "authorization"}
    http = {
        "url": "http://dispatcher.kre-pipeline.svc:8080/respond",
        "method": "POST",
        "timeout": 5,
        "headers": {"Content-Type": "application/json"},
        "secureHeaders": [{"name": "Authorization", "valueFrom": {"secretKeyRef": secret}}],
        "payload": [],
    }
    trigger = {
        "atLeastOnce": True,
        "retryStrategy": {"steps": 120, "duration": "500ms", "factor": 1, "jitter": 0.2},
        "policy": {"status": {"allow": [200]}},
        "template": {"name": item.name, "http": http},
    }
    made = []
    for one in items(spec, "triggers"):
        asked = {**(dig(one, "template", "http") or {}), "payload": []}
        made.append({**one, "template": {**(dig(one, "template") or {}), "http": asked}})
    why = "one request to the dispatcher, with its own token, again until it is taken, for a minute"
    yield from exactly(made, [trigger], why, "triggers")


@each("Sensor")
def seven_values_leave_the_sensor(item: Resource, _: World) -> Iterator[str]:
    wanted = [{"dest": name, "src": {"dependencyName": "alert", **source}} for name, source in PAYLOAD.items()]
    for trigger in items(item.body, "spec", "triggers"):
        found = dig(trigger, "template", "http", "payload")
        yield from exactly(found, wanted, "no free text of the alert goes further than here", "payload")
    for pointer, _value in walk(item.body):
        if pointer and pointer[-1] in (
            "script",
            "transform",
            "exprs",
            "dataTemplate",
            "contextTemplate",
            "parameters",
            "k8s",
        ):
            yield f"{pointer} would run or write what an alert says"
