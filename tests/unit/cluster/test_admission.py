"""The policies: as rendered, none of them weaker, and in effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kre.cluster.checks.admission import in_effect, policies
from kre.cluster.result import Trouble
from kre.cluster.wanted import Wanted, wanted
from kre.load.bundle import load
from support.cluster import Double, well
from support.repository import PROJECT

POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"


@pytest.fixture(scope="module")
def dev() -> Wanted:
    return wanted(load(PROJECT, ["dev"]), "dev")


def only(troubles: tuple[Trouble, ...]) -> Trouble:
    assert len(troubles) == 1, troubles
    return troubles[0]


def test_well(dev: Wanted) -> None:
    snapshot = well(dev).snapshot(dev)
    assert policies(snapshot).troubles == in_effect(snapshot).troubles == ()
    assert in_effect(snapshot).well == "kre-engine-never, kre-engine-workflows refused a dry run as the dispatcher"
    assert "kre-engine-pods" in policies(snapshot).well


@pytest.mark.parametrize(
    ("change", "where", "found"),
    [
        (lambda one: one.drop(BINDING, "kre-engine-never"), f"{BINDING} kre-engine-never", "there is none"),
        (lambda one: one.drop(POLICY, "kre-engine-pods"), f"{POLICY} kre-engine-pods", "there is none"),
        (
            lambda one: one.find(BINDING, "kre-engine-never")["spec"].update(validationActions=["Audit"]),
            f"{BINDING} kre-engine-never",
            "spec.validationActions",
        ),
        (
            lambda one: one.find(POLICY, "kre-engine-pods")["spec"].update(failurePolicy="Ignore"),
            f"{POLICY} kre-engine-pods",
            "spec.failurePolicy",
        ),
        (
            lambda one: one.find(POLICY, "kre-engine-approve")["spec"].update(paramKind={"kind": "X"}),
            f"{POLICY} kre-engine-approve",
            "spec.paramKind",
        ),
    ],
    ids=["binding gone", "policy gone", "audit alone", "ignored", "more"],
)
def test_trouble(dev: Wanted, change: Callable[[Double], Any], where: str, found: str) -> None:
    double = well(dev)
    change(double)
    trouble = only(policies(double.snapshot(dev)).troubles)
    assert (trouble.status, trouble.where) == ("failed", where)
    assert found in trouble.found
    assert "dev-responses" in trouble.remedy


@pytest.mark.parametrize(
    ("code", "message", "status", "found"),
    [
        (201, "", "failed", "got through"),
        (
            403,
            'users "x" is forbidden: User "me" cannot impersonate resource "serviceaccounts"',
            "unknown",
            "impersonate",
        ),
        (403, 'User "x" cannot create resource "leases"', "unknown", "something else refused the dry run"),
        (403, "ValidatingAdmissionPolicy 'other' with binding 'other' denied request: no", "unknown", "something else"),
    ],
    ids=["accepted", "no impersonation", "RBAC", "another policy"],
)
def test_in_effect(dev: Wanted, code: int, message: str, status: str, found: str) -> None:
    double = well(dev)
    double.attempts["leases"] = (code, message)
    trouble = only(in_effect(double.snapshot(dev)).troubles)
    assert (trouble.status, trouble.where) == (status, f"{POLICY} kre-engine-never")
    assert found in trouble.found
