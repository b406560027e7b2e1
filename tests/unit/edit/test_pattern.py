"""Names become a pattern and come back from it; the pattern matches them and nothing else, as RE2 does it."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from kre.edit.pattern import NEVER, names_of, pattern_of

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=30)
HARD = st.text(".+*?()|[]{}^$\\/ -_ab#&~'\"", min_size=1, max_size=12)


@given(st.lists(NAMES | HARD, max_size=8))
def test_round_trip(names: list[str]) -> None:
    assert names_of(pattern_of(names)) == names


@given(st.lists(NAMES | HARD, max_size=5), NAMES | HARD)
def test_it_matches_exactly_these(names: list[str], other: str) -> None:
    pattern = re2.compile(pattern_of(names))
    for name in names:
        assert pattern.search(name)
        for changed in (f"{name}x", f"x{name}", f"{name}\n", f"\n{name}", name[:-1], name.swapcase()):
            assert bool(pattern.search(changed)) == (changed in names)
    assert bool(pattern.search(other)) == (other in names)
    assert not pattern.search("")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        (NEVER, []),
        ("^(a|b c)$", ["a", "b c"]),
        ("^syscall$", ["syscall"]),
        (r"^(a\-b|c\ d)$", ["a-b", "c d"]),
        (r"^(Read \(x\)|/dev/shm|a\.b\+c)$", ["Read (x)", "/dev/shm", "a.b+c"]),
        ("", None),
        ("^", None),
        ("^()$", None),
        ("^(a|)$", None),
        ("^a|b$", None),
        ("(a|b)", None),
        ("^(a.*)$", None),
        ("^(a)(b)$", None),
        (r"^(\d)$", None),
        ("^(a\\)$", None),
        (r"^(a\|b)$", ["a|b"]),
    ],
)
def test_what_is_a_list_of_names(pattern: str, names: list[str] | None) -> None:
    assert names_of(pattern) == names
