"""Scalars are read as Kubernetes' tools read them (go.yaml.in/yaml/v2, resolve.go)."""

from __future__ import annotations

import math

import pytest
import yaml

from kre.load.scalars import Loader


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(word, True) for word in ("true", "True", "TRUE", "yes", "Yes", "on", "ON", "y", "Y")],
        *[(word, False) for word in ("false", "False", "FALSE", "no", "No", "off", "OFF", "n", "N")],
        *[(word, None) for word in ("", "~", "null", "Null", "NULL")],
        ("tRUE", "tRUE"),
        ("nULL", "nULL"),
        ("0", 0),
        ("-0", 0),
        ("+3", 3),
        ("-17", -17),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0b101", 5),
        ("0o17", 15),
        ("017", 15),
        ("08", 8.0),
        ("1.10", 1.1),
        ("1e3", 1000.0),
        (".5", 0.5),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("1.2.3", "1.2.3"),
        ("2026-11-23", "2026-11-23"),
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"),
        ("12:30:45", "12:30:45"),
        ("0x", "0x"),
        ("1__", 1),
        ("=", "="),
        ("12345678901234567890", 12345678901234567890),
        ("+12345678901234567890", 12345678901234567890.0),
        ("123456789012345678901", 123456789012345678901.0),
        ("0x10000000000000000", "0x10000000000000000"),
        ("0O", "0O"),
        ("0b_", "0b_"),
        ("-_1", -1),
        ("1_.5", 1.5),
        ("._5", "._5"),
        ("_1", "_1"),
        ("4e801", "4e801"),  # an abbreviated commit, it may be
        ("1e-400", 0.0),
    ],
)
def test_plain(text: str, value: object) -> None:
    found = yaml.load(f"a: {text}", Loader)["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["yes", "1", "null", "~", "1.5", "on"])
def test_quoted_is_text(text: str) -> None:
    assert yaml.load(f'a: "{text}"', Loader)["a"] == text
    assert yaml.load(f"a: '{text}'", Loader)["a"] == text


def test_nan() -> None:
    assert math.isnan(yaml.load("a: .nan", Loader)["a"])


def test_merge() -> None:
    assert yaml.load("a: &a {k: 1, l: 2}\nb: {<<: *a, l: 3}", Loader)["b"] == {"k": 1, "l": 3}
