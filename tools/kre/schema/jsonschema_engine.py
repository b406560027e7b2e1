"""The engine that is always there: the jsonschema library, in process."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from kre.schema import store, violation
from kre.schema.tighten import Schema
from kre.schema.violation import Violation


def check(body: Any, api_version: str, kind: str) -> list[Violation]:  # noqa: ANN401 - JSON
    """What is wrong with an object whose kind has a stored schema; sorted, empty if nothing."""
    schema = store.schema_of(api_version, kind)
    if schema is None:
        raise KeyError(f"{api_version} {kind}")
    return _check(store.instance(body), schema, _validator(api_version, kind))


def check_against(value: Any, schema: Schema) -> list[Violation]:  # noqa: ANN401 - JSON
    """What is wrong with any value by any schema."""
    return _check(value, schema, Draft202012Validator(schema))


@cache
def _validator(api_version: str, kind: str) -> Draft202012Validator:
    return Draft202012Validator(store.schema_of(api_version, kind) or False)


def _check(value: Any, schema: Schema, validator: Draft202012Validator) -> list[Violation]:  # noqa: ANN401 - JSON
    found = {item for error in validator.iter_errors(value) for item in _violations(error, schema)}
    return sorted(found, key=lambda item: ([str(step) for step in item.pointer], item.message))


def _violations(error: ValidationError, schema: Schema) -> Iterator[Violation]:
    pointer = tuple(error.absolute_path)
    wanted: Any = error.validator_value
    value: Any = error.instance
    match error.validator:
        case "additionalProperties":
            known = violation.locate(schema, pointer).get("properties", {})
            for key in value:
                if key not in known:
                    yield violation.unknown((*pointer, str(key)), schema)
        case "required":
            for key in wanted:
                if key not in value:
                    yield violation.lacking(pointer, key)
        case "type":
            yield violation.wrong_type(pointer, wanted, value)
        case "enum":
            yield violation.not_allowed(pointer, wanted, value)
        case "pattern":
            yield violation.not_matching(pointer, wanted, value)
        case str(limit) if isinstance(wanted, int | float | str):
            yield violation.beyond(pointer, limit, wanted, value)
        case _:
            yield Violation(pointer, error.message[:200])
