"""Findings as GitHub workflow commands, which become annotations on the lines of a pull request.

Form and escapes: docs.github.com/actions/reference/workflow-commands-for-github-actions.
"""

from __future__ import annotations

from kre.report.printable import printable
from kre.report.result import Result, findings
from kre.report.text import summary

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def github(made: Result) -> str:
    """One command for each finding, then the summary line."""
    lines = []
    for finding in findings(made):
        names = f" [{', '.join(finding.environments)}]" if finding.environments else ""
        said = "\n".join(printable(line) for line in (f"{finding.message}{names}", finding.hint) if line)
        place, title = finding.place, _property(f"kre {finding.rule}")
        where = f"file={_property(printable(place.path))},line={place.line},col={place.column},title={title}"
        lines.append(f"::{_COMMANDS[finding.severity]} {where}::{_data(said)}")
    return "\n".join([*lines, summary(made)]) + "\n"


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
