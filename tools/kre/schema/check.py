"""Holds every object of a bundle against the schema of its kind, by one engine or by both."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias

from kre.errors import ToolError
from kre.load.provenance import place
from kre.model.bundle import Bundle
from kre.model.finding import Finding
from kre.model.resource import Pointer, Resource, dig
from kre.schema import embedded, jsonschema_engine, kubeconform_engine, store
from kre.schema.violation import Violation

Engine: TypeAlias = Literal["jsonschema", "kubeconform", "both"]
ENGINES: tuple[Engine, ...] = ("jsonschema", "kubeconform", "both")


@dataclass(frozen=True, slots=True)
class Subject:
    """One object to check: a resource itself (`at` is empty), or one inside of it, which may be a part (not whole)."""

    resource: Resource
    at: Pointer
    body: Any
    whole: bool = True

    @property
    def rule(self) -> str:
        return "S03" if self.at else "S01"


def check(bundle: Bundle, engine: Engine) -> list[Finding]:
    """Findings S01 (an object breaks its schema), S02 (no schema for its kind) and S03 (so for an embedded one).

    Equal objects are checked once. Raises ToolError where the engine can't do its work, or where both were asked
    and do not agree.
    """
    excused = {str(dig(entry, "kind")) for entry in bundle.config.get("kinds", ())}
    findings: list[Finding] = []
    known: dict[str, list[Subject]] = {}
    for subject in _subjects(bundle.resources):
        problem = _unknown(bundle, subject, excused)
        if problem:
            findings.append(problem)
        elif store.schema_of(subject.body["apiVersion"], subject.body["kind"]) is not None:
            known.setdefault(json.dumps(subject.body, sort_keys=True), []).append(subject)
    verdicts = _run(engine, [subjects[0].body for subjects in known.values()])
    for subjects, violations in zip(known.values(), verdicts, strict=True):
        for subject in subjects:
            told = [item for item in violations if subject.whole or not item.missing]
            findings.extend(_finding(bundle, subject, item) for item in told)
    return findings


def _subjects(resources: Iterable[Resource]) -> Iterator[Subject]:
    for resource in resources:
        yield Subject(resource, (), resource.body)
        for at, body, whole in embedded.objects(resource):
            yield Subject(resource, at, body, whole)


def _unknown(bundle: Bundle, subject: Subject, excused: set[str]) -> Finding | None:
    """A finding where there is nothing to hold the object against, unless kre.yaml excuses its kind."""
    version, kind = dig(subject.body, "apiVersion"), dig(subject.body, "kind")
    if not isinstance(subject.body, Mapping) or not isinstance(version, str) or not isinstance(kind, str):
        where = place(bundle, subject.resource, subject.at)
        return Finding(subject.rule, "error", where, "this is no object: it needs apiVersion and kind, both text")
    if f"{version}/{kind}" in excused or store.schema_of(version, kind) is not None:
        return None
    where = place(bundle, subject.resource, (*subject.at, "kind"))
    near = _near(version, kind)
    hint = f"did you mean {near}?" if near else "list it under `kinds` in kre.yaml with a reason, if it is meant"
    return Finding("S02", "error", where, f"no schema is known for {version} {kind}", hint)


def _near(version: str, kind: str) -> str:
    """The nearest kind there is: another version of the same kind first, then the same letters."""
    known = store.kinds()
    same = [f"{other} {name}" for other, name in known if name == kind]
    folded = [f"{other} {name}" for other, name in known if name.lower() == kind.lower() and other == version]
    close = get_close_matches(kind, [name for other, name in known if other == version], 1)
    return next(iter((*folded, *same, *(f"{version} {name}" for name in close))), "")


def _run(engine: Engine, bodies: list[Any]) -> list[list[Violation]]:
    if engine == "kubeconform":
        return kubeconform_engine.check_all(bodies)
    inside = [jsonschema_engine.check(body, body["apiVersion"], body["kind"]) for body in bodies]
    if engine == "both":
        outside = kubeconform_engine.check_all(bodies)
        for body, mine, theirs in zip(bodies, inside, outside, strict=True):
            if bool(mine) != bool(theirs):
                name = dig(body, "metadata", "name")
                said = "; ".join(item.message for item in (mine or theirs))
                one = "jsonschema" if mine else "kubeconform"
                raise ToolError(f"the engines do not agree on {body['kind']} {name}: {one} alone says: {said}")
    return inside


def _finding(bundle: Bundle, subject: Subject, violation: Violation) -> Finding:
    resource = subject.resource
    where = place(bundle, resource, (*subject.at, *violation.pointer))
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in violation.pointer)[1:]
    name = dig(subject.body, "metadata", "name") or resource.name
    message = f"{subject.body['kind']} {name}: {f'{path}: ' if path else ''}{violation.message}"
    environments = (resource.environment,) if resource.environment else ()
    return Finding(subject.rule, "error", where, message, violation.hint, environments)
