"""What a Workflow asks of the responder: each value of its form, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.engine import ENVIRON, code

request, names = code().request, code().names
KEYS = [key for key in ENVIRON if key not in ("KRE_STATUS", "KRE_ANNOTATIONS")]


def test_a_request() -> None:
    expected = {key.removeprefix("KRE_").lower(): ENVIRON[key] for key in KEYS} | {"by": ""}
    assert request.parse(ENVIRON) == expected
    assert request.facts(ENVIRON) == expected


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", [None, "", " ", "\n", "..", "../x", "a/b", "a b", "{{x}}", "$(X)", "A_", "é", "x\n"])
def test_what_is_of_no_form(key: str, value: str | None) -> None:
    environ = {name: text for name, text in {**ENVIRON, key: value}.items() if text is not None}
    word = key.removeprefix("KRE_").lower()
    with pytest.raises(names.Refused, match=f"^{word} is not of the form that it must have$"):
        request.parse(environ)
    assert request.facts(environ)[word] == (value or ""), "the record repeats it"


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("tail", ["\n", " ", "\0", "\r", "\u2028", "{{=1}}", ";"])
def test_the_whole_value_counts(key: str, tail: str) -> None:
    for value in (ENVIRON[key] + tail, tail + ENVIRON[key]):
        with pytest.raises(names.Refused):
            request.parse({**ENVIRON, key: value})


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("NAMESPACE", ["a", "a-b", "0", "a" * 63], ["-a", "a-", "A", "a.b", "a_b", "a" * 64]),
        ("POD", ["a", "a.b", "a-1.b-2", "a" * 253], [".a", "a.", "a..b", "-a", "a-.b", "a.-b", "A", "a" * 254]),
        ("UUID", [ENVIRON["KRE_UID"]], [ENVIRON["KRE_UID"].upper(), ENVIRON["KRE_UID"].replace("-", ""), "0" * 36]),
        ("SECONDS", ["0", "1785000000", "9" * 12], ["9" * 13, "-1", "1.5", "\u0661", "1e3"]),
        ("CONTAINER", ["0123456789abcdef" * 4], ["0" * 63, "0" * 65, "A" * 64, "g" * 64]),
        (
            "USER",
            ["dana@example.org", "system:serviceaccount:a:b", "a" * 253],
            ["", "a b", "a\n", "ä", "a" * 254, "{{x}}"],
        ),
    ],
)
def test_forms(form: str, good: list[str], bad: list[str]) -> None:
    pattern = getattr(names, form)
    assert [text for text in good if not pattern.fullmatch(text)] == []
    assert [text for text in bad if pattern.fullmatch(text)] == []


@pytest.mark.parametrize(
    ("mode", "notes", "by"),
    [
        ("approve", {"kre/approved-by": "dana"}, "dana"),
        ("approve", {"kre/requested-by": "ola"}, ""),
        ("approve", {"kre/approved-by": "dana", "kre/requested-by": "ola"}, "dana"),
        ("approve", {"kre/approved-by": "", "kre/requested-by": "ola"}, ""),
        ("enforce", {"kre/approved-by": "dana"}, ""),
        ("enforce", {"kre/requested-by": "ola"}, "ola"),
        ("approve", {"approved-by": "dana", "kre/approvedby": "dana"}, ""),
        ("approve", {"kre/approved-by": "dana\n"}, ""),
        ("approve", {"kre/approved-by": "{{workflow.name}}"}, ""),
        ("approve", {"kre/approved-by": ["dana"]}, ""),
        ("approve", {"kre/approved-by": None}, ""),
        ("approve", {"kre/approved-by": "d" * 254}, ""),
    ],
)
def test_on_whose_word(mode: str, notes: Any, by: str) -> None:
    environ = {**ENVIRON, "KRE_MODE": mode, "KRE_ANNOTATIONS": json.dumps(notes)}
    assert request.parse(environ)["by"] == by


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "7", '"x"', "{", "{{workflow.annotations.json}}", "[" * 100_000, None]
)
def test_annotations_that_are_none_are_nobodys_word(text: str | None) -> None:
    environ = {key: value for key, value in ENVIRON.items() if key != "KRE_ANNOTATIONS"}
    environ |= {"KRE_MODE": "approve"} | ({} if text is None else {"KRE_ANNOTATIONS": text})
    assert request.parse(environ)["by"] == ""
