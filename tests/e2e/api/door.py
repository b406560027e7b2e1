"""A way to the API server on this machine, for one identity: what a responder's own token is to it in its pod."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from e2e.http import JSON, Http, Question
from e2e.who import account
from support.serving import listening, serving


@dataclass
class Door:
    """Plain HTTP on this machine. Whatever comes goes on under the name of `account`.

    `before` is called ahead of each request that would change something, but for those that make an Event: what is
    done in it happens between the responder's look at a pod and its act.
    """

    http: Http
    account: tuple[str, str] = ("", "")
    before: Callable[[], None] | None = None
    port: int = 0
    asked: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def passed(self, method: str, path: str, body: str, content: str) -> tuple[int, bytes]:
        """Sends a request on, and returns the answer."""
        if method != "GET" and not path.endswith("/events") and self.before:
            act, self.before = self.before, None
            act()
        headers = account(*self.account).headers()
        reply = self.http.send(Question(method, path, body or None, content, headers))
        self.asked.append((method, path, reply.status))
        return reply.status, reply.text.encode()


@contextlib.contextmanager
def door(http: Http) -> Iterator[Door]:
    """Opens one."""
    made = Door(http)
    with serving(listening(_handler(made))) as made.port:
        yield made


def _handler(made: Door) -> type[BaseHTTPRequestHandler]:
    def answer(self: BaseHTTPRequestHandler) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        content = self.headers.get("Content-Type") or JSON
        status, text = made.passed(self.command, self.path, body, content)
        self.send_response(status)
        self.send_header("Content-Type", JSON)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    methods = {f"do_{name}": answer for name in ("GET", "POST", "PUT", "PATCH", "DELETE")}
    return type("Handler", (BaseHTTPRequestHandler,), {**methods, "log_message": lambda *_: None})
