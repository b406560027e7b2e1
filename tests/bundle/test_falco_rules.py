"""The Falco rules in base/falco/values.yaml: Falco would load them, and they mean what they say."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
import yaml

from support.falco import Condition, Event, Judge
from support.repository import FIXTURES, PROJECT

VALUES = yaml.safe_load((PROJECT / "base/falco/values.yaml").read_text())
FILES: dict[str, str] = VALUES["customRules"]
NAMES = yaml.safe_load((FIXTURES / "falco/names.yaml").read_text())
ITEMS: list[dict[str, Any]] = [item for text in FILES.values() for item in yaml.safe_load(text)]
OVERRIDES = [item for item in ITEMS if "override" in item]
RULES = [item for item in ITEMS if "rule" in item and "override" not in item]

TEXT = {"type": "string", "minLength": 1}
OVERRIDE = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
    "properties": {"condition": {"enum": ["append", "replace"]}, "items": {"enum": ["append", "replace"]}},
}
PRIORITY = {"enum": ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"]}


def item(*required: str, **more: Any) -> dict[str, Any]:
    properties = dict.fromkeys(required, TEXT) | more
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


# As Falco's rule_loader_reader.cpp reads them; a key that it would pass over with a warning is an error here.
SCHEMA = {
    "type": "array",
    "minItems": 1,
    "items": {
        "oneOf": [
            item(
                *("rule", "desc", "condition", "output"),
                priority=PRIORITY,
                tags={"type": "array", "items": {"type": "string", "pattern": "^[a-zA-Z0-9_]+$"}},
            )
            | {"required": ["rule", "desc", "condition", "output", "priority"]},
            item("macro", "condition", override=OVERRIDE),
            item("list", items={"type": "array"}, override=OVERRIDE) | {"required": ["list", "items"]},
        ]
    },
}


def never(event: Event) -> bool:
    return False


# Upstream's macros that the rules here use, by what they mean.
UPSTREAM: dict[str, Judge] = {
    "never_true": never,
    "spawned_process": lambda event: event.get("evt.type") in ("execve", "execveat"),
    "container": lambda event: event.get("container.id", "host") != "host",
}


def overridden(name: str) -> Condition:
    """An upstream macro that is `never_true`, with what is appended to it here."""
    found = [item["condition"] for item in OVERRIDES if item.get("macro") == name]
    return Condition(" ".join(["(never_true)", *found]), UPSTREAM)


def conditions() -> list[Condition]:
    appended = [overridden(item["macro"]) for item in OVERRIDES if "macro" in item]
    return appended + [Condition(item["condition"], UPSTREAM) for item in RULES]


@pytest.mark.parametrize("name", FILES)
def test_falco_would_read_it(name: str) -> None:
    jsonschema.validate(yaml.safe_load(FILES[name]), SCHEMA)


def test_the_macros_that_this_test_knows_are_upstreams() -> None:
    assert UPSTREAM.keys() <= set(NAMES["macros"])


def test_what_is_overridden_is_there() -> None:
    assert OVERRIDES
    for item in OVERRIDES:
        kind = "macro" if "macro" in item else "list"
        assert item[kind] in NAMES[f"{kind}s"]
        assert item["override"] == {"condition" if kind == "macro" else "items": "append"}, "others append as well"


def test_no_rule_takes_the_name_of_one_of_falcos() -> None:
    assert not {item["rule"] for item in RULES} & set(NAMES["rules"])


def test_fields_and_macros_are_known() -> None:
    """Falco refuses the whole file for one that is not, and then sees nothing at all."""
    own = {item["macro"] for item in ITEMS if "macro" in item and "override" not in item}
    for condition in conditions():
        assert condition.macros <= own | set(NAMES["macros"])
        assert condition.fields <= set(NAMES["fields"])
    for rule in RULES:
        assert set(re.findall(r"%([a-z0-9_.]+)", rule["output"])) <= set(NAMES["fields"])


WORKING = [
    ("argo-events", "argo-events"),
    ("argo-workflows", "workflow-controller"),
    ("kre-pipeline", "argo-events"),
    ("kre-pipeline", "python3"),
    ("kre-responses", "argoexec"),
    ("kre-responses", "python3"),
]


@pytest.mark.parametrize(("namespace", "program"), WORKING)
def test_the_engine_at_work_is_no_alert(namespace: str, program: str) -> None:
    event = {"k8s.ns.name": namespace, "proc.name": program[:15]}  # the kernel's TASK_COMM_LEN, less its zero
    assert overridden("user_known_contact_k8s_api_server_activities").judge(event)


@pytest.mark.parametrize(
    ("namespace", "program"),
    [("kre-demo", "python3"), ("kre-pipeline", "curl"), ("kre-responses", "kubectl"), ("falco", "python3")],
)
def test_anything_else_is(namespace: str, program: str) -> None:
    event = {"k8s.ns.name": namespace, "proc.name": program}
    assert not overridden("user_known_contact_k8s_api_server_activities").judge(event)


def test_the_executor_in_its_volume_is_no_alert() -> None:
    judge = overridden("known_drop_and_execute_activities").judge
    event = {"k8s.ns.name": "kre-responses", "proc.name": "argoexec", "proc.exepath": "/var/run/argo/argoexec"}
    assert judge(event)
    assert not judge(event | {"k8s.ns.name": "kre-demo"})
    assert not judge(event | {"proc.exepath": "/tmp/argoexec"})
    assert not judge(event | {"proc.name": "sh"})


def test_the_drill() -> None:
    drill = next(item for item in RULES if item["rule"] == "kre drill")
    judge = Condition(drill["condition"], UPSTREAM).judge
    event = {"evt.type": "execve", "container.id": "3ad7b26ded6d", "proc.name": "true", "proc.exe": "kre-drill"}
    assert judge(event)
    assert judge(event | {"proc.name": "kre-drill", "proc.exe": "./kre-drill"})
    assert not judge(event | {"proc.exe": "true"})
    assert not judge(event | {"container.id": "host"})
    assert not judge(event | {"evt.type": "connect"})
    assert "kre-drill" in FILES["kre_rules.yaml"].split("kubectl exec")[1].splitlines()[0]


def test_what_is_alerted_is_sent_and_kept() -> None:
    falco = VALUES["falco"]
    assert falco["json_output"]
    assert falco["stdout_output"] == {"enabled": True}
    sidekick = yaml.safe_load((PROJECT / "base/falcosidekick/values.yaml").read_text())
    order = [name.lower() for name in PRIORITY["enum"]]
    least = order.index(falco["priority"])
    assert order.index(sidekick["config"]["webhook"]["minimumpriority"]) >= least
    assert all(order.index(rule["priority"].lower()) <= least for rule in RULES)
