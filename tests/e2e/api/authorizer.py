"""RBAC objects by the thousand on a real API server, and what its authorizer says to questions about them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

from e2e.http import Http, Question, Reply
from e2e.kubectl import wait
from support.rbac_server import LABEL, PREFIX, TAKES, namespaces
from support.rbac_sets import API, Asked, Body

ROOT = f"/apis/{API}/v1"
PLURALS = {
    "ClusterRoleBinding": "clusterrolebindings",
    "RoleBinding": "rolebindings",
    "ClusterRole": "clusterroles",
    "Role": "roles",
}
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
QUIET = 3  # seconds: the controller writes twenty times a second while it has work
_LISTED = ("verb", "group", "resource", "subresource", "name", "namespace")


class Authorizer:
    """One run, under names of its own."""

    def __init__(self, http: Http, run: str) -> None:
        self._http, self._run, self._asked = http, run, 0

    def everything(self) -> Iterator[Body]:
        """Every role and binding that the server has, as somebody could make it anew."""
        for kind, plural in PLURALS.items():
            for item in self._got(f"{ROOT}/{plural}").body["items"] or ():
                kept = {
                    key: item["metadata"][key] for key in ("name", "namespace", "labels") if key in item["metadata"]
                }
                yield {**item, "apiVersion": f"{API}/v1", "kind": kind, "metadata": kept}

    def put(self, bodies: Iterable[Body]) -> None:
        """Makes the objects, in their order but for what goes on side by side."""
        self._made(Question("POST", _path(body), body) for body in bodies)

    def spaces(self) -> None:
        """Makes the namespaces of the run."""
        head = {"apiVersion": "v1", "kind": "Namespace"}
        for name in namespaces(self._run):
            metadata = {"name": name, "labels": {LABEL: self._run}}
            self._made([Question("POST", "/api/v1/namespaces", {**head, "metadata": metadata})])

    def seen(self) -> None:
        """Waits until the authorizer has seen whatever was made before: it learns of each kind in the order of events,
        so that it knows all once it allows by the last one of each."""
        self._asked += 1
        rules = [{"verbs": ["get"], "apiGroups": ["kre-test"], "resources": ["sentinels"]}]
        for space in ("", namespaces(self._run)[0]):
            kind, name = "Role" if space else "ClusterRole", f"{PREFIX}{self._run}-sentinel-{self._asked}"
            self.put([_body(kind, name, space, self._run, rules=rules)])
            reference = {"apiGroup": API, "kind": kind, "name": name}
            subjects = [{"kind": "User", "apiGroup": API, "name": name}]
            self.put([_body(f"{kind}Binding", name, space, self._run, roleRef=reference, subjects=subjects)])
            asked = {"user": name, "groups": [], "verb": "get", "group": "kre-test", "resource": "sentinels"}
            wait(f"{kind} {name} to count", _allowed(self, {**asked, "namespace": space}), pause=0.05)

    def ask(self, questions: Iterable[Asked]) -> list[bool]:
        """What the authorizer says to each."""
        replies = self._made(_review(asked) for asked in questions)
        return [reply.body["status"]["allowed"] for reply in replies]

    def aggregates(self) -> bool:
        """Whether a controller is there that fills ClusterRoles which aggregate others: on this one it must act."""
        mark = f"{PREFIX}{self._run}-probe"
        rules = [{"verbs": ["get"], "apiGroups": ["kre-test"], "resources": ["probes"]}]
        rule = {"clusterRoleSelectors": [{"matchLabels": {mark: "yes"}}]}
        self.put([_body("ClusterRole", f"{mark}-part", "", self._run, {mark: "yes"}, rules=rules)])
        self.put([_body("ClusterRole", mark, "", self._run, aggregationRule=rule)])
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if self._got(f"{ROOT}/clusterroles/{mark}").body.get("rules"):
                return True
            time.sleep(0.2)
        return False

    def settled(self) -> None:
        """Waits until that controller has written nothing for a while, to any ClusterRole of the run."""
        versions: dict[str, str] = {}
        since, until = time.monotonic(), time.monotonic() + 120
        while time.monotonic() - since < QUIET:
            assert time.monotonic() < until, "the controller that aggregates ClusterRoles does not come to rest"
            now = {item["name"]: item["resourceVersion"] for item in self._there("ClusterRole")}
            if now != versions:
                versions, since = now, time.monotonic()
            time.sleep(1)

    def clean(self) -> None:
        """Takes away all that this run, or one before that was cut short, has left: by label, and first what the
        controller would write to; then by name, for it may put back, without labels, what it was about to write to."""
        spaces = [item["name"] for item in self._listed("/api/v1/namespaces", labelSelector=LABEL)]
        paths = [f"{ROOT}/{plural}" for kind, plural in PLURALS.items() if kind.startswith("Cluster")]
        paths += [_in(space, plural) for space in spaces for plural in ("roles", "rolebindings")]
        query = urlencode({"labelSelector": LABEL})
        self._http.ask("DELETE", f"{ROOT}/clusterroles?{urlencode({'labelSelector': f'{LABEL},{TAKES}'})}")
        self._http.send_all((Question("DELETE", f"{path}?{query}") for path in paths), threads=len(paths))
        self._http.send_all(Question("DELETE", f"/api/v1/namespaces/{space}") for space in spaces)
        last = time.monotonic()
        while time.monotonic() - last < 1:
            left = [item["name"] for item in self._listed(f"{ROOT}/clusterroles") if item["name"].startswith(PREFIX)]
            if left:
                last = time.monotonic()
                self._http.send_all(Question("DELETE", f"{ROOT}/clusterroles/{name}") for name in left)
            time.sleep(0.3)

    def _there(self, kind: str) -> list[dict[str, Any]]:
        return self._listed(f"{ROOT}/{PLURALS[kind]}", labelSelector=f"{LABEL}={self._run}")

    def _listed(self, path: str, **query: str) -> list[dict[str, Any]]:
        reply = self._http.ask("GET", f"{path}?{urlencode(query)}", headers=[("Accept", METADATA)])
        assert reply.status == 200, reply.message
        return [item["metadata"] for item in reply.body["items"] or ()]

    def _got(self, path: str) -> Reply:
        reply = self._http.ask("GET", path)
        assert reply.status == 200, reply.message
        return reply

    def _made(self, questions: Iterable[Question]) -> list[Reply]:
        asked = list(questions)
        replies = self._http.send_all(asked)
        wrong = [(one.body, reply.message) for one, reply in zip(asked, replies, strict=True) if reply.status != 201]
        assert not wrong, wrong[:3]
        return replies


def _body(kind: str, name: str, space: str, run: str, labels: dict[str, str] | None = None, **fields: Any) -> Body:
    metadata = {"name": name, "labels": {LABEL: run, **(labels or {})}} | ({"namespace": space} if space else {})
    return {"apiVersion": f"{API}/v1", "kind": kind, "metadata": metadata, **fields}


def _path(body: Body) -> str:
    space, plural = body["metadata"].get("namespace"), PLURALS[body["kind"]]
    return _in(space, plural) if space else f"{ROOT}/{plural}"


def _in(space: str, plural: str) -> str:
    return f"{ROOT}/namespaces/{space}/{plural}"


def _allowed(authorizer: Authorizer, asked: Asked) -> Callable[[], bool]:
    return lambda: authorizer.ask([asked])[0]


def _review(asked: Asked) -> Question:
    spec: Body = {"user": asked["user"], "groups": asked["groups"]}
    if asked.get("path"):
        spec["nonResourceAttributes"] = {"verb": asked["verb"], "path": asked["path"]}
    else:
        spec["resourceAttributes"] = {field: asked.get(field, "") for field in _LISTED}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    return Question("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
