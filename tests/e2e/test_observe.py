"""Mode observe: every response says what it would do, and does nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.engine import DEMO, Engine
from e2e.test_responses import state

pytestmark = pytest.mark.e2e
RESPONDING = ("delete-pod", "isolate-pod", "label-pod", "contain-pod", "notify")


@pytest.fixture(scope="module")
def observe(up: Engine) -> Iterator[Engine]:
    keys = [f"{response.replace('-', '_')}__mode" for response in RESPONDING]
    up.set(**dict.fromkeys(keys, "observe"))
    up.forget()
    yield up
    up.set(**dict.fromkeys(keys, None))


@pytest.mark.parametrize("response", RESPONDING)
def test_observe_changes_nothing(observe: Engine, response: str) -> None:
    name, uid = observe.victim()
    before = state(observe)
    record = observe.respond(response, DEMO, name, uid)
    assert record["outcome"].startswith("would-"), record
    assert record["reason"] == "mode is observe"
    assert {key: state(observe).get(key) for key in before} == before
    (event,) = observe.events(DEMO, record["workflow"])
    assert event["metadata"]["annotations"]["kre/mode"] == "observe"
