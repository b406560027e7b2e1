"""Single values change, every other byte stays."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kre.edit.splice import splice
from kre.errors import UsageError
from kre.load.scalars import Loader

POINTER = ("spec", "repository", "url")


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("spec: {repository: {url: a, x: b}}", "https://x/y.git", "spec: {repository: {url: https://x/y.git, x: b}}"),
        ("spec:\n  repository:\n    url: a # why\n", "b", "spec:\n  repository:\n    url: b # why\n"),
        ("spec:\n  repository:\n    url: 'a'", "it's", "spec:\n  repository:\n    url: 'it''s'"),
        ('spec:\n  repository:\n    url: "a"\r\n', "b", 'spec:\n  repository:\n    url: "b"\r\n'),
        (
            "spec:\n  repository:\n    url: a\n    url2: a\n",
            "1.10",
            'spec:\n  repository:\n    url: "1.10"\n    url2: a\n',
        ),
        ("spec:\n  repository:\n    url: a\n", "yes", 'spec:\n  repository:\n    url: "yes"\n'),
        ("spec:\n  repository:\n    url: a\n", "a: b", 'spec:\n  repository:\n    url: "a: b"\n'),
        ("spec:\n  repository:\n    url: a\n", "a #b", 'spec:\n  repository:\n    url: "a #b"\n'),
        ("\ufeffspec: {repository: {url: ä}}", "ü", '\ufeffspec: {repository: {url: "ü"}}'),
        ("spec:\n  repository:\n    url: ''\n", "a", "spec:\n  repository:\n    url: 'a'\n"),
        ("spec:\n  repository:\n    url: a\n", "a", "spec:\n  repository:\n    url: a\n"),
    ],
)
def test_exact(before: str, value: str, after: str) -> None:
    assert splice("x.yaml", before.encode(), {POINTER: value}) == after.encode()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("spec: {}", "x.yaml: there is no value at spec.repository.url"),
        ("spec: {repository: {url: [a]}}", "there is no value at"),
        ("spec:\n  repository:\n    url: |\n      a\n", "there is no value at"),
        ("", "there is no value at"),
        ("spec: [", "x.yaml:2:1: not valid YAML"),
        ("a: 1\na: 2", "x.yaml:2:1: key"),
    ],
)
def test_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        splice("x.yaml", text.encode(), {POINTER: "a"})
    assert says in str(caught.value)


def test_several_values_at_once() -> None:
    before = b"a: {x: 1, y: two, z: 'three'} # c\nb: four\n"
    after = splice("x.yaml", before, {("b",): "B", ("a", "x"): "long text", ("a", "z"): "Z", ("a", "y"): "Why"})
    assert after == b"a: {x: \"long text\", y: Why, z: 'Z'} # c\nb: B\n"


KEYS = st.text("abcdefgh", min_size=1, max_size=4)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)


@given(
    st.dictionaries(KEYS, st.dictionaries(KEYS, TEXTS, min_size=1), min_size=1),
    TEXTS,
    st.booleans(),
    st.sampled_from([None, "'", '"']),
    st.data(),
)
def test_the_value_is_read_back_and_nothing_else_changes(
    tree: dict[str, dict[str, str]], value: str, flow: bool, style: str | None, data: st.DataObject
) -> None:
    before = yaml.safe_dump(tree, default_flow_style=flow, default_style=style, allow_unicode=True, width=10_000)
    if yaml.load(before, Loader) != tree:  # a text that Kubernetes' tools read as something else
        return
    first = data.draw(st.sampled_from(sorted(tree)))
    second = data.draw(st.sampled_from(sorted(tree[first])))
    after = splice("x.yaml", before.encode(), {(first, second): value}).decode()
    expected = {**tree, first: {**tree[first], second: value}}
    assert yaml.load(after, Loader) == expected
    changed = [a for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b]
    assert len(changed) <= 1
