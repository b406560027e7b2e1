"""The forms of identifiers: the whole of each, and nothing beyond."""

from __future__ import annotations

import pytest

from support.engine import code

names = code().names
HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        (names.CONTAINER, [HEX], [HEX[:-1], f"{HEX}0", HEX.upper(), "", f"{HEX}\n", "g" * 64]),
        (names.SECONDS, ["0", "1" * 12], ["", "1" * 13, "-1", "1.5", "1\n", "x"]),
        (
            names.ACTION,
            ["delete", "isolate", "release", "label", "notify"],
            ["", "deletes", "exec", "delete\n", "Delete"],
        ),
        (names.STEP, ["act", "record"], ["", "acts", "act\n", "ACT"]),
        (names.MODE, ["observe", "approve", "enforce"], ["", "enforced", "observe\n", "off"]),
        (names.USER, ["a", "oidc:/x/Y-0_.+=@z", "u" * 253], ["", "u" * 254, "a b", "a\n", "{{workflow.name}}"]),
        (names.NAMESPACE, ["a", "a-b", "a" * 63], ["", "-a", "a-", "A", "a.b", "a" * 64, "a\n"]),
        (names.POD, ["a", "a.b", "a-b.c-d", "a" * 253], ["", "a..b", ".a", "a.", "-a", "a_b", "a" * 254, "a\n"]),
        (
            names.UUID,
            ["0e5d1a5c-4c5b-4d7e-9d6c-2f4e0a7b9c11"],
            ["", "0e5d1a5c", "0E5D1A5C-4C5B-4D7E-9D6C-2F4E0A7B9C11"],
        ),
    ],
    ids=["container", "seconds", "action", "step", "mode", "user", "namespace", "pod", "uuid"],
)
def test_forms(form: object, good: list[str], bad: list[str]) -> None:
    for text in good:
        assert names.check({"x": text}, {"x": form})
    for text in bad:
        with pytest.raises(names.Refused, match="x is not of the form"):
            names.check({"x": text}, {"x": form})


@pytest.mark.parametrize(
    ("rule", "slug"),
    [
        ("Terminal shell in container", "terminal-shell-in-container"),
        (
            "Redirect STDOUT/STDIN to Network Connection in Container",
            "redirect-stdout-stdin-to-network-connection-in-container",
        ),
        ("  a  ", "a"),
        ("", "unknown"),
        ("{{}}", "unknown"),
        ("x" * 62 + " y", "x" * 62),
        ("\u00e9t\u00e9", "t"),
    ],
)
def test_slug(rule: str, slug: str) -> None:
    assert names.slug(rule) == slug
    assert names.NAMESPACE.fullmatch(slug)
