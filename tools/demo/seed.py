"""Plays one alert the way that a Sensor with a `k8s` trigger, Workflow and responder take it, from what is rendered."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kre.doors import command
from kre.model.bundle import Bundle
from kre.model.resource import dig

_STEP = re.compile(r"(?:\\.|[^.\\])+")
_INPUT = re.compile(r"\{\{inputs\.parameters\.([\w-]+)\}\}")


@dataclass(frozen=True, slots=True)
class Response:
    """A response as it is rendered: its trigger, its WorkflowTemplate, and the responder's files."""

    trigger: Mapping[str, Any]
    template: Mapping[str, Any]
    code: Mapping[str, str]


def response(bundle: Bundle, environment: str, name: str) -> Response:
    """The response `name` of an environment. Raises StopIteration where it is not enabled there."""
    sensor = next(item for item in bundle.of(environment, "Sensor") if item.name == name)
    template = next(item for item in bundle.of(environment, "WorkflowTemplate") if item.name == name)
    code = next(item for item in bundle.of(environment, "ConfigMap") if item.name == "responder")
    return Response(dig(sensor.body, "spec", "triggers", 0, "template", "k8s"), template.body, code.body["data"])


def arguments(trigger: Mapping[str, Any], alert: Mapping[str, Any]) -> dict[str, str]:
    """The arguments that the trigger gives its Workflow. Every parameter takes one field (dataKey) of the alert."""
    names = [entry["name"] for entry in dig(trigger, "source", "resource", "spec", "arguments", "parameters")]
    found = {}
    for parameter in trigger["parameters"]:
        place = re.fullmatch(r"spec\.arguments\.parameters\.(\d+)\.value", parameter["dest"])
        if place:
            found[names[int(place[1])]] = str(field(parameter["src"]["dataKey"], {"body": alert}))
    return found


def field(path: str, event: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """The value at a gjson path of plain keys, dots in keys escaped: body.output_fields.k8s\\.ns\\.name."""
    value: Any = event
    for step in _STEP.findall(path):
        value = value[step.replace("\\", "")]
    return value


def respond(known: Response, alert: Mapping[str, Any], url: str, folder: Path) -> dict[str, Any]:
    """Runs the responder in a process of its own, with the environment that the template gives it; returns its record.

    `folder` holds the responder's files, as the ConfigMap does in the pod; `url` is the API server.
    """
    given = arguments(known.trigger, alert)
    container = dig(known.template, "spec", "templates", 0, "container")
    environ = {entry["name"]: _INPUT.sub(lambda found: given[found[1]], entry["value"]) for entry in container["env"]}
    interpreter, options, _ = container["command"]
    assert interpreter == "python3"  # noqa: S101 - the demo runs it with the Python it has itself
    done = command.run([sys.executable, options, str(folder)], env={**environ, "KRE_API": url}, timeout=90)
    record: dict[str, Any] = json.loads(done.stdout)
    return record


def unpack(known: Response, folder: Path) -> Path:
    """Writes the responder's files where its pod would have them."""
    for name, text in known.code.items():
        (folder / os.path.basename(name)).write_text(text, encoding="utf-8")
    return folder
