"""Holds every object of a bundle against the schema of its kind, by one engine or by both."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias

from kre.errors import ToolError
from kre.load.provenance import place
from kre.model.bundle import Bundle
from kre.model.finding import Finding
from kre.model.resource import Pointer, Resource, dig, each
from kre.schema import embedded, jsonschema_engine, kubeconform_engine, names, store
from kre.schema.violation import Violation

Engine: TypeAlias = Literal["jsonschema", "kubeconform", "both"]
HEAD = "an object needs apiVersion and kind, both text"
ENGINES: tuple[Engine, ...] = ("jsonschema", "kubeconform", "both")


@dataclass(frozen=True, slots=True)
class Subject:
    """One object to check: a resource itself (`at` is empty), or one inside of it (see embedded.Embedded)."""

    resource: Resource
    at: Pointer
    body: Any
    whole: bool = True
    text: bool = False
    problem: str = ""

    @property
    def rule(self) -> str:
        return "S03" if self.at else "S01"


def check(bundle: Bundle, engine: Engine) -> list[Finding]:
    """Findings S01 (an object breaks its schema), S02 (no schema for its kind), S03 (so for an embedded one) and S06
    (names and labels that no schema speaks of).

    Equal objects are checked once. Raises ToolError where the engine can't do its work, or where both were asked
    and do not agree.
    """
    excused = {str(dig(entry, "kind")) for entry in each(bundle.config, "kinds")}
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
            findings.extend(_finding(bundle, subject, item, subject.rule) for item in told)
            found = names.check(subject.body, whole=not subject.at)
            findings.extend(_finding(bundle, subject, item, "S06") for item in found)
    return findings


def _subjects(resources: Iterable[Resource]) -> Iterator[Subject]:
    for resource in resources:
        yield Subject(resource, (), resource.body)
        for item in embedded.objects(resource):
            yield Subject(resource, item.at, item.body, item.whole, item.text, item.problem)


def _unknown(bundle: Bundle, subject: Subject, excused: set[str]) -> Finding | None:
    """A finding where there is nothing to hold the object against, unless kre.yaml excuses its kind."""
    version, kind = dig(subject.body, "apiVersion"), dig(subject.body, "kind")
    environments = _environments(subject)
    if not isinstance(subject.body, Mapping) or not isinstance(version, str) or not isinstance(kind, str):
        where = place(bundle, subject.resource, subject.at)
        problem = f"not valid YAML: {subject.problem}" if subject.problem else "no object"
        rule = subject.rule if subject.at else "S02"
        return Finding(rule, "error", where, f"{problem}: {HEAD}" if not subject.problem else problem, "", environments)
    if f"{version}/{kind}" in excused or store.schema_of(version, kind) is not None:
        return None
    near, wrong = _near(version, kind)
    where = place(bundle, subject.resource, subject.at if subject.text else (*subject.at, wrong))
    hint = f"did you mean {near}?" if near else "list it under `kinds` in kre.yaml with a reason, if it is meant"
    return Finding("S02", "error", where, f"no schema is known for {version} {kind}", hint, environments)


def _near(version: str, kind: str) -> tuple[str, str]:
    """The nearest kind there is, and which of the two words is off: the kind's case, the version, the letters."""
    known = store.kinds()
    folded = [f"{other} {name}" for other, name in known if name.lower() == kind.lower() and other == version]
    same = [f"{other} {name}" for other, name in known if name == kind]
    close = get_close_matches(kind, [name for other, name in known if other == version], 1)
    if same and not folded:
        return same[0], "apiVersion"
    return next(iter((*folded, *(f"{version} {name}" for name in close))), ""), "kind"


def _run(engine: Engine, bodies: list[Any]) -> list[list[Violation]]:
    if engine == "kubeconform":
        return _without_secrets(bodies, kubeconform_engine.check_all(bodies))
    found = [jsonschema_engine.check(body, body["apiVersion"], body["kind"]) for body in bodies]
    inside = _without_secrets(bodies, found)
    if engine == "both":
        outside = _without_secrets(bodies, kubeconform_engine.check_all(bodies))
        for body, mine, theirs in zip(bodies, inside, outside, strict=True):
            if bool(mine) != bool(theirs):
                name = dig(body, "metadata", "name")
                said = "; ".join(item.message for item in (mine or theirs))
                one = "jsonschema" if mine else "kubeconform"
                raise ToolError(f"the engines do not agree on {body['kind']} {name}: {one} alone says: {said}")
    return inside


def _without_secrets(bodies: list[Any], verdicts: list[list[Violation]]) -> list[list[Violation]]:
    """The same, but what is wrong with the value of a Secret is said without the value."""

    def safe(body: Any, item: Violation) -> Violation:  # noqa: ANN401 - YAML
        value = dig(body, *item.pointer)
        if body["kind"] != "Secret" or item.pointer[:1] not in (("data",), ("stringData",)) or value in (None, ""):
            return item
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        return replace(item, message=item.message.replace(shown[:60], "(hidden)"), hint="")

    return [[safe(body, item) for item in items] for body, items in zip(bodies, verdicts, strict=True)]


def _finding(bundle: Bundle, subject: Subject, violation: Violation, rule: str) -> Finding:
    resource = subject.resource
    where = place(bundle, resource, subject.at if subject.text else (*subject.at, *violation.pointer))
    named = violation.pointer[:-1] if violation.missing else violation.pointer
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in named)[1:]
    name = dig(subject.body, "metadata", "name") or resource.name
    parts = (f"{subject.body['kind']} {name}".rstrip(), path, violation.message)
    message = ": ".join(part for part in parts if part)
    return Finding(rule, "error", where, message, violation.hint, _environments(subject))


def _environments(subject: Subject) -> tuple[str, ...]:
    return (subject.resource.environment,) if subject.resource.environment else ()
