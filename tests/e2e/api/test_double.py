"""The table of requests and answers that the API server double is held to, against a real API server.

Whoever KUBECONFIG names asks: an administrator, who may impersonate.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import pytest

from e2e.http import Http
from support.conversation import Send, conversations, play, setup

pytestmark = [pytest.mark.e2e, pytest.mark.api]

TALKS = {talk["title"]: talk["steps"] for talk in conversations()}


def asks(http: Http) -> Send:
    def send(method: str, path: str, body: str, headers: Mapping[str, str]) -> tuple[int, str]:
        kept = dict(headers)
        reply = http.ask(method, path, body or None, kept.pop("Content-Type"), kept.items())
        return reply.status, reply.text

    return send


@pytest.mark.usefixtures("rest")
@pytest.mark.parametrize("title", TALKS)
def test_a_real_server_answers_as_the_table_says(http: Http, title: str) -> None:
    # Never a name again: without controllers a namespace that is deleted stays, and takes nothing new.
    namespace = f"kre-talk-{list(TALKS).index(title)}-{secrets.token_hex(3)}"
    try:
        play(asks(http), setup(namespace), namespace)
        play(asks(http), TALKS[title], namespace)
    finally:
        http.ask("DELETE", f"/api/v1/namespaces/{namespace}")
