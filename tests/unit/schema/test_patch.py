"""What is mended in published definitions; upstream's moving on is noticed."""

from __future__ import annotations

from typing import Any

import pytest

from kre.schema import patch

PUBLISHED: dict[str, Any] = {
    "io.x.v1.Port": {
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "port": {"$ref": "#/definitions/io.x.IntOrString"},
            "verbs": {"type": "array", "items": {"type": "string"}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    }
}


def mended(**patches: Any) -> dict[str, Any]:
    found: dict[str, Any] = patch.apply(PUBLISHED, {"prefix": "io.x.", **patches})["io.x.v1.Port"]
    return found


def test_required_and_optional() -> None:
    assert mended(required={"v1.Port": ["port"]})["required"] == ["name", "port"]
    assert mended(optional={"v1.Port": ["name"]})["required"] == []
    assert PUBLISHED["io.x.v1.Port"]["required"] == ["name"]


@pytest.mark.parametrize("keyword", patch.KEYWORDS)
def test_a_keyword_stands_at_the_value(keyword: str) -> None:
    found = mended(**{keyword: {"v1.Port.port": 1, "v1.Port.verbs": 2, "v1.Port.labels": 3}})["properties"]
    assert found["port"] == {"$ref": "#/definitions/io.x.IntOrString", keyword: 1}
    assert found["verbs"]["items"] == {"type": "string", keyword: 2}
    assert found["labels"]["additionalProperties"] == {"type": "string", keyword: 3}


@pytest.mark.parametrize(
    "patches",
    [
        {"required": {"v1.Port": ["none"]}},
        {"optional": {"v1.Port": ["port"]}},
        {"enum": {"v1.Port.none": ["a"]}},
        {"enum": {"v1.None.port": ["a"]}},
    ],
)
def test_what_is_not_there_any_more(patches: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        mended(**patches)
