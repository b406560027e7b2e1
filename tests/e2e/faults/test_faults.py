"""What is promised of every fault: what was acknowledged is recorded, nothing is acted on twice, and all comes back."""

from __future__ import annotations

import os

import pytest

from e2e.faults.breaking import FAULTS, RESTART
from e2e.faults.ledger import COUNT, Ledger

pytestmark = pytest.mark.e2e
THOUSAND = 1000
NAMES = [
    pytest.param(
        fault.name,
        marks=pytest.mark.skipif(
            fault.name.startswith("API server") and not os.environ.get(RESTART),
            reason=f"NOT TESTED: a restart of the API server. {RESTART} names no command for it",
        ),
    )
    for fault in FAULTS
]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_acknowledged_is_recorded(ledger: Ledger, name: str) -> None:
    found = ledger.figures[name]
    assert found.error == ""
    assert found.sent >= COUNT
    assert found.lost == 0, found


@pytest.mark.parametrize("name", NAMES)
def test_what_may_act_does_so_once(ledger: Ledger, name: str) -> None:
    """A Workflow for each, even where the alert was delivered again; and those that need nobody's word end well."""
    found = ledger.figures[name]
    assert found.doubled == 0
    assert found.acted == found.may_act, found
    assert found.ran == found.runs, found


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_taken_is_told_so(ledger: Ledger, name: str) -> None:
    """Posts are refused while there is no EventSource or bus to take them, and not a moment longer."""
    found = ledger.figures[name]
    assert found.taken + found.refused == found.sent
    outage = name.startswith(("EventSource", "bus"))
    assert found.refusing <= (5 if outage else 1), found


def test_the_record_of_all_of_them_closes(ledger: Ledger) -> None:
    """More than a thousand alerts while each part was killed and a filter edited: of each that was taken it is told
    what became of it, and of each that was not, that it was not."""
    counts, each = ledger.account.counts, ledger.figures.values()
    assert ledger.lost == []
    assert counts["sent"] == sum(one.sent for one in each) >= len(each) * COUNT > THOUSAND
    assert len(ledger.account.gaps) == sum(one.refused for one in each)
    assert counts["dispatched"] == sum(one.acted for one in each)
