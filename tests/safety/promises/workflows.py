"""WorkflowTemplates: what a response's Workflow consists of, down to each variable that its responder is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kre.model.resource import Resource, dig, walk
from kre.model.resource import each as items
from safety.promise import World, each, exactly, without

PARAMETERS = ("namespace", "pod", "uid", "rule", "alert", "received", "mode")
ACTIONS = {
    "delete-pod": "delete",
    "isolate-pod": "isolate",
    "label-pod": "label",
    "notify": "notify",
    "release-pod": "release",
    "contain-pod": "{{inputs.parameters.action}}",
    "capture-evidence": "capture",
    "cordon-node": "cordon",
    "scale-down": "scale-down",
}
OWN_CODE = {"capture-evidence": "evidence", "cordon-node": "cordon", "scale-down": "scale"}  # and the program in it
FORBIDDEN = {
    "script",
    "resource",
    "podSpecPatch",
    "http",
    "data",
    "plugin",
    "containerSet",
    "initContainers",
    "sidecars",
    "hooks",
    "workflowTemplateRef",
    "templateRef",
    "artifacts",
    "artifactRepositoryRef",
    "expression",
    "retryStrategy",
    "args",
    "duration",
    "schedulerName",
    "hostAliases",
    "automountServiceAccountToken",
    "priorityClassName",
    "envFrom",
    "memoize",
}
ISOLATED = "'{{steps.isolate.outputs.parameters.outcome}}'"
CHAIN = [("isolate", "isolate", False), ("record", "notify", True), ("delete", "delete", True)]
WEBHOOK = {
    "name": "KRE_WEBHOOK",
    "valueFrom": {"secretKeyRef": {"name": "notify-webhook", "key": "url", "optional": True}},
}


def passed(scope: str, **more: str) -> dict[str, Any]:
    """The arguments of a step: each parameter under its own name."""
    values = {name: f"{{{{{scope}.parameters.{name}}}}}" for name in PARAMETERS} | more
    return {"parameters": [{"name": name, "value": value} for name, value in values.items()]}


def inputs(*more: str) -> dict[str, Any]:
    return {"parameters": [{"name": name} for name in (*PARAMETERS, *more)]}


def respond(response: str) -> dict[str, Any]:
    asked = "'{{inputs.parameters.mode}}' == 'approve'"
    steps = [[{"name": "approval", "template": "approval", "when": asked, "arguments": passed("inputs")}]]
    if response != "contain-pod":
        steps.append([{"name": "act", "template": "act", "arguments": passed("inputs")}])
    for name, action, after in CHAIN if response == "contain-pod" else ():
        step: dict[str, Any] = {"name": name, "template": "act", "arguments": passed("inputs", action=action)}
        steps.append(
            [step | ({"when": f"{ISOLATED} == 'isolated' || {ISOLATED} == 'partly-isolated'"} if after else {})]
        )
    return {"name": "respond", "inputs": inputs(), "steps": steps}


def leave() -> dict[str, Any]:
    failed = "'{{workflow.status}}' != 'Succeeded'"
    step = {"name": "record", "template": "record", "when": failed, "arguments": passed("workflow")}
    return {"name": "exit", "steps": [[step]]}


def container(response: str, step: str) -> dict[str, Any]:
    """The responder, without image, resources and securityContext."""
    action = ACTIONS[response] if step == "act" or response != "contain-pod" else "isolate"
    told = {"RESPONSE": response, "STEP": step, "ACTION": action}
    told |= {"STATUS": "" if step == "act" else "{{workflow.status}}", "WORKFLOW": "{{workflow.name}}"}
    told |= {"ANNOTATIONS": "{{workflow.annotations.json}}"}
    told |= {"FAILURES": "{{workflow.failures}}"} if step == "record" else {}
    told |= {name.upper(): f"{{{{inputs.parameters.{name}}}}}" for name in PARAMETERS}
    env: list[dict[str, Any]] = [{"name": f"KRE_{name}", "value": value} for name, value in told.items()]
    if (response, step) == ("notify", "act"):
        env.append(WEBHOOK)
    return {
        "command": ["python3", "-EsB", f"/opt/kre/{OWN_CODE.get(response, 'responder')}.py"],
        "env": sorted(env, key=str),
        "volumeMounts": [
            {"name": "code", "mountPath": "/opt/kre", "readOnly": True},
            {"name": "settings", "mountPath": "/etc/kre/settings", "readOnly": True},
            {"name": "out", "mountPath": "/out"},
        ],
    }


def acting(response: str, step: str) -> dict[str, Any]:
    """The template of a step with a responder."""
    record = {"name": "record", "valueFrom": {"path": "/out/record", "default": ""}}
    outcome = {"name": "outcome", "valueFrom": {"path": "/out/outcome", "default": "failed"}}
    made = {
        "name": step,
        "inputs": inputs(*(["action"] if (response, step) == ("contain-pod", "act") else [])),
        "outputs": {"parameters": [record, outcome] if step == "act" else [record]},
        "metadata": {"labels": {"kre/response": response}},
        "activeDeadlineSeconds": 180,
        "container": container(response, step),
    }
    if step == "act":
        alone = [{"name": "cordon-node"}] if response == "cordon-node" else []  # it counts what the others leave
        made["synchronization"] = {"mutexes": [{"name": "{{inputs.parameters.uid}}"}, *alone]}
    return made


def code(response: str) -> dict[str, Any]:
    """The volume of a responder's code: what all share, and what a response brings besides."""
    shared = {"configMap": {"name": "responder-code"}}
    own = {"configMap": {"name": f"{response}-code"}}
    return {"projected": {"sources": [shared, own]}} if response in OWN_CODE else shared


@each("WorkflowTemplate")
def a_workflow_is_bounded_and_has_its_own_identity(item: Resource, _: World) -> Iterator[str]:
    wanted = {
        "entrypoint": "respond",
        "onExit": "exit",
        "arguments": {"parameters": [{"name": name} for name in PARAMETERS]},
        "serviceAccountName": item.name,
        "executor": {"serviceAccountName": "executor"},
        "activeDeadlineSeconds": 3600,
        "ttlStrategy": {"secondsAfterCompletion": 86400},
        "volumes": [
            {"name": "code", **code(item.name)},
            {"name": "settings", "configMap": {"name": "settings"}},
            {"name": "out", "emptyDir": {"sizeLimit": "1Mi"}},
        ],
    }
    found = without(dig(item.body, "spec") or {}, "templates", "securityContext")
    yield from exactly(found, wanted, "one identity acts, another reports; it ends, leaves a record, and goes")


@each("WorkflowTemplate")
def a_workflow_waits_acts_and_records(item: Resource, _: World) -> Iterator[str]:
    if item.name not in ACTIONS:
        yield "of no response that is known"
        return
    templates = items(item.body, "spec", "templates")
    names = [dig(one, "name") for one in templates]
    yield from exactly(names, ["respond", "approval", "act", "exit", "record"], "these steps and no others")
    known = {str(dig(one, "name")): one for one in templates}
    shown = {"name": "approval", "inputs": inputs(), "suspend": {}}
    why = "a person sees all the facts, and it waits for them: with a duration it would go on by itself"
    yield from exactly(known.get("approval"), shown, why, "approval")
    why = "in mode approve nothing happens before a person has decided, and what happens is decided by constants"
    yield from exactly(_joined(known.get("respond")), respond(item.name), why, "respond")
    yield from exactly(known.get("exit"), leave(), "where it did not succeed, that is recorded", "exit")


def _joined(template: Any) -> Any:
    """The template, with each `when` on one line, as Argo reads it."""
    groups = [
        [{**step, "when": " ".join(step["when"].split())} if "when" in step else step for step in group]
        for group in items(template, "steps")
    ]
    return {**template, "steps": groups} if template else template


@each("WorkflowTemplate")
def a_responder_is_told_identifiers_and_nothing_else(item: Resource, _: World) -> Iterator[str]:
    known = {str(dig(one, "name")): one for one in items(item.body, "spec", "templates")}
    for step in ("act", "record"):
        template = dict(known.get(step) or {})
        inside = without(dig(template, "container") or {}, "image", "resources", "securityContext")
        inside["env"] = sorted(items(inside, "env"), key=str)
        template["container"] = inside
        why = "the contract of its environment; one at a time on a pod; over after three minutes"
        yield from exactly(template, acting(item.name, step) if item.name in ACTIONS else {}, why, step)


@each("WorkflowTemplate")
def a_workflow_runs_nothing_but_the_responder(item: Resource, _: World) -> Iterator[str]:
    for pointer, value in walk(item.body):
        if pointer and pointer[-1] in FORBIDDEN:
            yield f"{pointer} has no place in a response"
        if isinstance(value, str) and "{{=" in value:
            yield f"{pointer} is an expression"
