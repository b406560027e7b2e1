"""Whether the test alert can be sent, and the way to the webhook."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator

from kre.cluster.alert import plan
from kre.cluster.checks.controllers import is_ready
from kre.cluster.hops import HOPS, unreached
from kre.cluster.probe import Sending, follow
from kre.cluster.result import Result, Unreadable
from kre.cluster.snapshot import OK, Snapshot, path_of
from kre.cluster.wanted import PIPELINE, webhook
from kre.doors.kubectl import Api, Kubectl
from kre.doors.webhook import Webhook
from kre.edit.token import check_token
from kre.errors import ToolError, UsageError
from kre.model.resource import Body, Resource, dig


def probe(snapshot: Snapshot, kubectl: Kubectl, api: Api, timeout: float) -> Iterator[Result]:
    """Sends the alert and yields its hops; where it can't be sent, says why."""
    try:
        chosen = plan(snapshot)
        source, pod = _ready_pod(snapshot)
        spec = webhook(source)
        token = _token(api, snapshot, spec)
        port, endpoint = int(str(spec["port"])), str(spec["endpoint"])
        with contextlib.ExitStack() as way:
            local = way.enter_context(kubectl.forward(PIPELINE, pod, port))
            name, authority = _certificate(api, snapshot, spec)
            yield from follow(api, chosen, Sending(Webhook(local, endpoint, name, authority), token, timeout))
    except (Unreadable, ToolError) as error:
        yield Result("probe", HOPS[0], "unknown", "", f"the test alert was not sent: {error}")
        yield from unreached(HOPS[0], "the test alert was not sent")


def not_sent(why: str) -> Iterator[Result]:
    """What is said instead of the hops."""
    for hop in HOPS:
        yield Result("probe", hop, "unknown", "", why)


def _ready_pod(snapshot: Snapshot) -> tuple[Resource, str]:
    source = snapshot.wanted.eventsource
    if source is None or snapshot.live(source) is None:
        raise Unreadable("there is no EventSource")
    for pod in snapshot.list("Pod", PIPELINE):
        if dig(pod, "metadata", "labels", "eventsource-name") == source.name and is_ready(pod):
            return source, str(pod["metadata"]["name"])
    raise Unreadable("no pod of the EventSource is ready")


def _token(api: Api, snapshot: Snapshot, spec: Body) -> str:
    """The token that the EventSource asks for. It goes into the header of one request, and nowhere else."""
    named = spec.get("authSecret") or {}
    raw = _secret(api, snapshot, str(named.get("name"))).get(str(named.get("key")), "")
    try:
        return check_token(raw.strip())
    except UsageError:
        raise Unreadable("the webhook's Secret holds no token that can be sent") from None


def _certificate(api: Api, snapshot: Snapshot, spec: Body) -> tuple[str, str]:
    """(name, CA) to expect; ("", "") where the EventSource serves plain HTTP."""
    named = spec.get("serverCertSecret")
    if not named:
        return "", ""
    with contextlib.suppress(Unreadable):
        return f"falco-eventsource.{PIPELINE}.svc", _secret(api, snapshot, str(named.get("name"))).get("ca.crt", "")
    return f"falco-eventsource.{PIPELINE}.svc", ""


def _secret(api: Api, snapshot: Snapshot, name: str) -> dict[str, str]:
    """The values of a Secret. Raises Unreadable, which repeats none of them."""
    reply = api.get(path_of(snapshot.served, "v1", "Secret", PIPELINE, name))
    if reply.status != OK:
        raise Unreadable(f"Secret {PIPELINE}/{name} can't be read: status {reply.status}")
    try:
        return {key: base64.b64decode(value).decode() for key, value in (dig(reply.body, "data") or {}).items()}
    except (ValueError, TypeError):
        raise Unreadable(f"Secret {PIPELINE}/{name} holds no text") from None
