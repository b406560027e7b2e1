"""Findings as SARIF 2.1.0, which code scanning reads.

Form: docs.oasis-open.org/sarif/sarif/v2.1.0; what GitHub takes of it:
docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from kre import __version__
from kre.model.finding import Finding, Place
from kre.report.json import json
from kre.report.printable import printable
from kre.report.result import Result, findings
from kre.rules.registry import Rule, get

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def sarif(made: Result) -> str:
    """One run, with the rules that found something."""
    found = findings(made)
    known = {name: rule for name in sorted({finding.rule for finding in found}) if (rule := get(name))}
    places = {name: index for index, name in enumerate(known)}
    driver = {
        "name": "kre",
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in known.values()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, places) for finding in found],
    }
    return json({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]})


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.page, "markdown": rule.page},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, places: Mapping[str, int]) -> dict[str, Any]:
    names = f" [{', '.join(finding.environments)}]" if finding.environments else ""
    said = (f"{finding.message}{names}", finding.hint)
    made: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": "\n".join(printable(line) for line in said if line)},
        "locations": [_location(finding.place)],
    }
    if finding.rule in places:
        made["ruleIndex"] = places[finding.rule]
    if finding.related:
        made["relatedLocations"] = [
            {"id": number, "message": {"text": printable(related.message)}, **_location(related.place)}
            for number, related in enumerate(finding.related, 1)
        ]
    return made


def _location(place: Place) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(place.path), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": place.line, "startColumn": place.column},
        }
    }
