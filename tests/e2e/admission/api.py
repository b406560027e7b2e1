"""Requests to the API server under other names, through one `kubectl proxy`: milliseconds each."""

from __future__ import annotations

import http.client
import json
import subprocess
from dataclasses import dataclass, field
from typing import Any, Self

MERGE = "application/merge-patch+json"
# Who is in it may do anything, as far as RBAC goes (stage.py): what is refused, an admission policy has refused.
EVERYTHING = "kre-e2e-admission"
_MARK = "ValidatingAdmissionPolicy '"


@dataclass(frozen=True)
class Who:
    """A user as the API server sees one."""

    name: str
    groups: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name.removeprefix("system:serviceaccount:")


def account(namespace: str, name: str) -> Who:
    """A ServiceAccount with the groups that its token gives it."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return Who(f"system:serviceaccount:{namespace}:{name}", groups)


DISPATCHER = account("kre-pipeline", "dispatcher")
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

    def sent(self) -> tuple[str, str, bytes]:
        if self.method == "DELETE":  # a body makes the server ignore the query
            options = {"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"], "gracePeriodSeconds": 30}
            return self.method, self.path, json.dumps(options | self.body).encode()
        if not self.dry:
            return self.method, self.path, json.dumps(self.body).encode() if self.body else b""
        joint = "&" if "?" in self.path else "?"
        return self.method, f"{self.path}{joint}dryRun=All", json.dumps(self.body).encode()


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
    """A connection to the API server of KUBECONFIG as an admin, who takes on others' names."""

    def __enter__(self) -> Self:
        command = ["kubectl", "proxy", "--port=0", "--disable-filter=true"]
        self._proxy = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._proxy.stdout is not None
        line = self._proxy.stdout.readline()  # Starting to serve on 127.0.0.1:34567
        assert line, "kubectl proxy ended at once"
        self._connection = http.client.HTTPConnection(line.split()[-1], timeout=30)
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._proxy.terminate()
        self._proxy.communicate(timeout=10)

    def ask(self, who: Who, ask: Ask, **extra: str) -> Answer:
        """Sends it as `who`; each of `extra` is something more that the policies may know of the user."""
        method, path, body = ask.sent()
        headers = [("Content-Type", ask.content), ("Impersonate-User", who.name)]
        headers += [("Impersonate-Group", group) for group in (*who.groups, "system:authenticated", EVERYTHING)]
        headers += [(f"Impersonate-Extra-{key}", value) for key, value in extra.items()]
        self._connection.putrequest(method, path)
        for key, value in (*headers, ("Content-Length", str(len(body)))):
            self._connection.putheader(key, value)
        self._connection.endheaders(body)
        response = self._connection.getresponse()
        return _answer(response.status, response.read().decode())


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
