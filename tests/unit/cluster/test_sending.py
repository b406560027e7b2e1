"""Whether the alert can be sent: the token, the certificate, a pod; and what is said where it can't be."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from kre.cluster.sending import _certificate, _token, probe
from kre.cluster.wanted import PIPELINE, Wanted, webhook
from kre.errors import ToolError
from support.cluster import CANARY, WEBHOOK_TOKEN, Double, secret

TLS = {"serverCertSecret": {"name": "falco-eventsource-tls", "key": "tls.crt"}}


class NoForward:
    """A kubectl whose port-forward does not come up."""

    @contextlib.contextmanager
    def forward(self, *_: object) -> Iterator[int]:
        raise ToolError("kubectl port-forward did not come up: error: pod is gone")
        yield 0


def told(rendered: Wanted, double: Double) -> str:
    results = list(probe(double.snapshot(rendered), NoForward(), double, 1))  # type: ignore[arg-type]
    assert {item.status for item in results} == {"unknown"}
    assert len(results) == 5
    assert CANARY not in str(results)
    return results[0].found


def test_the_token_as_the_secret_has_it(rendered: Wanted, double: Double) -> None:
    assert rendered.eventsource is not None
    spec = webhook(rendered.eventsource)
    assert _token(double, double.snapshot(rendered), spec) == WEBHOOK_TOKEN  # type: ignore[arg-type]


def test_the_certificate(rendered: Wanted, double: Double) -> None:
    snapshot, name = double.snapshot(rendered), f"falco-eventsource.{PIPELINE}.svc"
    assert _certificate(double, snapshot, {}) == ("", "")  # type: ignore[arg-type]
    assert _certificate(double, snapshot, TLS) == (name, "")  # type: ignore[arg-type]
    double.objects.append(secret(PIPELINE, "falco-eventsource-tls", **{"ca.crt": "authority"}))
    assert _certificate(double, snapshot, TLS) == (name, "authority")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda one: None, "did not come up"),
        (lambda one: one.drop("EventSource", "falco", PIPELINE), "there is no EventSource"),
        (lambda one: one.drop("Pod", "falco-eventsource-0", PIPELINE), "no pod of the EventSource is ready"),
        (lambda one: one.drop("Secret", "falco-webhook-token", PIPELINE), "can't be read: status 404"),
        (lambda one: one.forbidden.add("/secrets/"), "can't be read: status 403"),
        (lambda one: changed(one, f"{CANARY}\nX-Other: y"), "no token that can be sent"),
        (lambda one: changed(one, None), "no token that can be sent"),
        (lambda one: changed(one, b"\xff"), "holds no text"),
    ],
    ids=["no forward", "no EventSource", "no pod", "no Secret", "no right", "a line break", "no key", "no text"],
)
def test_why_it_was_not_sent(rendered: Wanted, double: Double, change: Any, says: str) -> None:
    change(double)
    assert says in told(rendered, double)


def changed(double: Double, value: str | bytes | None) -> None:
    import base64

    found = double.find("Secret", "falco-webhook-token", PIPELINE)
    raw = value.encode() if isinstance(value, str) else value
    found["data"] = {} if raw is None else {"token": base64.b64encode(raw).decode()}
