"""What is promised of every fault: what was acknowledged is recorded, nothing is acted on twice, and all comes back."""

from __future__ import annotations

import os

import pytest

from e2e.faults.breaking import FAULTS, RESTART
from e2e.faults.ledger import COUNT, Figures

pytestmark = pytest.mark.e2e
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
def test_what_is_acknowledged_is_recorded(figures: dict[str, Figures], name: str) -> None:
    found = figures[name]
    assert found.error == ""
    assert found.sent >= COUNT
    assert found.lost == 0, found


@pytest.mark.parametrize("name", NAMES)
def test_what_may_act_does_so_once(figures: dict[str, Figures], name: str) -> None:
    """A Workflow for each, even where the alert was delivered again; and those that need nobody's word end well."""
    found = figures[name]
    assert found.doubled == 0
    assert found.acted == found.may_act, found
    assert found.ran == found.runs, found


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_taken_is_told_so(figures: dict[str, Figures], name: str) -> None:
    """Posts are refused while there is no EventSource or bus to take them, and not a moment longer."""
    found = figures[name]
    assert found.taken + found.refused == found.sent
    outage = name.startswith(("EventSource", "bus"))
    assert found.refusing <= (5 if outage else 1), found
