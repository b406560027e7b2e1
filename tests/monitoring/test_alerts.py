"""Every alert of base/monitoring, by Prometheus' own code: it fires where it should, and not where it should not."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import yaml

from support import promql
from support.repository import PROJECT

FOLDER = PROJECT / "tests/fixtures/monitoring/alerts"
CASES = {
    name: cases for file in sorted(FOLDER.glob("*.yaml")) for name, cases in yaml.safe_load(file.read_text()).items()
}
PAGE = (PROJECT / "docs/monitoring.md").read_text()


@cache
def answered() -> dict[tuple[str, str, int], list[dict[str, Any]]]:
    """Alert, "fires" or "quiet", number of the case -> those of its alerts that fire at the end."""
    keys, requests = [], []
    for name, cases in CASES.items():
        for kind in ("fires", "quiet"):
            for index, case in enumerate(cases[kind]):
                keys.append((name, kind, index))
                requests.append(request(case))
    answers = promql.ask(*requests)
    return {
        key: [alert for alert in answer["alerts"] if alert["labels"]["alertname"] == key[0]]
        for key, answer in zip(keys, answers, strict=True)
    }


def request(case: dict[str, Any]) -> dict[str, Any]:
    series = [{"series": key, "values": str(values)} for key, values in case["series"].items()]
    return {"rules": promql.rules(), "interval": case.get("interval", "30s"), "at": case["at"], "series": series}


def numbered(kind: str) -> list[tuple[str, int]]:
    return [(name, index) for name, cases in CASES.items() for index in range(len(cases[kind]))]


def test_every_alert_has_cases_of_both_kinds() -> None:
    assert CASES.keys() == promql.alerts().keys()
    assert all(cases["fires"] and cases["quiet"] for cases in CASES.values())


@pytest.mark.parametrize(("name", "index"), numbered("fires"))
def test_it_fires(name: str, index: int) -> None:
    (alert,) = answered()[name, "fires", index]
    rule, wanted = promql.alerts()[name], CASES[name]["fires"][index].get("labels", {})
    assert alert["labels"] == {"alertname": name, **rule["labels"], **wanted}
    for text in alert["annotations"].values():
        assert not re.search(r"<no value>|<error|NaN|Inf|\{\{", text), text


@pytest.mark.parametrize(("name", "index"), numbered("quiet"))
def test_it_does_not_fire(name: str, index: int) -> None:
    assert answered()[name, "quiet", index] == []


@pytest.mark.parametrize("name", sorted(promql.alerts()))
def test_it_says_what_it_is(name: str) -> None:
    rule = promql.alerts()[name]
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"].keys() == {"summary", "description"}
    assert not rule["annotations"]["summary"].endswith(".")
    assert rule["annotations"]["description"].endswith((".", "`reason`."))


def test_the_page_tells_every_alert_and_its_severity() -> None:
    told = dict(re.findall(r"^\| `(Kre\w+)` \| (critical|warning) \|", PAGE, re.MULTILINE))
    assert told == {name: rule["labels"]["severity"] for name, rule in promql.alerts().items()}


def test_no_name_is_there_twice() -> None:
    names = [rule.get("alert") or rule["record"] for group in promql.groups() for rule in group["rules"]]
    assert len(names) == len(set(names))
