"""Reads everything that the checks look at. Changes nothing: what it sends are dry runs that must be refused."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kre.cluster.snapshot import ARGO, FORBIDDEN, NOT_FOUND, OK, WHOAMI, Served, Snapshot, discovery, path_of, served
from kre.cluster.wanted import DISPATCHER, FALCO, PIPELINE, RESPONSES, Wanted, dispatch_secret, webhook
from kre.doors.kubectl import Api, Reply
from kre.edit.token import FALCOSIDEKICK
from kre.errors import ToolError, UsageError
from kre.model.resource import dig, each

THREADS = 8
_BASIC = ("v1", "apps/v1", "rbac.authorization.k8s.io/v1", ARGO, "admissionregistration.k8s.io/v1")
_ACCOUNT = {
    "Impersonate-User": f"system:serviceaccount:{PIPELINE}:{DISPATCHER}",
}
# What the dispatcher's Roles would let it write, and a policy must not: a Lease of another name, a response that
# only a person starts.
ATTEMPTS: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "kre-engine-never": (
        f"/apis/coordination.k8s.io/v1/namespaces/{PIPELINE}/leases",
        "coordination.k8s.io/v1 Lease",
        {},
    ),
    "kre-engine-workflows": (
        f"/apis/{ARGO}/namespaces/{RESPONSES}/workflows",
        f"{ARGO} Workflow",
        {"spec": {"workflowTemplateRef": {"name": "release-pod"}}},
    ),
}


def read(wanted: Wanted, api: Api, server: str) -> Snapshot:
    """A snapshot of the cluster. Raises ToolError where it does not answer, or does not know who asks."""
    replies = {"/version": api.get("/version")}
    _require_answer(replies["/version"], server)
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    replies[WHOAMI] = api.call("POST", WHOAMI, body)
    versions = {item.api_version for item in (*wanted.bootstrap, *wanted.applications, *wanted.leaves)}
    with ThreadPoolExecutor(THREADS) as pool:
        paths = [discovery(version) for version in sorted({*_BASIC, *versions})]
        replies |= zip(paths, pool.map(api.get, paths), strict=True)
        paths = sorted({path for path in _paths(wanted, served(replies)) if path} - replies.keys())
        key = secrets.token_bytes(32)
        replies |= {path: _plain(reply, key) for path, reply in zip(paths, pool.map(api.get, paths), strict=True)}
        attempts = dict(zip(ATTEMPTS, pool.map(lambda name: _attempt(api, name), ATTEMPTS), strict=True))
    return Snapshot(wanted, server, replies, attempts)


def environment_on(api: Api, roots: Mapping[str, str], server: str) -> str:
    """Which environment a cluster is: that whose root Application is there. `roots` has the path of each by name.

    Raises UsageError where that does not tell, ToolError where the cluster does not answer.
    """
    _require_answer(api.get("/version"), server)
    found = [name for name, path in roots.items() if api.get(path).status == OK]
    if len(found) == 1:
        return found[0]
    if len(roots) == 1:
        return next(iter(roots))
    raise UsageError("which environment is this cluster? Its Argo CD does not tell", f"say --env {'|'.join(roots)}")


def _require_answer(version: Reply, server: str) -> None:
    if version.status in (OK, FORBIDDEN):
        return
    hint = "is it up, and are you signed on? Try: kubectl auth whoami; kubectl config get-contexts"
    raise ToolError(f"the cluster {server} does not answer: {version.message or version.status}", hint)


def _paths(wanted: Wanted, known: Served) -> Iterator[str]:
    for item in (*wanted.bootstrap, *wanted.leaves):
        yield path_of(known, item.api_version, item.kind, item.namespace, item.name)
    for namespace in (PIPELINE, RESPONSES, FALCO, *wanted.targets):
        yield path_of(known, "v1", "Namespace", "", namespace)
    for namespace in (PIPELINE, FALCO):
        yield path_of(known, "v1", "Pod", namespace)
    for namespace, _ in wanted.controllers().values():
        yield path_of(known, "v1", "Namespace", "", namespace)
        yield path_of(known, "apps/v1", "Deployment", namespace)
        yield path_of(known, "v1", "ConfigMap", namespace)
    yield path_of(known, "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "")
    if root := wanted.root:
        yield path_of(known, "v1", "Namespace", "", root.namespace)
        yield path_of(known, ARGO, "Application", root.namespace)
    for name in _secrets(wanted):
        yield path_of(known, "v1", "Secret", PIPELINE, name)
    yield path_of(known, "v1", "Secret", *FALCOSIDEKICK)


def _secrets(wanted: Wanted) -> Iterator[str]:
    if source := wanted.eventsource:
        yield str(dig(webhook(source), "authSecret", "name") or "")
    for sensor in wanted.sensors.values():
        yield dispatch_secret(sensor)[0]


def _attempt(api: Api, policy: str) -> Reply:
    """The answer to a dry run as the dispatcher, which must be refused by this policy."""
    path, what, rest = ATTEMPTS[policy]
    version, kind = what.split()
    body = {"apiVersion": version, "kind": kind, "metadata": {"name": "kre-doctor"}, **rest}
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{PIPELINE}", "system:authenticated"]
    return api.call(
        "POST", f"{path}?dryRun=All", body, [*_ACCOUNT.items(), *(("Impersonate-Group", g) for g in groups)]
    )


def _plain(reply: Reply, key: bytes) -> Reply:
    """A reply without what no check reads: who manages which field, and of Secrets everything but digests."""
    if str(reply.body.get("kind")).removesuffix("List") == "Secret":
        return Reply(reply.status, _digests(reply.body, key))
    if reply.status in (OK, NOT_FOUND, FORBIDDEN):
        return Reply(reply.status, _slim(reply.body))
    return reply


def _slim(body: Mapping[str, Any]) -> Mapping[str, Any]:
    if "items" in body:
        return {**body, "items": [_slim(item) for item in each(body, "items")]}
    metadata = body.get("metadata")
    if not isinstance(metadata, Mapping) or "managedFields" not in metadata:
        return body
    return {**body, "metadata": {key: value for key, value in metadata.items() if key != "managedFields"}}


def _digests(secret: Mapping[str, Any], key: bytes) -> Mapping[str, Any]:
    """A Secret's name and its values, each as `<form>:<digest of the token in it>`. Its annotations may hold all of it
    in the clear (kubectl apply), so they go."""
    data: Mapping[str, Any] = secret.get("data") or {}
    metadata = {name: dig(secret, "metadata", name) for name in ("name", "namespace")}
    return {"kind": "Secret", "metadata": metadata, "data": {name: _digest(value, key) for name, value in data.items()}}


def _digest(value: object, key: bytes) -> str:
    form, token = form_of(value)
    return f"{form}:{hmac.new(key, token.encode(), hashlib.sha256).hexdigest()[:16]}" if token else "empty"


def form_of(value: object) -> tuple[str, str]:
    """What a Secret's value is, and the token in it: "header" (of Falcosidekick's), "bearer", or "bare"."""
    try:
        text = base64.b64decode(str(value), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "bare", ""
    for entry in text.split(","):
        name, colon, rest = entry.partition(":")
        if colon and name.strip().lower() == "authorization":
            return "header", rest.strip().removeprefix("Bearer ").strip()
    if text.startswith("Bearer "):
        return "bearer", text.removeprefix("Bearer ").strip()
    return "bare", text.strip()
