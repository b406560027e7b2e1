"""Falco and Falcosidekick: say which pod it was, keep a record of each alert, know no secret, do not see ourselves."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from kre.model.resource import Resource, dig
from safety.promise import VALUES, World, each, exactly, text, without

RULES = "kre_rules.yaml"


@each(VALUES)
def falco_says_which_pod_and_keeps_a_record(item: Resource, _: World) -> Iterator[str]:
    if item.name != "falco":
        return
    values = item.body["values"]
    wanted = {
        "driver": {"kind": "modern_ebpf"},
        "falcoctl": {
            "artifact": {"follow": {"enabled": False}},
            "config": {"artifact": {"allowedTypes": ["plugin"], "install": {"refs": []}}},
        },
        "falcosidekick": {"enabled": False},
    }
    yield from exactly(
        without(values, "falco", "customRules"), wanted, "rules change by a commit, nothing else is started"
    )
    falco = {
        "json_output": True,
        "json_include_output_property": True,
        "json_include_tags_property": True,
        "priority": "notice",
        "append_output": [{"suggested_output": True}, {"extra_fields": ["k8s.pod.uid", "container.full_id"]}],
        "stdout_output": {"enabled": True},
        "syslog_output": {"enabled": False},
        "http_output": {"enabled": True, "url": "http://falcosidekick.falco.svc:2801/", "keep_alive": True},
    }
    why = "the uid, so that no other pod of that name is taken for it; and a log of every alert, whatever becomes of it"
    yield from exactly(values.get("falco"), falco, why, "falco")


@each(VALUES)
def rules_of_our_own_are_those_of_git(item: Resource, world: World) -> Iterator[str]:
    """What they let through is tried in tests/bundle/test_falco_rules.py, on the file in base/."""
    if item.name != "falco":
        return
    files = dig(item.body, "values", "customRules") or {}
    tried = yaml.safe_load(text("base/falco/values.yaml"))["customRules"]
    if world.environment.source:
        tried = {name: files.get(name) for name in tried}
    yield from exactly(files, tried, "an exception that is wider lets an intruder act unseen", "customRules")


@each(VALUES)
def falcosidekick_knows_no_secret(item: Resource, _: World) -> Iterator[str]:
    if item.name != "falcosidekick":
        return
    wanted = {
        "replicaCount": 2,
        "config": {
            "existingSecret": "falcosidekick-webhook",
            "webhook": {
                "address": "http://falco-eventsource.kre-pipeline.svc:12000/falco",
                "method": "POST",
                "minimumpriority": "notice",
            },
        },
    }
    found = without(item.body["values"], "podSecurityContext", "securityContext", "resources")
    yield from exactly(
        found, wanted, "the token is in a Secret that Git does not know; every alert goes to the EventSource"
    )
