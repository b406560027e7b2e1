"""Mends published definitions by a patches-*.yaml before they are closed. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

KEYWORDS = ("enum", "pattern", "minimum", "maximum")


def apply(definitions: Mapping[str, Any], patches: Mapping[str, Any]) -> dict[str, Any]:
    """New definitions. Raises KeyError where a patch names what is not there: upstream has moved on."""
    mended, prefix = copy.deepcopy(dict(definitions)), patches["prefix"]
    for name, fields in patches.get("optional", {}).items():
        required = mended[prefix + name]["required"]
        for field in fields:
            if field not in required:
                raise KeyError(f"{name}.{field} is not required upstream any more")
            required.remove(field)
    for name, fields in patches.get("required", {}).items():
        known = mended[prefix + name]
        if missing := [field for field in fields if field not in known["properties"]]:
            raise KeyError(f"{name} has no {', '.join(missing)}")
        known["required"] = sorted({*known.get("required", ()), *fields})
    for keyword in KEYWORDS:
        for target, value in patches.get(keyword, {}).items():
            name, _, field = target.rpartition(".")
            _each(mended[prefix + name]["properties"][field])[keyword] = value
    for target, variant in patches.get("variants", {}).items():
        name, _, field = target.rpartition(".")
        other = copy.deepcopy(mended[prefix + variant["of"]])
        other["required"] = [entry for entry in other["required"] if entry not in variant["optional"]]
        mended[prefix + variant["as"]] = other
        mended[prefix + name]["properties"][field]["items"] = {"$ref": f"#/definitions/{prefix}{variant['as']}"}
    return mended


def _each(published: dict[str, Any]) -> dict[str, Any]:
    """What is said of a value: of each in a list, or in a map, where it is one."""
    inner: dict[str, Any] = published.get("items") or published.get("additionalProperties") or published
    return inner
