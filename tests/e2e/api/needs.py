"""Exactly so many rights for one of our identities, and what it can do with them on a real API server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from e2e.http import Http, Question
from e2e.kubectl import Object, wait
from e2e.who import account
from support.needs import DISPATCHING, RESPONDER, TARGETS, Right, rules

RBAC = "rbac.authorization.k8s.io"
REDUCED = "kre-e2e-needs"
ALL = frozenset(right for row in (*RESPONDER, *DISPATCHING) for right in row.rights)  # whatever is ever taken away


@dataclass(frozen=True)
class Reduced:
    """A ServiceAccount whose rights in some namespaces are set anew again and again.

    In `target`, where nobody has bound it, it gets a Role of its own. `own` has the Roles that it holds in other
    namespaces, namespace -> name: they are changed, and put back.
    """

    http: Http
    namespace: str
    name: str
    target: str
    own: tuple[tuple[str, str], ...] = ()

    def hold(self, rights: Iterable[Right]) -> None:
        """From here on it holds these and nothing else there; waits until the server's authorizer says so."""
        wanted = set(rights)
        found = rules(wanted, self.target)
        self._put(self.target, REDUCED, found.get(self.target, []))
        for namespace, name in self.own:
            self._put(namespace, name, found.get(namespace, []))
        self._wait(wanted)

    def _put(self, namespace: str, name: str, listed: list[dict[str, list[str]]]) -> None:
        path = f"/apis/{RBAC}/v1/namespaces/{namespace}/roles/{name}"
        body = {"rules": listed}
        reply = self.http.ask("PATCH", path, body, "application/merge-patch+json")
        assert reply.status == 200, reply

    def _wait(self, wanted: set[Right]) -> None:
        places = {right.where for right in wanted} | {TARGETS, *(namespace for namespace, _ in self.own)}
        asked = sorted(right for right in ALL if right.where in places)

        def settled() -> bool:
            replies = self.http.send_all(self._review(right) for right in asked)
            assert all(reply.status == 201 for reply in replies), replies
            allowed = {right for right, reply in zip(asked, replies, strict=True) if reply.body["status"]["allowed"]}
            return allowed == wanted

        wait(f"exactly {len(wanted)} rights of {self.name}", settled, 30, 0.05)

    def _review(self, right: Right) -> Question:
        namespace = self.target if right.where == TARGETS else right.where
        asked = {"verb": right.verb, "group": right.group, "resource": right.resource, "namespace": namespace}
        who = account(self.namespace, self.name)
        spec = {"user": who.name, "groups": who.all_groups, "resourceAttributes": asked}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        return Question("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)


@contextlib.contextmanager
def reduced(
    http: Http, namespace: str, name: str, target: str, own: tuple[tuple[str, str], ...] = ()
) -> Iterator[Reduced]:
    """One, bound to an empty Role in the target; in the end the Roles of its own are as they were."""
    there = f"/apis/{RBAC}/v1/namespaces/{target}"
    subject = {"kind": "ServiceAccount", "namespace": namespace, "name": name}
    reference = {"apiGroup": RBAC, "kind": "Role", "name": REDUCED}
    head: dict[str, Any] = {"apiVersion": f"{RBAC}/v1", "metadata": {"name": REDUCED, "namespace": target}}
    made: list[tuple[str, Object]] = [
        ("roles", {**head, "kind": "Role", "rules": []}),
        ("rolebindings", {**head, "kind": "RoleBinding", "roleRef": reference, "subjects": [subject]}),
    ]
    paths = [f"/apis/{RBAC}/v1/namespaces/{space}/roles/{role}" for space, role in own]
    before = [http.ask("GET", path) for path in paths]
    assert all(reply.status == 200 for reply in before), before
    for plural, _ in reversed(made):  # of another row
        http.ask("DELETE", f"{there}/{plural}/{REDUCED}")
    for plural, body in made:
        reply = http.ask("POST", f"{there}/{plural}", body)
        assert reply.status == 201, reply
    try:
        yield Reduced(http, namespace, name, target, own)
    finally:
        for path, reply in zip(paths, before, strict=True):
            put = http.ask("PATCH", path, {"rules": reply.body["rules"]}, "application/merge-patch+json")
            assert put.status == 200, put
