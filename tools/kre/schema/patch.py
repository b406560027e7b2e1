"""Mends published definitions by patches.yaml before they are closed. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

PREFIX = "io.argoproj.events.v1alpha1."


def apply(definitions: Mapping[str, Any], patches: Mapping[str, Any]) -> dict[str, Any]:
    """New definitions. Raises KeyError where a patch names what is not there: upstream has moved on."""
    mended = copy.deepcopy(dict(definitions))
    for name, fields in patches["optional"].items():
        required = mended[PREFIX + name]["required"]
        for field in fields:
            if field not in required:
                raise KeyError(f"{name}.{field} is not required upstream any more")
            required.remove(field)
    for name, fields in patches["required"].items():
        known = mended[PREFIX + name]
        if missing := [field for field in fields if field not in known["properties"]]:
            raise KeyError(f"{name} has no {', '.join(missing)}")
        known["required"] = sorted({*known.get("required", ()), *fields})
    for keyword in ("enum", "pattern"):
        for target, value in patches[keyword].items():
            name, _, field = target.partition(".")
            mended[PREFIX + name]["properties"][field][keyword] = value
    for target, variant in patches["variants"].items():
        name, _, field = target.partition(".")
        other = copy.deepcopy(mended[PREFIX + variant["of"]])
        other["required"] = [entry for entry in other["required"] if entry not in variant["optional"]]
        mended[PREFIX + variant["as"]] = other
        mended[PREFIX + name]["properties"][field]["items"] = {"$ref": f"#/definitions/{PREFIX}{variant['as']}"}
    return mended
