"""The post to the webhook: over HTTPS to the one that is meant, and no token in what is said of a failure."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from kre.doors.webhook import Webhook, post
from support.cluster import CANARY
from support.https import certificate, site


def test_https_with_its_authority_and_without(tmp_path: Path) -> None:
    pair = certificate(tmp_path)
    with site(pair) as made:
        made.pages = {"/falco": (200, {})}
        port = int(made.url("").rpartition(":")[2].strip("/"))
        authority = pair[0].read_text()
        assert post(Webhook(port, "/falco", "localhost", authority), b"{}", CANARY, 5) == (200, "")
        assert post(Webhook(port, "/falco", "localhost"), b"{}", CANARY, 5) == (200, "")
        status, why = post(Webhook(port, "/falco", "other.example.org", authority), b"{}", CANARY, 5)
        assert status == 0
        assert "certificate" in why
        _, _, headers, body = made.asked[0]
        assert (headers["Authorization"], headers["User-Agent"], body) == (f"Bearer {CANARY}", "Falcosidekick", b"{}")


@pytest.mark.parametrize(
    "token", [CANARY, f"{CANARY}\nx", f"{CANARY}\u2026"], ids=["plain", "line break", "not Latin 1"]
)
def test_a_failure_does_not_tell_the_token(token: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    status, why = post(Webhook(port, "/falco"), b"{}", token, 2)
    assert status == 0
    assert why
    assert CANARY not in why
