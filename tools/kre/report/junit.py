"""Findings as JUnit XML, which most CI systems show as tests: one that failed for each error, one that passed if none.

Form: github.com/testmoapp/junitxml, which wrote down what the readers of it agree on.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from kre.model.finding import Finding
from kre.report.printable import printable
from kre.report.result import Result, findings
from kre.report.text import lines_of, summary


def junit(made: Result) -> str:
    """One suite. Warnings and notes are what the suite printed: they fail nothing."""
    found = findings(made)
    errors = [finding for finding in found if finding.severity == "error"]
    amounts = {"name": "kre validate", "tests": str(max(1, len(errors))), "failures": str(len(errors))}
    top = Element("testsuites", amounts)
    suite = SubElement(top, "testsuite", amounts)
    if not errors:
        SubElement(suite, "testcase", classname="kre", name="validate")
    for finding in errors:
        _case(suite, finding)
    told = [line for finding in found if finding.severity != "error" for line in lines_of(finding)]
    SubElement(suite, "system-out").text = "\n".join([*told, summary(made)])
    indent(top)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(top, encoding="unicode")}\n'


def _case(suite: Element, finding: Finding) -> None:
    place = finding.place
    name = printable(f"{finding.rule} {place}")
    case = SubElement(
        suite, "testcase", classname=finding.rule, name=name, file=printable(place.path), line=str(place.line)
    )
    said = "\n".join(lines_of(finding))
    SubElement(case, "failure", type=finding.rule, message=printable(finding.message)).text = said
