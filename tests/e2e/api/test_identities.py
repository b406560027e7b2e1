"""Who may do what: one row for each identity, and the API server itself is asked about the rest."""

from __future__ import annotations

import json
from itertools import product

import pytest

from e2e.admission.api import ADMIN, Api, Ask
from e2e.engine import DEMO, Engine
from support.rights import RESPONSES, table

pytestmark = pytest.mark.e2e

VERBS = (
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "impersonate",
    "bind",
    "escalate",
)
KINDS = (
    ("", "pods"), ("", "pods/exec"), ("", "pods/eviction"), ("", "pods/log"), ("", "pods/ephemeralcontainers"),
    ("", "secrets"), ("", "configmaps"), ("", "services"), ("", "events"), ("", "namespaces"), ("", "nodes"),
    ("", "serviceaccounts"), ("", "serviceaccounts/token"), ("apps", "deployments"), ("apps", "replicasets"),
    ("apps", "statefulsets"), ("apps", "daemonsets"), ("batch", "jobs"), ("networking.k8s.io", "networkpolicies"),
    ("coordination.k8s.io", "leases"), ("argoproj.io", "workflows"), ("argoproj.io", "workflowtemplates"),
    ("argoproj.io", "workflowtaskresults"), ("argoproj.io", "sensors"), ("argoproj.io", "eventsources"),
    ("argoproj.io", "applications"), ("rbac.authorization.k8s.io", "roles"),
    ("rbac.authorization.k8s.io", "rolebindings"), ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
)  # fmt: skip
PLACES = (
    "",
    DEMO,
    "kre-pipeline",
    "kre-responses",
    "argo-events",
    "argo-workflows",
    "argocd",
    "falco",
    "kube-system",
    "default",
)

# identity -> {namespace: rights}, of the engine's ServiceAccounts. Nothing anywhere else.
RIGHTS = {
    identity: places
    for identity, places in table([DEMO], sorted(RESPONSES)).items()
    if identity.startswith(("kre-pipeline:", "kre-responses:"))
}


@pytest.mark.parametrize("identity", RIGHTS)
def test_an_identity_may_do_what_its_row_says_and_nothing_else(engine: Engine, identity: str) -> None:
    namespace, name = identity.split(":")
    user = f"system:serviceaccount:{identity}"
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    questions = list(product(VERBS, KINDS, PLACES))
    with Api() as api:
        allowed = {
            (place, verb, *kind)
            for verb, kind, place in questions
            if _ask(api, _review(user, groups, verb, kind, place))
        }
    wanted = {(place, *right) for place, rights in RIGHTS[identity].items() for right in rights}
    assert allowed == wanted, name


def _review(user: str, groups: list[str], verb: str, kind: tuple[str, str], place: str) -> dict[str, object]:
    group, resource = kind
    resource, _, sub = resource.partition("/")
    asked = {"verb": verb, "group": group, "resource": resource, "subresource": sub, "namespace": place}
    spec = {"user": user, "groups": groups, "resourceAttributes": asked}
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


def _ask(api: Api, review: dict[str, object]) -> bool:
    answer = api.ask(ADMIN, Ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review, dry=False))
    assert answer.status == 201, answer
    return bool(json.loads(answer.text)["status"]["allowed"])
