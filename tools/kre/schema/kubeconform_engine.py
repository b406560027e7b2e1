"""kubeconform as the engine, by subprocess and with the same schemas.

Files, never standard input: that corrupts documents beyond some 2 MB. `-ignore-missing-schemas` is never used: it
would turn a broken schema into "skipped". The true pointers stand in `msg` (kubeconform 0.8.0).
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kre.doors import command, tools
from kre.errors import ToolError
from kre.model.resource import Pointer
from kre.schema import store, violation
from kre.schema.violation import Violation

LOCATION = f"{store.FOLDER}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json"
_PART = re.compile(r" ?- at '((?:[^'\\]|\\.)*)': ")
_ESCAPE = re.compile(r"\\(U[0-9a-fA-F]{8}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)")
_UNPRINTABLE = re.compile(r"[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def check_all(bodies: Sequence[Any]) -> list[list[Violation]]:
    """For each object what is wrong with it, in the same order. Every kind must have a stored schema.

    Raises ToolError where kubeconform is missing, fails, or does not answer for an object.
    """
    if not bodies:
        return []
    _, path = tools.require(tools.KUBECONFORM)
    with tempfile.TemporaryDirectory(prefix="kre-") as scratch:
        for index, body in enumerate(bodies):
            (Path(scratch) / f"{index}.json").write_text(_json(body), encoding="utf-8")
        argv = [
            path,
            "-output",
            "json",
            "-verbose",
            "-n",
            str(os.cpu_count() or 1),
            "-schema-location",
            LOCATION,
            scratch,
        ]
        done = command.run(argv)
    answers = _answers(done)
    missing = [index for index in range(len(bodies)) if index not in answers]
    if missing:
        raise ToolError(f"kubeconform did not answer for {len(missing)} of {len(bodies)} objects: {done.stderr[:200]}")
    return [list(_read(answers[index], body)) for index, body in enumerate(bodies)]


def _json(body: Any) -> str:  # noqa: ANN401 - JSON
    """JSON that is YAML too, for kubeconform reads all files as YAML, which knows no surrogate pairs."""
    text = json.dumps(store.instance(body), ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _answers(done: command.Completed) -> dict[int, dict[str, Any]]:
    try:
        resources = json.loads(done.stdout)["resources"]
        return {int(Path(entry["filename"]).stem): entry for entry in resources}
    except (ValueError, KeyError, TypeError):
        raise ToolError(f"kubeconform failed (exit {done.code}): {(done.stderr or done.stdout)[:300]}") from None


def _read(answer: dict[str, Any], body: Any) -> Iterator[Violation]:  # noqa: ANN401 - JSON
    if answer["status"] == "statusValid":
        return
    if answer["status"] == "statusError" and "error while parsing" in answer["msg"]:
        yield Violation(("metadata",), f"kubeconform can't read it: {answer['msg'].rpartition('JSON: ')[2][:120]}")
        return
    if answer["status"] != "statusInvalid":
        raise ToolError(f"kubeconform could not check {answer.get('kind')} {answer.get('name')}: {answer.get('msg')}")
    schema = store.schema_of(body["apiVersion"], body["kind"]) or {}
    parts = _PART.split(answer.get("msg", ""))[1:]
    found = (
        {
            item
            for at, message in zip(parts[::2], parts[1::2], strict=True)
            if message.strip() != "validation failed"  # a group: what is inside follows
            for item in _violations(_pointer(at, body), message.strip(), body, schema)
        }
        or {Violation((), answer.get("msg", "")[-200:])}
    )
    yield from sorted(found, key=lambda item: ([str(step) for step in item.pointer], item.message))


def _pointer(text: str, body: object) -> Pointer:
    """A JSON pointer as kubeconform quotes it (Go's escapes) -> steps, with numbers where the object has a list."""
    steps: list[str | int] = []
    for part in _ESCAPE.sub(_unescape, text).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        inside_list = isinstance(_at(body, steps), list)
        steps.append(int(key) if inside_list and key.isdigit() else key)
    return tuple(steps)


def _unescape(found: re.Match[str]) -> str:
    code = found.group(1)
    return chr(int(code[1:], 16)) if len(code) > 1 else _LETTERS.get(code, code)


def _at(value: Any, steps: Sequence[str | int]) -> Any:  # noqa: ANN401 - JSON
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _violations(pointer: Pointer, message: str, body: object, schema: dict[str, Any]) -> Iterator[Violation]:
    """kubeconform's words -> ours; what has no words of ours keeps its own."""
    value, described = _at(body, pointer), violation.locate(schema, pointer)
    if message.startswith("additional properties"):
        for key in value if isinstance(value, dict) else ():
            if key not in described.get("properties", {}):
                yield violation.unknown((*pointer, str(key)), schema)
    elif message.startswith("missing propert"):
        for key in described.get("required", ()):
            if isinstance(value, dict) and value.get(key) is None:
                yield violation.lacking(pointer, key)
    elif message.startswith("got "):
        yield violation.wrong_type(pointer, described.get("type"), value)
    elif message.startswith("value must be"):
        yield violation.not_allowed(pointer, described.get("enum", []), value)
    elif "does not match pattern" in message:
        yield violation.not_matching(pointer, str(described.get("pattern")), value)
    elif (limit := message.partition(":")[0]) in described:
        yield violation.beyond(pointer, limit, described[limit], value)
    else:
        yield Violation(pointer, message[:200])
