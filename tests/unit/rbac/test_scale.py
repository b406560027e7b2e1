"""Large clusters are evaluated at once: 1,000 identities and 5,000 rules, in processor time, for machines are busy."""

from __future__ import annotations

import time

from kre.rbac.defaults import join
from kre.rbac.evaluate import policy
from kre.rbac.model import Question, account
from kre.rbac.objects import parse

API = "rbac.authorization.k8s.io/v1"
IDENTITIES, RULES_EACH = 1000, 5


def bound(kind: str, metadata: dict, reference: dict, subjects: list[dict]) -> dict:
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "roleRef": reference, "subjects": subjects}


def objects() -> list[dict]:
    made = []
    for number in range(IDENTITIES):
        where = {"name": f"r{number}", "namespace": f"n{number % 50}"}
        rules = [
            {"verbs": ["get", "list"], "apiGroups": ["", "apps"], "resources": [f"things{index}", "pods/log"]}
            for index in range(RULES_EACH)
        ]
        made.append({"apiVersion": API, "kind": "Role", "metadata": where, "rules": rules})
        subjects = [{"kind": "ServiceAccount", "name": f"s{number}"}]
        reference = {"kind": "Role", "name": f"r{number}"}
        made.append(
            {"apiVersion": API, "kind": "RoleBinding", "metadata": where, "roleRef": reference, "subjects": subjects}
        )
    return made


def test_every_grant_and_a_question_for_everybody() -> None:
    bodies = objects()
    start = time.process_time()
    known = policy(join(parse(body) for body in bodies))
    people = [(f"n{number % 50}", account(f"n{number % 50}", f"s{number}")) for number in range(IDENTITIES)]
    held = sum(1 for _, user in people for grant in known.grants(user) if grant.namespace)
    allowed = sum(known.allows(user, Question("get", "apps", "things4", namespace=space)) for space, user in people)
    spent = time.process_time() - start
    assert (held, allowed) == (IDENTITIES * RULES_EACH, IDENTITIES)
    assert spent < 2


def test_one_question_among_many_rules() -> None:
    rules = [{"verbs": ["get"], "apiGroups": [""], "resources": [f"things{number}"]} for number in range(5000)]
    role = {"apiVersion": API, "kind": "ClusterRole", "metadata": {"name": "r"}, "rules": rules}
    subjects = [{"kind": "ServiceAccount", "name": f"s{number}", "namespace": "n"} for number in range(IDENTITIES)]
    reference = {"kind": "ClusterRole", "name": "r"}
    metadata = {"name": "b"}
    bound = {
        "apiVersion": API,
        "kind": "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": reference,
        "subjects": subjects,
    }
    start = time.process_time()
    known = policy([parse(role), parse(bound)])
    assert all(
        known.allows(account("n", f"s{number}"), Question("get", "", "things4999")) for number in range(IDENTITIES)
    )
    assert time.process_time() - start < 2
