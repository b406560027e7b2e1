"""All of validation in one pass: what loading found, schemas, rules; merged over environments and sorted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kre.model.bundle import Bundle
from kre.model.finding import Finding, Related
from kre.rules.registry import all_rules
from kre.schema import check, own
from kre.schema.check import Engine


def validate(
    bundle: Bundle, engine: Engine = "jsonschema", acknowledged: frozenset[str] = frozenset()
) -> list[Finding]:
    """Every finding of a bundle; those of `acknowledged` rules as warnings. Raises ToolError where the engine can't
    do its work."""
    findings = [*bundle.problems, *own.check(bundle), *check.check(bundle, engine)]
    for rule in all_rules():
        findings.extend(rule.apply(bundle))
    findings = [replace(item, severity="warning") if item.rule in acknowledged else item for item in findings]
    return merge(findings, [environment.name for environment in bundle.environments])


def merge(findings: Iterable[Finding], order: list[str]) -> list[Finding]:
    """Findings that differ only in where they were rendered, as one that lists all environments in their `order`."""
    merged: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        key = (finding.rule, finding.severity, finding.place, finding.message)
        known = merged.get(key)
        if known is None:
            merged[key] = finding
            continue
        names = {*known.environments, *finding.environments}
        related: tuple[Related, ...] = tuple(sorted({*known.related, *finding.related}))
        merged[key] = replace(known, environments=tuple(sorted(names, key=order.index)), related=related)
    return sorted(merged.values(), key=lambda finding: (finding.place, finding.rule, finding.message))
