"""Makes a schema small: equal parts are written once. Pure."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from kre.schema.tighten import Schema

WORTH = 120  # characters; a shorter part costs no more than the reference to it


def compact(schema: Schema) -> Schema:
    """The same schema with parts that occur more than once moved to `$defs`, named d0, d1, ... in order of use.

    The result depends on the content alone, not on the order of keys.
    """
    counts: Counter[str] = Counter()
    _count(schema, counts)
    names: dict[str, str] = {}
    definitions: Schema = {}

    def place(value: Any, *, here: bool) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, list):
            return [place(inner, here=False) for inner in value]
        if not isinstance(value, dict):
            return value
        text = _text(value)
        if here or counts[text] < 2 or len(text) < WORTH or not _is_schema(value):  # noqa: PLR2004 - twice is twice
            return {key: place(inner, here=False) for key, inner in sorted(value.items())}
        if text not in names:
            names[text] = f"d{len(names)}"
            definitions[names[text]] = place(value, here=True)
        return {"$ref": f"#/$defs/{names[text]}"}

    small: Schema = place({key: value for key, value in schema.items() if key != "$defs"}, here=True)
    if definitions or "$defs" in schema:
        kept = {name: place(value, here=True) for name, value in sorted(schema.get("$defs", {}).items())}
        small["$defs"] = {**kept, **definitions}
    return small


def text(schema: Schema) -> str:
    """The schema as it is stored: one line of JSON with sorted keys, and a newline."""
    return _text(schema) + "\n"


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _is_schema(value: dict[str, Any]) -> bool:
    """Whether a dict is a schema rather than a map of names to schemas, which can't be a reference."""
    return bool({"type", "$ref", "anyOf", "oneOf", "allOf"} & value.keys()) and not isinstance(value.get("type"), dict)


def _count(value: object, counts: Counter[str]) -> None:
    if isinstance(value, dict):
        key = _text(value)
        counts[key] += 1
        if counts[key] == 1:  # what is inside an equal part is counted with it
            for inner in value.values():
                _count(inner, counts)
    elif isinstance(value, list):
        for inner in value:
            _count(inner, counts)
