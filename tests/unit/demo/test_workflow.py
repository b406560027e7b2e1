"""Tags and conditions, as the WorkflowTemplates use them."""

from __future__ import annotations

import pytest

from demo.workflow import Unresolved, fill, holds


@pytest.mark.parametrize(
    ("condition", "true"),
    [
        ("'approve' == 'approve'", True),
        ("enforce == approve", False),
        ("enforce != approve", True),
        ("'' == 'approve'", False),
        ('"a" == a', True),
        ("a == b || a == a", True),
        ("a == b || a != a", False),
        ("a == a && a == b || b == b", True),
        ("a == a && a == b", False),
        ("'partly-isolated' == 'partly-isolated'", True),
    ],
)
def test_conditions(condition: str, true: bool) -> None:
    assert holds(condition) is true


@pytest.mark.parametrize("condition", ["", "a", "a == ", " == b", "a = b", "a == b == c", "a == b || c", "a == b || "])
def test_a_condition_that_nobody_understands_is_an_error(condition: str) -> None:
    with pytest.raises(Unresolved):
        holds(condition)


def test_tags() -> None:
    assert fill("{{a.b}}-{{ a.b }}-{{c}}", {"a.b": "{{c}}", "c": "x"}) == "{{c}}-{{c}}-x"
    with pytest.raises(Unresolved, match=r"failed to resolve \{\{d\}\}"):
        fill("{{d}}", {})
