"""Every object that any environment renders is taken by a real API server, with nothing in it passed over."""

from __future__ import annotations

import pytest

from e2e.api.conftest import DELIVERY
from e2e.api.rest import Rest, moved
from e2e.http import Http
from e2e.kubectl import Object
from kre.model.bundle import Bundle
from kre.model.resource import Resource

pytestmark = [pytest.mark.e2e, pytest.mark.api]


def placed(rest: Rest, item: Resource, elsewhere: str) -> Object:
    """The object where it can be judged: dev's as it is, for its namespaces are there; the others' namespaced ones in
    an empty namespace, so that none is merged with dev's of the same name."""
    body = dict(item.body)
    if not rest.namespaced(body):
        return body
    return body if item.environment == "dev" and item.kind not in DELIVERY else moved(body, elsewhere)


@pytest.mark.usefixtures("dev")
def test_every_object_is_applied_strictly(rest: Rest, http: Http, bundle: Bundle, elsewhere: str) -> None:
    known = [item for item in bundle.resources if rest.serves(item.api_version, item.kind)]
    answers = http.send_all(rest.dry_run(placed(rest, item, elsewhere)) for item in known)
    wrong = [
        f"{item.environment}: {item}: {answer.status} {answer.message}"
        for item, answer in zip(known, answers, strict=True)
        if answer.status not in (200, 201)
    ]
    assert not wrong, "\n".join(wrong)
    assert {item.environment for item in known} == {environment.name for environment in bundle.environments}
    unknown = {item.kind for item in bundle.resources} - {item.kind for item in known}
    assert unknown <= set(DELIVERY)
    if unknown:
        pytest.skip(f"NOT TESTED, all else was: this cluster has no Argo CD, so nothing takes {sorted(unknown)}")
