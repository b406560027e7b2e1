"""Mode observe: every response says what it would do, and does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from e2e.engine import DEMO, Engine
from e2e.test_responses import state

pytestmark = pytest.mark.e2e
RESPONDING = ("delete-pod", "isolate-pod", "label-pod", "contain-pod", "notify", "capture-evidence", "scale-down")


@pytest.fixture(scope="module")
def observed(up: Engine) -> Iterator[dict[str, Future[None]]]:
    """Each response in this mode, side by side."""
    keys = [f"{response.replace('-', '_')}__mode" for response in RESPONDING]
    up.set(**dict.fromkeys(keys, "observe"))
    up.forget()
    up.rest()
    victims = up.victims(len(RESPONDING))
    before = {uid: pod for uid, pod in state(up).items() if not pod["deletionTimestamp"]}
    with ThreadPoolExecutor(len(RESPONDING)) as pool:
        chosen = zip(RESPONDING, victims.items(), strict=True)
        done = {response: pool.submit(_would, up, response, *victim) for response, victim in chosen}
    after = state(up)
    assert {uid: after.get(uid) for uid in before} == before
    yield done
    up.set(**dict.fromkeys(keys, None))


def _would(engine: Engine, response: str, uid: str, name: str) -> None:
    record = engine.respond(response, DEMO, name, uid)
    assert record["outcome"].startswith("would-"), record
    assert record["reason"].startswith("mode is observe")
    (event,) = engine.events(DEMO, record["workflow"])
    assert event["metadata"]["annotations"]["kre/mode"] == "observe"


@pytest.mark.parametrize("response", RESPONDING)
def test_observe_changes_nothing(observed: dict[str, Future[None]], response: str) -> None:
    observed[response].result()
