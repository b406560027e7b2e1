"""Plays alerts the way that Sensor, dispatcher, Workflow and responder take them, from what an environment renders.

The dispatcher and the responder are the real ones, each with the rights that the rendering gives to its
ServiceAccount, at an API server double. What stands for Argo is in sensor.py and workflow.py, which say what they
leave out; admission policies are not played.
"""

from __future__ import annotations

import http.client
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from demo.apiserver.objects import Object
from demo.apiserver.state import now
from demo.processes import argv
from demo.sensor import Call, Event, calls, stopped_by
from demo.stage import PIPELINE, RESPONSES, Stage
from demo.workflow import Done, Outside, Run, Values
from kre.doors import command

APPROVED_BY = "kre/approved-by"
_OF_THE_CONTROLLER = {"workflows.argoproj.io/pod-name-format": "v2"}  # it writes that before any pod starts
_PAUSE = 0.5  # seconds between two deliveries, as in the Sensors


class Decision(NamedTuple):
    """What a person says where a Workflow waits for one."""

    user: str
    approves: bool = True


@dataclass(frozen=True, slots=True)
class Ran:
    """One Workflow: its name, phase, nodes (template, phase), and the records that its responders wrote."""

    name: str
    phase: str
    nodes: tuple[tuple[str, str], ...]
    records: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Played:
    """What became of one alert: the path of the filter that stopped it (None: none did), the dispatcher's last status
    code and its records, and the Workflows that there were new."""

    stopped_by: str | None = None
    status: int | None = None
    records: tuple[dict[str, Any], ...] = ()
    workflows: tuple[Ran, ...] = ()


def play(
    stage: Stage,
    response: str,
    alert: Mapping[str, Any],
    *,
    received: str = "",
    decision: Decision | None = None,
    tries: int = 3,
) -> Played:
    """Plays one alert through the Sensor of a response, and every new Workflow to its end.

    `received` is the time at which the alert came in (now). Without a `decision` a Workflow that asks for one stays
    Running. `tries` is how often the Sensor delivers, at most.
    """
    event = Event(alert, received or now())
    sensor = stage.one("Sensor", response, PIPELINE).body
    stop = stopped_by(sensor, event)
    if stop is not None:
        return Played(stop)
    before = {one["metadata"]["name"] for one in stage.server.state.all("workflows")}
    status = [_deliver(stage, call, tries) for call in calls(sensor, event, stage.secrets)][-1]
    records = stage.dispatcher.records()
    new = [one for one in stage.server.state.all("workflows") if one["metadata"]["name"] not in before]
    return Played(None, status, tuple(records), tuple(follow(stage, one, decision) for one in new))


def follow(stage: Stage, workflow: Object, decision: Decision | None = None) -> Ran:
    """Runs a Workflow that is at the API server, whoever made it, to its end or to where it waits."""
    name, records = workflow["metadata"]["name"], list[dict[str, Any]]()
    template = stage.one("WorkflowTemplate", workflow["spec"]["workflowTemplateRef"]["name"], RESPONSES).body
    # That one may have annotations by now which it did not have when it began: whoever approves leaves a name.
    annotations = {**_OF_THE_CONTROLLER, **(workflow["metadata"].get("annotations") or {})}

    def contain(container: Mapping[str, Any], environ: Values) -> Done:
        done, lines = _respond(stage, template, container, environ)
        records.extend(lines)
        return done

    def decide(_: Values) -> bool | None:
        if decision is None:
            return None
        annotations[APPROVED_BY] = decision.user
        return decision.approves

    run = Run(template, workflow, Outside(contain, decide, lambda: annotations))
    phase = run.run()
    return Ran(name, phase, tuple(run.nodes), tuple(records))


def _deliver(stage: Stage, call: Call, tries: int) -> int:
    status = 0
    for attempt in range(min(call.steps, tries)):
        time.sleep(_PAUSE if attempt else 0)
        connection = http.client.HTTPConnection("127.0.0.1", stage.dispatcher.port, timeout=30)
        try:
            connection.request(call.method, urlsplit(call.url).path, call.body, dict(call.headers))
            status = connection.getresponse().status
        finally:
            connection.close()
        if status in call.allowed:
            break
    return status


def _respond(
    stage: Stage, template: Mapping[str, Any], container: Mapping[str, Any], environ: Values
) -> tuple[Done, list[dict[str, Any]]]:
    out = Path(tempfile.mkdtemp(dir=stage.folder))
    settings = stage.settings[RESPONSES]
    with stage.door(template["spec"]["serviceAccountName"], RESPONSES) as door:
        given = {**environ, "KRE_SETTINGS": str(settings), "KRE_OUT": str(out), "KRE_API": door.url}
        done = command.run(argv(container["command"], stage.code(template["metadata"]["name"])), env=given, timeout=200)
    files = {f"/out/{path.name}": path.read_text(encoding="utf-8") for path in out.iterdir() if path.is_file()}
    return Done(done.code, files), [json.loads(line) for line in done.stdout.splitlines()]
