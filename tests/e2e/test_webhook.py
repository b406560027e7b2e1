"""The first wall: whoever posts an alert must have the token, and be Falcosidekick."""

from __future__ import annotations

import pytest

from e2e.engine import DEMO, Engine
from e2e.kubectl import alert
from e2e.test_refusals import marker

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer x", "Basic own"], ids=lambda token: token or "none")
def test_a_forged_alert_is_not_taken_without_the_token(engine: Engine, token: str) -> None:
    name, uid = engine.victim()
    forged = alert("delete-pod", DEMO, name, uid)
    assert engine.cluster.post(forged, header=token) == "401"
    marker(engine)
    assert engine.said(forged["uuid"]) == []
    assert uid in engine.cluster.running(DEMO)


def test_a_neighbour_that_has_the_token_does_not_reach_it(engine: Engine) -> None:
    name, uid = engine.victim()
    assert engine.cluster.post(alert("delete-pod", DEMO, name, uid), by="stranger") == "unreachable"
    assert uid in engine.cluster.running(DEMO)
