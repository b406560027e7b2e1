"""Answers, and the Status objects that the API server says no with (apimachinery, pkg/api/errors/errors.go)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: status code, body, further headers. `promised` is a Content-Length other than the body's own."""

    code: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None


class Refusal(Exception):
    """The API server says no: raised anywhere, answered as a Status."""

    def __init__(self, code: int, message: str, reason: str = "", **details: Any) -> None:  # noqa: ANN401 - JSON
        super().__init__(message)
        self.code = code
        self.status = status(code, message, reason, **details)


def status(code: int, message: str, reason: str = "", **details: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A Status of failure; without `reason` the one that goes with the code."""
    made: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason or REASONS.get(code, "Unknown"),
        "code": code,
    }
    return made | ({"details": details} if details else {})


def answer(code: int, content: Mapping[str, Any]) -> Answer:
    """An object as an answer. The real server ends it with a newline."""
    return Answer(code, json.dumps(content).encode() + b"\n")


def invalid(kind: str, name: str, place: str, message: str) -> Refusal:
    """422: the object that it would become breaks a rule."""
    cause = {"reason": "FieldValueInvalid", "message": message, "field": place}
    return Refusal(422, f'{kind} "{name}" is invalid: {place}: {message}', name=name, kind=kind, causes=[cause])
