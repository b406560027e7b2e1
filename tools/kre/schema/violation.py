"""What an engine has against an object, in words of ours, the same whichever engine said it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from kre.model.resource import Pointer
from kre.schema.tighten import BASE64, QUANTITY, Schema

_FORMS = {
    QUANTITY: 'a quantity such as 2, "500m" or "64Mi"',
    BASE64: "base64",
    "^[0-9]+$": "a number in quotes",
    "^[0-9]+%$": 'a number, or a percentage such as "25%"',
    "^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$": "the number or the name of a port",
    "^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$": "a label's value",
}


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """`pointer` is where; the key of a field that is unknown, or `missing`, is its last step."""

    pointer: Pointer
    message: str
    hint: str = ""
    missing: bool = False


def unknown(pointer: Pointer, schema: Schema) -> Violation:
    """A field that the schema has no name for. `pointer` ends with it, `schema` is that of the whole object."""
    key = str(pointer[-1])
    known = sorted(locate(schema, pointer[:-1]).get("properties", {}))
    near = get_close_matches(key, known, 1)
    folded = [name for name in known if name.lower() == key.lower()]
    hint = f'did you mean "{(folded or near)[0]}"?' if folded or near else _some(known)
    return Violation(pointer, f'unknown field "{key}"', hint)


def lacking(pointer: Pointer, key: str) -> Violation:
    """A field that must be there and is not."""
    return Violation((*pointer, key), f'required field "{key}" is missing', missing=True)


def kind_of(value: object) -> str:
    """The JSON type of a value, as people call it."""
    if value is None:
        return "null"
    for types, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array")):
        if isinstance(value, types):
            return name
    return "object"


def wrong_type(pointer: Pointer, wanted: object, value: object) -> Violation:
    """A value of another type than the schema asks for."""
    types = " or ".join(wanted) if isinstance(wanted, list) else str(wanted)
    hint = "quote it" if types == "string" and isinstance(value, bool | int | float) else ""
    return Violation(pointer, f"must be {types}, is {kind_of(value)}{_shown(value)}", hint)


def not_allowed(pointer: Pointer, allowed: list[Any], value: object) -> Violation:
    """A value that is none of a fixed list."""
    shown = ", ".join(str(entry) for entry in allowed if entry != "")
    names = [str(entry) for entry in allowed if entry != ""]
    near = [name for name in names if name.lower() == str(value).lower()] or get_close_matches(str(value), names, 1)
    hint = f'did you mean "{near[0]}"?' if near else ""
    return Violation(pointer, f"must be one of {shown}; is{_shown(value)}", hint)


def not_matching(pointer: Pointer, pattern: str, value: object) -> Violation:
    """A text that does not have the form that is asked for."""
    form = _FORMS.get(pattern, f"of the form {pattern}")
    return Violation(pointer, f"must be {form}; is{_shown(value)}")


def beyond(pointer: Pointer, keyword: str, limit: object, value: object) -> Violation:
    """A number, text or list outside of a limit; `keyword` is JSON Schema's, such as maximum or minItems."""
    return Violation(
        pointer, f"{_shown(value).strip() or f'this {kind_of(value)}'} breaks a limit: {keyword} is {limit}"
    )


def locate(schema: Schema, pointer: Pointer) -> Schema:
    """The subschema that applies at `pointer`, {} where nothing is said."""
    here: Mapping[str, Any] = _resolved(schema, schema)
    for step in pointer:
        if isinstance(step, int):
            inner = here.get("items")
        else:
            inner = here.get("properties", {}).get(step, here.get("additionalProperties"))
        here = _resolved(inner, schema) if isinstance(inner, Mapping) else {}
    return dict(here)


def _resolved(inner: Mapping[str, Any], schema: Schema) -> Mapping[str, Any]:
    while isinstance(inner.get("$ref"), str):
        inner = schema["$defs"][inner["$ref"].rpartition("/")[2]]
    return inner


def _shown(value: object) -> str:
    if isinstance(value, dict | list) or value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f' "{text[:60]}"' if isinstance(value, str) else f" {text[:60]}"


def _some(known: list[str]) -> str:
    return f"known here: {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}" if known else ""  # noqa: PLR2004
