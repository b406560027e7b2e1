"""On what this repository ships, everybody whose manifests or code are ours holds exactly what they need."""

from __future__ import annotations

from functools import cache

import pytest

from kre.compare.spending import holders
from kre.load.bundle import load
from kre.load.layout import environments
from kre.load.sources import Sources
from kre.model.bundle import Bundle
from kre.rbac.require.verdict import Verdict, verdicts
from support.repository import PROJECT

NAMES = [environment.name for environment in environments(Sources(PROJECT))]
CHARTS = {
    "ServiceAccount argo-events/argo-events-controller-manager": "chart argo-events",
    "ServiceAccount argo-workflows/argo-workflows-workflow-controller": "chart argo-workflows",
}


@cache
def bundle() -> Bundle:
    return load(PROJECT)


@cache
def found(name: str) -> dict[str, Verdict]:
    return {one.who: one for one in verdicts(bundle(), bundle().environment(name))}


@pytest.mark.parametrize("name", NAMES)
def test_need_is_grant(name: str) -> None:
    ours = {who: verdict for who, verdict in found(name).items() if who not in CHARTS}
    assert [who for who, verdict in ours.items() if not verdict.equal] == []
    assert {
        "Group kre-approvers",
        "ServiceAccount kre-pipeline/dispatcher",
        "ServiceAccount kre-pipeline/sensor",
    } <= ours.keys()


def test_dev_has_every_response() -> None:
    held = {who.rpartition("/")[2]: len(verdict.held) for who, verdict in found("dev").items() if verdict.held}
    assert {"contain-pod", "delete-pod", "isolate-pod", "label-pod", "notify", "release-pod", "executor"} <= held.keys()


@pytest.mark.parametrize("name", NAMES)
def test_whom_a_chart_makes_is_named_and_in_the_budget(name: str) -> None:
    for who, chart in CHARTS.items():
        (why,) = found(name)[who].unknown
        assert chart in why
        assert who in holders(bundle(), bundle().environment(name))
