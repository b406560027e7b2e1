"""`python -m kre.rbac.lines`: questions and answers as JSON, line by line (docs/rbac.md)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from kre.rbac.decode import Rejected, entries, mapping, text, texts
from kre.rbac.defaults import join
from kre.rbac.evaluate import Policy, policy
from kre.rbac.model import Binding, Question, Role, User
from kre.rbac.objects import parse

_FIELDS = ("verb", "group", "resource", "subresource", "name", "namespace", "path")
_TOO_DEEP = "nested too deeply"


def answers(lines: Iterable[str]) -> Iterator[str]:
    """One line of JSON for each: {"allowed": [...]}, or {"error": "..."} where it can't be answered."""
    for line in lines:
        yield json.dumps(_answer(line))


def _answer(line: str) -> dict[str, Any]:
    try:
        asked = mapping(json.loads(line, parse_constant=_no_number), "")
        known = _policy(asked)
        found = entries(asked.get("questions"), "questions")
        return {"allowed": [known.allows(*_question(entry, index)) for index, entry in enumerate(found)]}
    except RecursionError:
        return {"error": _TOO_DEEP}
    except ValueError as error:  # Rejected and JSONDecodeError are
        return {"error": str(error)}


def _no_number(value: str) -> None:
    raise Rejected("", f"{value} is no JSON")


def _policy(asked: Any) -> Policy:  # noqa: ANN401 - JSON
    with_defaults = asked.get("defaults")
    if with_defaults is not None and not isinstance(with_defaults, bool):
        raise Rejected("defaults", "must be true or false")
    known: dict[tuple[str, str, str], Role | Binding] = {}
    for index, body in enumerate(entries(asked.get("objects"), "objects")):
        try:
            item = parse(body)
        except Rejected as error:
            raise Rejected(f"objects[{index}]", str(error)) from error
        key = (item.kind, item.namespace, item.name)
        if key in known:
            raise Rejected(f"objects[{index}]", f"{item.kind} {item.name} is there already")
        known[key] = item
    return policy(join(known.values()) if with_defaults else known.values())


def _question(entry: Any, index: int) -> tuple[User, Question]:  # noqa: ANN401 - JSON
    where = f"questions[{index}]"
    user = User(text(entry.get("user"), f"{where}.user"), frozenset(texts(entry.get("groups"), f"{where}.groups")))
    return user, Question(*(text(entry.get(field), f"{where}.{field}") for field in _FIELDS))


def main() -> int:
    """Answers standard input until it ends. Bytes that are no UTF-8 make a line that can't be answered."""
    lines = (line.decode("utf-8", "surrogateescape") for line in sys.stdin.buffer)
    try:
        for answer in answers(lines):
            sys.stdout.write(f"{answer}\n")
            sys.stdout.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
