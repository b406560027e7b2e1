"""The server serves every kind that the bundle uses."""

from __future__ import annotations

import pytest

from e2e.api.conftest import ARGO, DELIVERY
from e2e.api.rest import Rest
from kre.model.bundle import Bundle

pytestmark = [pytest.mark.e2e, pytest.mark.api]

# Made at work, by the engine or the controllers; no environment renders them.
AT_WORK = {(ARGO, "Workflow"), (ARGO, "WorkflowTaskResult"), ("v1", "Event"), ("coordination.k8s.io/v1", "Lease")}


def test_every_kind_that_is_rendered_or_made_is_served(rest: Rest, bundle: Bundle) -> None:
    rendered = {(item.api_version, item.kind) for item in bundle.resources}
    wanted = sorted(rendered | AT_WORK)
    unknown = [(version, kind) for version, kind in wanted if not rest.serves(version, kind)]
    assert [(version, kind) for version, kind in unknown if kind not in DELIVERY] == []
    if unknown:
        pytest.skip(f"NOT TESTED: this cluster has no Argo CD, so it does not know {unknown}")
