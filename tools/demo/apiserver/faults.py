"""What may go wrong with one request: before it took effect, or after ("the server did it, the answer was lost")."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from demo.apiserver.status import Answer, status

# What a mangled answer is made from where the request was not carried out.
_PLACEHOLDER = Answer(200, b'{"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}\n')


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to one request.

    `change` makes the answer out of the right one (of a placeholder, where a write was not carried out); None breaks
    the connection. It is sent `wait` seconds late. `after`: the request is carried out first.
    """

    change: Callable[[Answer], Answer | None]
    after: bool = False
    wait: float = 0.0

    def apply(self, answer: Answer | None) -> Answer | None:
        """The answer to send, None for a broken connection."""
        return self.change(answer or _PLACEHOLDER)


def given(code: int, headers: Mapping[str, str], body: bytes, *, after: bool = False) -> Fault:
    """Exactly this answer; code 0 breaks the connection."""
    return Fault(lambda _: Answer(code, body, headers) if code else None, after)


def trouble(code: int, retry_after: int | None = None, *, after: bool = False) -> Fault:
    """A Status of trouble: 409, 429, 500, 503, ..., with Retry-After in seconds where one is given."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return given(code, headers, json.dumps(status(code, "made up by the test")).encode(), after=after)


def reset(*, after: bool = False) -> Fault:
    """The connection is reset, without an answer."""
    return Fault(lambda _: None, after)


def hang(seconds: float, *, after: bool = False) -> Fault:
    """No answer for so long, then the connection is reset: a client that waits less meets its own timeout."""
    return Fault(lambda _: None, after, seconds)


def slow(seconds: float) -> Fault:
    """The right answer, late."""
    return Fault(lambda answer: answer, after=True, wait=seconds)


def truncated(*, after: bool = False) -> Fault:
    """The first half of the JSON, as if that were all."""
    return Fault(lambda answer: Answer(answer.code, answer.body[: len(answer.body) // 2]), after)


def short(*, after: bool = False) -> Fault:
    """The first half of the JSON, then the connection ends, though Content-Length promised all."""

    def change(answer: Answer) -> Answer:
        return Answer(answer.code, answer.body[: len(answer.body) // 2], promised=len(answer.body))

    return Fault(change, after)


def mangled(body: bytes = b"<html>502 Bad Gateway</html>", *, after: bool = False) -> Fault:
    """The right status code with another body: not JSON, not an object, empty."""
    return Fault(lambda answer: Answer(answer.code, body), after)
