"""Findings for people: `path:line:column: severity rule: message`, as compilers write them."""

from __future__ import annotations

from collections.abc import Iterator

from kre.model.finding import Finding
from kre.report import charts
from kre.report.printable import printable
from kre.report.result import Result, count, findings


def text(made: Result) -> str:
    """All findings, a line that says what was looked at, and those about charts."""
    lines = [line for finding in findings(made) for line in lines_of(finding)]
    return "\n".join([*lines, summary(made), *_charts(made)]) + "\n"


def _charts(made: Result) -> Iterator[str]:
    known = made["checked"]["charts"]
    left = ((entry["chart"], entry["why"]) for entry in known if not entry["rbac"])
    return charts.lines(left, ((entry["chart"], entry["sha256"], entry["pinned"]) for entry in known if entry["rbac"]))


def summary(made: Result) -> str:
    """One line: findings by severity, and how much was checked."""
    counts = [(count(made, "error"), "error"), (count(made, "warning"), "warning"), (count(made, "info"), "note")]
    told = ", ".join(_plural(number, word) for number, word in counts if number) or "no findings"
    checked = made["checked"]
    names = f" of {', '.join(checked['environments'])}" if checked["environments"] else ""
    amount = f"{_plural(checked['objects'], 'object')} from {_plural(checked['roots'], 'root')}{names}"
    return f"{told} in {amount} ({checked['engine']})"


def lines_of(finding: Finding) -> list[str]:
    """A finding in as many lines as it needs, safe to print."""
    return [printable(line) for line in _lines(finding)]


def _lines(finding: Finding) -> Iterator[str]:
    names = f" [{', '.join(finding.environments)}]" if finding.environments else ""
    yield f"{finding.place}: {finding.severity} {finding.rule}: {finding.message}{names}"
    if finding.hint:
        yield f"    {finding.hint}"
    for related in finding.related:
        yield f"    {related.place}: {related.message}"


def _plural(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
