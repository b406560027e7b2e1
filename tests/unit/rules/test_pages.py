"""Every rule has a page that says why, with a bad and a good example, and the fix."""

from __future__ import annotations

import re

import pytest

from kre.load.source import parse
from kre.rules.registry import all_rules
from support.repository import PROJECT

HEADINGS = ["Why", "Bad", "Good", "Fix"]
WIDTH = 120
UNREADABLE = {"Y01", "Y02", "Y03", "Y04"}  # their bad example is no YAML that may be used
FENCE = re.compile(r"```yaml\n(?P<body># \S+\.yaml\b.*?)\n```", re.DOTALL)
RULES = {rule.id: rule for rule in all_rules()}
EXAMPLES = [
    (name, heading) for name in RULES for heading in ("Bad", "Good") if heading == "Good" or name not in UNREADABLE
]


def sections(name: str) -> dict[str, str]:
    """The text below each heading of a page."""
    parts = re.split(r"^## (.+)\n", RULES[name].page, flags=re.MULTILINE)
    assert parts[0] == "", "a page starts with its first heading"
    assert len(parts) == 1 + 2 * len(HEADINGS), parts[1::2]
    return {heading: text.strip() for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.mark.parametrize("name", RULES)
def test_headings(name: str) -> None:
    found = sections(name)
    assert list(found) == HEADINGS
    assert all(found.values()), "a section is empty"


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("heading", ["Bad", "Good"])
def test_an_example_is_one_fence_that_names_its_file(name: str, heading: str) -> None:
    assert FENCE.fullmatch(sections(name)[heading])


@pytest.mark.parametrize(("name", "heading"), EXAMPLES)
def test_an_example_is_yaml(name: str, heading: str) -> None:
    found = FENCE.fullmatch(sections(name)[heading])
    assert found
    assert parse(f"{name}.yaml", found["body"].encode()).documents


@pytest.mark.parametrize("name", RULES)
def test_prose_is_short(name: str) -> None:
    found = sections(name)
    assert 2 <= len(found["Why"].splitlines()) <= 5
    assert 1 <= len(found["Fix"].splitlines()) <= 3


@pytest.mark.parametrize("name", RULES)
def test_no_line_is_too_long(name: str) -> None:
    page = RULES[name].page
    assert [line for line in page.splitlines() if len(line) > WIDTH or line != line.rstrip()] == []
    assert page.endswith("\n")


def test_every_page_has_a_rule() -> None:
    folder = PROJECT / "tools/kre/rules/pages"
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{name}.md" for name in RULES)
