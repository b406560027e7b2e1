"""Text of strangers in Markdown, and bodies that end in time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kre.report.markdown import LIMIT, capped, cell, code, details, fence, table

NASTY = [
    "`", "``", "```", "a`b", "@team", "#1", "<script>", "</details>", "</summary>", "[x](http://e.example)", "|", "a|b",
    "\n## heading", "\r\n- [x] done", "\u202eevil", "\x1b[31m", "", " ", "````diff", "<!-- -->", "![](http://e.example/p)",
]  # fmt: skip


def spans(line: str) -> list[str]:
    """What CommonMark takes as inline code in a line that holds nothing else, and what is left of the line."""
    found = re.fullmatch(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", line)
    return [found[2]] if found else []


@pytest.mark.parametrize("text", NASTY)
def test_code_is_one_span(text: str) -> None:
    made = code(text)
    assert "\n" not in made
    assert len(spans(made)) == 1, made


@given(st.text())
def test_code_is_one_span_whatever_is_in_it(text: str) -> None:
    made = code(text)
    assert made.isprintable()
    ticks = re.match("`+", made)[0]
    inner = made[len(ticks) : -len(ticks)]
    assert made.endswith(ticks)
    assert ticks not in re.findall("`+", inner)


@given(st.lists(st.text(), max_size=5))
def test_nothing_ends_a_fence(lines: list[str]) -> None:
    made = fence(lines, "diff")
    ticks = made[0].removesuffix("diff")
    assert set(ticks) == {"`"}
    assert made[-1] == ticks
    for line in made[1:-1]:
        assert "\n" not in line
        assert not re.match(rf" {{0,3}}{ticks}", line)


def test_a_cell_stays_one() -> None:
    (_, _, row) = table(("a",), [(cell("x|y`z|"),)])
    assert len(re.split(r"(?<!\\)\|", row)) == 3


@pytest.mark.parametrize("text", NASTY)
def test_a_summary_is_text(text: str) -> None:
    summary = details(text, ["x"])[1]
    assert re.fullmatch(r"<summary><code>[^<]*</code></summary>", summary)


def closed(text: str) -> bool:
    """Whether every fence and every block of details that is opened is closed again, as a forge reads them."""
    fenced, depth = "", 0
    for line in text.split("\n"):
        run = re.match(r"`{3,}", line)
        if fenced:
            fenced = "" if run and len(run[0]) >= len(fenced) and not line.strip("`") else fenced
        elif run:
            fenced = run[0]
        elif line == "<details>":
            depth += 1
        elif line == "</details>":
            depth -= 1
            assert depth >= 0
    return not fenced and depth == 0


def long(parts: int) -> list[str]:
    lines = ["# head"]
    for number in range(parts):
        inner = fence(f"+ {'x' * (number % 90)} ```` </details>" for _ in range(7))
        lines += details(f"object {number}", [*inner, *details("inner", fence(["y", "<details>"]))])
    return lines


@pytest.mark.parametrize("limit", [*range(300, 420), 1_000, LIMIT])
def test_capped(limit: int) -> None:
    lines = long(2_000 if limit == LIMIT else 20)
    made = capped(lines, "the rest is elsewhere", limit)
    assert len(made) <= limit
    assert closed(made)
    assert made.endswith("the rest is elsewhere\n")
    kept = made.split("\n")
    shared = next(number for number, (one, other) in enumerate(zip(kept, lines, strict=False)) if one != other)
    assert shared > 1  # at line borders: what is kept is the beginning
    assert len(made) + 200 > limit  # and no line less than fits


def test_the_limit_is_exact() -> None:
    line = "x" * 99
    assert len(capped([line] * 655 + ["y" * 35], "z")) == LIMIT
    assert "z" not in capped([line] * 655 + ["y" * 35], "z")
    cut = capped([line] * 655 + ["y" * 36], "z")
    assert cut.endswith("\nz\n")
    assert len(cut) <= LIMIT


def test_a_line_that_is_too_long_is_left_out() -> None:
    assert capped(["x" * 100], "see there", 50) == "see there\n"
    assert capped(["a", "x" * 100, "b"], "see there", 50) == "a\n\nsee there\n"
