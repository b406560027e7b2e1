"""The schema engine's verdict and a real server's, about the same objects. Where they differ, verdicts.yaml says why.

What the engine refuses and the server takes is what nobody but `kre validate` tells before it is too late. What the
server refuses and the engine takes is a hole in our schemas, or beyond what a schema can say.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from e2e.admission.workflows import workflow
from e2e.api import faults
from e2e.api.conftest import ARGO, DELIVERY
from e2e.api.faults import Fault
from e2e.api.rest import Rest, moved
from e2e.http import Http
from e2e.kubectl import Object
from kre.model.bundle import Bundle

pytestmark = [pytest.mark.e2e, pytest.mark.api]

LISTED = Path(__file__).parent / "verdicts.yaml"
SERVER, ENGINE = "the server takes it", "the engine takes it"


@dataclass(frozen=True)
class Verdict:
    """What both say of one fault."""

    fault: Fault
    server: bool  # takes it
    engine: bool
    message: str

    @property
    def who(self) -> str:
        """Who alone takes it; nothing where both say the same."""
        return "" if self.server == self.engine else SERVER if self.server else ENGINE

    def __str__(self) -> str:
        return f"{self.fault}: {self.who or 'no difference'}" + (f": {self.message[:200]}" if not self.server else "")


@dataclass(frozen=True)
class Row:
    """A place of verdicts.yaml: who alone takes such a fault there."""

    who: str
    kind: str
    sort: str
    at: str

    def about(self, verdict: Verdict) -> bool:
        fault = verdict.fault
        return (self.kind, self.sort, self.at) == (fault.kind, fault.sort, fault.at)


ROWS = [
    Row(entry["who"], kind, sort, at)
    for entry in yaml.safe_load(LISTED.read_text())
    for kind, sorts in entry["faults"].items()
    for sort, places in sorts.items()
    for at in places
]


@pytest.fixture(scope="module")
def verdicts(rest: Rest, http: Http, bundle: Bundle, elsewhere: str, dev: None) -> list[Verdict]:
    """About every fault that is planted in the toolkit's tests, or derived from what dev renders."""

    def placed(body: Object) -> Object:
        return moved(body, elsewhere) if rest.namespaced(body) else body

    rendered = [dict(item.body) for item in bundle.resources if item.environment == "dev"]
    good = [placed(body) for body in [*rendered, workflow()] if rest.serves(body["apiVersion"], body["kind"])]
    known = [fault for fault in faults.planted() if rest.serves(fault.body["apiVersion"], fault.body["kind"])]
    made = [*faults.derived(good), *(replace(fault, body=placed(fault.body)) for fault in known)]
    answers = http.send_all(rest.dry_run(fault.body) for fault in made)
    return [
        Verdict(fault, answer.status in (200, 201), not fault.refused(), answer.message)
        for fault, answer in zip(made, answers, strict=True)
    ]


@pytest.mark.parametrize("who", [SERVER, ENGINE])
def test_where_they_differ_the_list_says_why(verdicts: list[Verdict], who: str) -> None:
    listed = [row for row in ROWS if row.who == who]
    differ = [verdict for verdict in verdicts if verdict.who == who]
    unlisted = [str(verdict) for verdict in differ if not any(row.about(verdict) for row in listed)]
    assert not unlisted, f"{len(unlisted)} of {len(verdicts)} are not in {LISTED.name}:\n" + "\n".join(unlisted)


def test_the_list_holds_nothing_that_is_not_so(verdicts: list[Verdict], rest: Rest) -> None:
    wrong = []
    for row in ROWS:
        about = [verdict for verdict in verdicts if row.about(verdict)]
        wrong += [f"{verdict}; the list: {row.who}" for verdict in about if verdict.who != row.who]
        if not about and (row.kind not in DELIVERY or rest.serves(ARGO, row.kind)):
            wrong.append(f"{row}: there is no such fault")
    assert not wrong, "\n".join(wrong)


def test_there_are_faults_of_every_sort(verdicts: list[Verdict]) -> None:
    counted = Counter(verdict.fault.sort for verdict in verdicts if not verdict.engine)
    assert min(counted[sort] for sort in (faults.UNKNOWN, faults.TYPE, faults.MISSING, faults.PLANTED)) > 30, counted
