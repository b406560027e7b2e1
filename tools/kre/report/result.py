"""The result of a validation, in the form that every report reads and the cache keeps: documented, versioned JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict

from kre.model.bundle import Bundle
from kre.model.finding import Finding, Place, Related, Severity
from kre.rbac.environment import installed

VERSION = 1


class Checked(TypedDict):
    """What was looked at: environments by name, how many files, roots and objects, and the charts whose RBAC is in it,
    or is not."""

    environments: list[str]
    engine: str
    files: int
    roots: int
    objects: int
    charts: list[dict[str, Any]]


class Result(TypedDict):
    """`{"version": 1, "checked": {...}, "findings": [...]}`; docs/validate.md says what each field holds."""

    version: int
    checked: Checked
    findings: list[dict[str, Any]]


def result(bundle: Bundle, findings: Iterable[Finding], engine: str) -> Result:
    """Puts together what was checked and what was found."""
    names = {root.environment for root in bundle.roots}
    return {
        "version": VERSION,
        "checked": {
            "environments": [item.name for item in bundle.environments if item.name in names],
            "engine": engine,
            "files": len(bundle.sources),
            "roots": len(bundle.roots),
            "objects": len(bundle.resources),
            "charts": _charts(bundle),
        },
        "findings": [_entry(finding) for finding in findings],
    }


def _charts(bundle: Bundle) -> list[dict[str, Any]]:
    """`why` is empty where nobody asked to render it."""
    left, brought = installed(bundle, bundle.resources)
    found: list[dict[str, Any]] = [
        {"chart": name, "rbac": False, "why": why} for name, why in sorted({(name, why) for _, name, why in left})
    ]
    seen = sorted({(str(chart), chart.sha256, chart.pinned) for chart in brought})
    return found + [{"chart": name, "rbac": True, "sha256": sha, "pinned": pinned} for name, sha, pinned in seen]


def _entry(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        **_at(finding.place),
        "message": finding.message,
        "hint": finding.hint,
        "environments": list(finding.environments),
        "related": [{**_at(related.place), "message": related.message} for related in finding.related],
    }


def _at(place: Place) -> dict[str, Any]:
    return {"path": place.path, "line": place.line, "column": place.column}


def findings(made: Result) -> list[Finding]:
    """The findings of a Result as records again."""
    return [
        Finding(
            entry["rule"],
            entry["severity"],
            Place(entry["path"], entry["line"], entry["column"]),
            entry["message"],
            entry["hint"],
            tuple(entry["environments"]),
            tuple(
                Related(Place(other["path"], other["line"], other["column"]), other["message"])
                for other in entry["related"]
            ),
        )
        for entry in made["findings"]
    ]


def count(made: Result, severity: Severity) -> int:
    """How many findings have this severity."""
    return sum(entry["severity"] == severity for entry in made["findings"])
