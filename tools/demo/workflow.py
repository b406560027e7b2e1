"""Runs a Workflow: the part of Argo Workflows that the engine's WorkflowTemplates use.

Steps with `when` and arguments, suspend, containers with outputs, an exit handler. No retries, locks or deadlines; no
environment from elsewhere (valueFrom).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kre.model.resource import dig, each

_TAG = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_COMPARED = re.compile(r"\s*('[^']*'|\"[^\"]*\"|[^\s'\"=!|&]+)\s*(==|!=)\s*('[^']*'|\"[^\"]*\"|[^\s'\"=!|&]+)\s*")
Values = dict[str, str]


class Unresolved(Exception):
    """A tag that stands for nothing, or a condition that can't be read: the Workflow errors, as it does in Argo."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a container ended: its exit code, and what it left in its output files, by path."""

    code: int
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outside:
    """What a Workflow needs of the world.

    `contain` runs a container (its spec, its environment). `decide` is asked at a suspended node for its inputs: True
    goes on, False fails, None leaves it waiting. `annotations` are those that the Workflow has by now.
    """

    contain: Callable[[Mapping[str, Any], Values], Done]
    decide: Callable[[Values], bool | None]
    annotations: Callable[[], Mapping[str, str]]


@dataclass
class Run:
    """One Workflow under way. `nodes` are (template, phase) in the order in which they ended."""

    template: Mapping[str, Any]
    workflow: Mapping[str, Any]
    outside: Outside
    nodes: list[tuple[str, str]] = field(default_factory=list)

    def run(self) -> str:
        """Runs it to its end, the exit handler included. Returns Succeeded, Failed, Error, or Running: it waits."""
        spec = self.template["spec"]
        try:
            phase = self._run(spec["entrypoint"], self._arguments(), "Running")[0]
        except Unresolved:
            phase = "Error"
        if phase != "Running" and spec.get("onExit"):
            try:
                self._run(spec["onExit"], self._arguments(), phase)
            except Unresolved:
                phase = "Error"
        return phase

    def _arguments(self) -> Values:
        """The template's parameters, with the Workflow's over its own."""
        found: Values = {}
        for place in (self.template, self.workflow):
            for one in each(place, "spec", "arguments", "parameters"):
                if "value" in one:
                    found[one["name"]] = str(one["value"])
        return found

    def _run(self, name: str, given: Values, status: str) -> tuple[str, Values]:
        """Runs one template; returns its phase and its output parameters."""
        template = next(one for one in self.template["spec"]["templates"] if one["name"] == name)
        inputs: Values = {}
        for one in each(template, "inputs", "parameters"):
            if one["name"] not in given and "value" not in one:
                raise Unresolved(f"{name}: inputs.parameters.{one['name']} was not supplied")
            inputs[one["name"]] = given.get(one["name"], str(one.get("value", "")))
            if _TAG.search(inputs[one["name"]]):  # Argo looks into values too, and stops the Workflow there
                raise Unresolved(f"failed to resolve {inputs[one['name']]}")
        scope = {f"inputs.parameters.{key}": value for key, value in inputs.items()} | self._scope(status)
        outputs: Values = {}
        if "steps" in template:
            phase = self._steps(template, scope, status)
        elif "suspend" in template:
            phase = {True: "Succeeded", False: "Failed", None: "Running"}[self.outside.decide(inputs)]
        else:
            phase, outputs = self._container(template, scope)
        self.nodes.append((name, phase))
        return phase, outputs

    def _steps(self, template: Mapping[str, Any], scope: Values, status: str) -> str:
        scope = dict(scope)
        for step in (one for group in template["steps"] for one in group):
            place = f"steps.{step['name']}"
            if "when" in step and not holds(fill(step["when"], scope)):
                scope[f"{place}.status"] = "Skipped"
                continue
            given = {one["name"]: fill(str(one["value"]), scope) for one in each(step, "arguments", "parameters")}
            phase, outputs = self._run(step["template"], given, status)
            if phase != "Succeeded":
                return phase
            scope[f"{place}.status"] = phase
            scope |= {f"{place}.outputs.parameters.{key}": value for key, value in outputs.items()}
        return "Succeeded"

    def _container(self, template: Mapping[str, Any], scope: Values) -> tuple[str, Values]:
        container = template["container"]
        environ = {one["name"]: fill(one["value"], scope) for one in container.get("env") or () if "value" in one}
        done = self.outside.contain(container, environ)
        outputs = {}
        for one in each(template, "outputs", "parameters"):
            path, default = dig(one, "valueFrom", "path"), dig(one, "valueFrom", "default")
            if path not in done.files and default is None:
                return "Error", {}
            outputs[one["name"]] = done.files.get(path, str(default))
        return ("Failed" if done.code else "Succeeded"), outputs

    def _scope(self, status: str) -> Values:
        meta = self.workflow["metadata"]
        return {
            "workflow.name": meta["name"],
            "workflow.namespace": meta["namespace"],
            "workflow.uid": meta["uid"],
            "workflow.status": status,
            "workflow.failures": json.dumps(
                [{"templateName": name, "phase": phase} for name, phase in self.nodes if phase == "Failed"],
                separators=(",", ":"),
            ),
            "workflow.annotations.json": json.dumps(dict(self.outside.annotations()), separators=(",", ":")),
        } | {f"workflow.parameters.{key}": value for key, value in self._arguments().items()}


def fill(text: str, scope: Mapping[str, str]) -> str:
    """The text with its tags replaced, once. Raises Unresolved where one stands for nothing."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in scope:
            raise Unresolved(f"failed to resolve {{{{{found[1]}}}}}")
        return scope[found[1]]

    return _TAG.sub(value, text)


def holds(condition: str) -> bool:
    """Whether a condition is true: `a == b`, `a != b`, quoted or bare, joined by `||` and `&&`. Raises Unresolved."""
    parts = [[_compare(part) for part in either.split("&&")] for either in condition.split("||")]
    return any(all(row) for row in parts)


def _compare(text: str) -> bool:
    found = _COMPARED.fullmatch(text)
    if not found:
        raise Unresolved(f"can't evaluate {text!r}")
    same = found[1].strip("'\"") == found[3].strip("'\"")
    return same is (found[2] == "==")
