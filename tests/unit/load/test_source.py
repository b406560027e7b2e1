"""YAML that is not what it seems is refused, in one finding with its line; whatever comes in, nothing else happens."""

from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kre.load.scalars import Loader
from kre.load.source import Unreadable, parse
from kre.model.source import find

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("raw", "rule", "line", "says"),
    [
        (b"\xff\xfe\x00a", "Y01", 1, "not UTF-8"),
        (b"a: 1\nb: caf\xe9", "Y01", 2, "not UTF-8"),
        (b"a: [1", "Y02", 1, "not valid YAML"),
        (b"\ta: 1", "Y02", 1, "cannot start any token"),
        (b"a: 1\nb: c: d", "Y02", 2, "mapping values"),
        (b"a: !Ref x", "Y02", 1, "tag '!Ref'"),
        (b"a: !!python/object/apply:os.system [id]", "Y02", 1, "could not determine a constructor"),
        (b"? [a]\n: b", "Y02", 1, "a key must be a plain value"),
        (b"a: *nowhere", "Y02", 1, "undefined alias"),
        (b"a: \x00", "Y02", 1, "control characters"),
        (b"a: 1\nb: 2\na: 3", "Y03", 3, 'key "a" is already there, in line 1'),
        (b"x:\n  - {k: 1, k: 2}", "Y03", 2, 'key "k" is already there'),
        (b"[" * 200_000, "Y04", 1, "nested more than 100 levels deep"),
        (b"- " * 5_000, "Y04", 1, "nested more than 100 levels deep"),
        (BOMB.encode(), "Y04", 6, "aliases add over 100000 nodes"),
        (b"a: &a [*a]", "Y04", 1, "inside its own anchor"),
    ],
)
def test_refused(raw: bytes, rule: str, line: int, says: str) -> None:
    started = time.monotonic()
    with pytest.raises(Unreadable) as caught:
        parse("x.yaml", raw)
    finding = caught.value.finding
    assert (finding.rule, finding.place.line) == (rule, line)
    assert says in finding.message
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("raw", [b"", b"\n", b"# only a comment\n", b"---\n---\n", b"~", b"\xef\xbb\xbf"])
def test_empty(raw: bytes) -> None:
    assert parse("x.yaml", raw).documents == ()


def test_documents_and_places() -> None:
    source = parse("x.yaml", b"\xef\xbb\xbfa: 1\n---\nb:\n- c: 2\n  d: 3\n")
    assert [document.value for document in source.documents] == [{"a": 1}, {"b": [{"c": 2, "d": 3}]}]
    assert str(source.at(("b", 0, "d"), 1)) == "x.yaml:5:3"
    assert str(source.at(("b", 0, "nothing"), 1)) == "x.yaml:4:3"
    assert str(source.at(("a",), 7)) == "x.yaml:1:1"


def test_anchors_in_moderation() -> None:
    assert parse("x.yaml", b"a: &a [1, 2]\nb: *a\n").documents[0].value == {"a": [1, 2], "b": [1, 2]}


@given(st.binary(max_size=400))
@settings(max_examples=300)
def test_any_bytes_are_a_source_or_a_finding(raw: bytes) -> None:
    try:
        parse("x.yaml", raw)
    except Unreadable as unreadable:
        assert unreadable.finding.rule in ("Y01", "Y02", "Y03", "Y04")
        assert unreadable.finding.place.line >= 1


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdefg", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN.filter(lambda value: value is not None))
def test_every_value_is_found_at_its_pointer(value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    if yaml.load(text, Loader) != value:  # a text that only Kubernetes' tools read as something else, such as y
        return
    document = parse("x.yaml", text.encode()).documents[0]
    assert document.value == value

    def check(here: object, pointer: tuple[str | int, ...]) -> None:
        assert find(document.node, pointer)[1] == len(pointer)
        for step, inner in (
            here.items() if isinstance(here, dict) else enumerate(here) if isinstance(here, list) else ()
        ):
            check(inner, (*pointer, step))

    check(value, ())
