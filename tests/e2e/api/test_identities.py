"""Who may do what: one row for each identity of the bundle, and the API server itself is asked about the rest.

Two ways to ask. What RBAC gives an identity in a namespace is listed whole (SelfSubjectRulesReview), in every
namespace. And a broad grid of questions (SubjectAccessReview) is asked about all namespaces at once, about those where
the identity has something to do or is at home, and about one that is nobody's.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from e2e.controllers import EVENTS, WORKFLOWS
from e2e.engine import DEMO
from e2e.http import Http, Question
from e2e.who import Who, account
from kre.model.bundle import Bundle
from support.rights import ENABLED, Rights, table

pytestmark = [pytest.mark.e2e, pytest.mark.api]

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
NAMESPACED = (
    ("", "pods"), ("", "secrets"), ("", "configmaps"), ("", "services"), ("", "events"), ("", "namespaces"),
    ("", "serviceaccounts"), ("", "persistentvolumeclaims"), ("apps", "deployments"), ("apps", "replicasets"),
    ("apps", "statefulsets"), ("apps", "daemonsets"), ("batch", "jobs"), ("batch", "cronjobs"),
    ("networking.k8s.io", "networkpolicies"),
    ("coordination.k8s.io", "leases"), ("argoproj.io", "workflows"), ("argoproj.io", "workflowtemplates"),
    ("argoproj.io", "workflowtaskresults"), ("argoproj.io", "sensors"), ("argoproj.io", "eventsources"),
    ("argoproj.io", "eventbus"), ("argoproj.io", "applications"), ("rbac.authorization.k8s.io", "roles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
)  # fmt: skip
WHOLE_CLUSTER = (
    ("", "nodes"), ("", "persistentvolumes"), ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"), ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
)  # fmt: skip
# What has verbs of its own, or is more than it looks.
SPECIAL = (
    ("create", "", "pods/exec"), ("get", "", "pods/exec"), ("create", "", "pods/eviction"), ("get", "", "pods/log"),
    ("patch", "", "pods/ephemeralcontainers"), ("create", "", "pods/portforward"), ("patch", "", "pods/status"),
    ("create", "", "serviceaccounts/token"), ("impersonate", "", "serviceaccounts"), ("impersonate", "", "users"),
    ("impersonate", "", "groups"), ("bind", "rbac.authorization.k8s.io", "roles"),
    ("escalate", "rbac.authorization.k8s.io", "roles"), ("bind", "rbac.authorization.k8s.io", "clusterroles"),
    ("escalate", "rbac.authorization.k8s.io", "clusterroles"), ("update", "argoproj.io", "sensors/status"),
)  # fmt: skip
NOBODYS = "kube-system"
OTHERS = (NOBODYS, "default", "argocd")
CHARTS = ("falco:falcosidekick", "falco:falco")  # the other two are in the table
Row = dict[str, Rights]


def rows() -> dict[str, Row]:
    return table([DEMO], sorted(ENABLED))


def known(bundle: Bundle) -> dict[str, Row]:
    """Every identity -> its row: of the table; and with an empty one each account that is rendered, made by a chart,
    or made by Kubernetes in each namespace."""
    rendered = {f"{item.namespace}:{item.name}" for item in bundle.of("dev", "ServiceAccount")}
    defaults = {f"{item.name}:default" for item in bundle.of("dev", "Namespace")}
    return {name: rows().get(name, {}) for name in sorted({*rows(), *rendered, *defaults, *CHARTS})}


def who(identity: str) -> Who:
    namespace, name = identity.split(":")
    return Who("someone@example.org", (name,)) if namespace == "group" else account(namespace, name)


@pytest.fixture(scope="module")
def identities(bundle: Bundle, dev: None) -> dict[str, Row]:
    return known(bundle)


@pytest.fixture(scope="module")
def places(bundle: Bundle, identities: dict[str, Row]) -> list[str]:
    """Every namespace of the bundle, and some of others."""
    return sorted({item.name for item in bundle.of("dev", "Namespace")} | {*OTHERS})


def test_the_table_knows_the_controllers_by_the_names_that_they_get_here() -> None:
    assert {f"{namespace}:{account}" for namespace, _, account, _ in (EVENTS, WORKFLOWS)} <= rows().keys()


def test_an_identity_holds_what_its_row_says_and_nothing_else(
    http: Http, identities: dict[str, Row], places: list[str]
) -> None:
    asked = list(product(identities, places))
    answers = http.send_all(_rules(identity, place) for identity, place in asked)
    anybody = _listed(http.send(_rules("kre-nowhere:nobody", NOBODYS)).body)
    wrong = []
    for (identity, place), answer in zip(asked, answers, strict=True):
        assert answer.status == 201, answer
        held, wanted = _listed(answer.body) - anybody, identities[identity].get(place, frozenset())
        if held != wanted:
            wrong.append(f"{identity} in {place}: too much {sorted(held - wanted)}, too little {sorted(wanted - held)}")
    assert not wrong, "\n".join(wrong)


def test_an_identity_may_do_what_its_row_says_and_nothing_else(http: Http, identities: dict[str, Row]) -> None:
    asked = [
        (identity, place, right)
        for identity, row in identities.items()
        for place in ("", *sorted({*row, *_home(identity), NOBODYS}))
        for right in sorted({*_grid(place), *row.get(place, ())})
    ]
    assert len(asked) > 10_000
    answers = http.send_all(_review(*question) for question in asked)
    wrong = []
    for (identity, place, right), answer in zip(asked, answers, strict=True):
        assert answer.status == 201, answer
        if answer.body["status"]["allowed"] != (right in identities[identity].get(place, ())):
            said = "may" if answer.body["status"]["allowed"] else "may not"
            wrong.append(f"{identity} {said} {' '.join(right)} in {place or 'all namespaces'}")
    assert not wrong, "\n".join(wrong)


def _home(identity: str) -> set[str]:
    return {identity.split(":", maxsplit=1)[0]} - {"group"}


def _grid(place: str) -> Iterator[tuple[str, str, str]]:
    """(verb, group, resource): what is of the whole cluster is asked about once."""
    for verb, (group, resource) in product(VERBS, NAMESPACED if place else NAMESPACED + WHOLE_CLUSTER):
        yield verb, group, resource
    yield from SPECIAL


def _review(identity: str, place: str, right: tuple[str, str, str]) -> Question:
    (verb, group, kind), user = right, who(identity)
    resource, _, sub = kind.partition("/")
    asked = {"verb": verb, "group": group, "resource": resource, "subresource": sub, "namespace": place}
    spec = {"user": user.name, "groups": user.all_groups, "resourceAttributes": asked}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    return Question("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)


def _rules(identity: str, place: str) -> Question:
    kind = "SelfSubjectRulesReview"
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": {"namespace": place}}
    return Question(
        "POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", body, headers=who(identity).headers()
    )


def _listed(review: dict[str, Any]) -> set[tuple[str, str, str]]:
    """(verb, group, resource) of everything; what is for some names only is told apart."""
    found = set()
    for rule in review["status"]["resourceRules"]:
        names = "".join(f" {name}" for name in rule.get("resourceNames") or ())
        found |= {
            (verb, group, resource + names)
            for verb, group, resource in product(rule["verbs"], rule["apiGroups"], rule["resources"])
        }
    return found
