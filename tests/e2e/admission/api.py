"""Requests to the API server under other names."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from e2e.http import Http, Question
from e2e.who import Who, account

# Who is in it may do anything, as far as RBAC goes (stage.py): what is refused, an admission policy has refused.
EVERYTHING = "kre-e2e-admission"
_MARK = "ValidatingAdmissionPolicy '"


DISPATCHER = account("kre-pipeline", "dispatcher")
RECORDER = account("kre-pipeline", "recorder")
CONTROLLER = account("argo-workflows", "argo-workflows-workflow-controller")
COLLECTOR = account("kube-system", "generic-garbage-collector")
NAMESPACES = account("kube-system", "namespace-controller")
MANAGER = Who("system:kube-controller-manager")
ARGOCD = account("argocd", "argocd-application-controller")
EXECUTOR = account("kre-responses", "executor")
ADMIN = Who("root", ("system:masters",))
OPERATOR = Who("olga@example.org", ("kre-operators",))
APPROVER = Who("anna@example.org", ("kre-approvers",))
BOTH = Who("otto@example.org", ("kre-operators", "kre-approvers"))
STRANGER = Who("erik@example.org", ("developers",))


@dataclass(frozen=True)
class Ask:
    """One request. It changes nothing: it goes out as a dry run, which admission judges like any other.

    What connects to a pod knows no dry run; none of the pods has a node, so it comes to nothing either."""

    method: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)
    content: str = "application/json"
    dry: bool = True

    def question(self, who: Who, **extra: str) -> Question:
        """As it goes out, under that name."""
        more = tuple((f"Impersonate-Extra-{key}", value) for key, value in extra.items())
        path, body = self._sent()
        return Question(self.method, path, body, self.content, who.headers(EVERYTHING) + more)

    def _sent(self) -> tuple[str, Any]:
        if self.method == "DELETE":  # a body makes the server ignore the query
            options = {"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"], "gracePeriodSeconds": 30}
            return self.path, options | self.body
        if not self.dry:
            return self.path, self.body or None
        return f"{self.path}{'&' if '?' in self.path else '?'}dryRun=All", self.body


@dataclass(frozen=True)
class Answer:
    """What came back: the HTTP status, and if a policy has refused, which one and its message."""

    status: int
    text: str
    policy: str = ""
    message: str = ""

    def __str__(self) -> str:
        return f"{self.policy}: {self.message}" if self.policy else f"{self.status} {self.text[:300]}"


class Api:
    """The API server of KUBECONFIG, asked by an admin who takes on others' names."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def ask(self, who: Who, ask: Ask, **extra: str) -> Answer:
        """Sends it as `who`; each of `extra` is something more that the policies may know of the user."""
        reply = self._http.send(ask.question(who, **extra))
        return _answer(reply.status, reply.text)

    def ask_all(self, asked: Iterable[tuple[Who, Ask]]) -> list[Answer]:
        """The same for many, side by side."""
        return [_answer(one.status, one.text) for one in self._http.send_all(ask.question(who) for who, ask in asked)]


def _answer(status: int, text: str) -> Answer:
    try:
        message = str(json.loads(text).get("message", ""))
    except ValueError:
        message = text
    if status < 400:
        return Answer(status, text)
    if _MARK not in message:
        return Answer(status, message)
    policy, _, rest = message.partition(_MARK)[2].partition("'")
    return Answer(status, message, policy, rest.partition("denied request: ")[2])
