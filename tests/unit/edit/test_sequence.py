"""Items come into lists and leave them; every other byte stays."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from kre.edit.sequence import insert, items, remove
from kre.errors import UsageError
from kre.load.scalars import Loader

LIST = ("spec", "list")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("spec:\n  list:\n  - a\n", "spec:\n  list:\n  - a\n  - new\n"),
        ("spec:\n  list:\n    - a # why\n  x: 1\n", "spec:\n  list:\n    - a # why\n    - new\n  x: 1\n"),
        ("spec:\n  list:\n  - a\n  # of x\n  x: 1\n", "spec:\n  list:\n  - a\n  - new\n  # of x\n  x: 1\n"),
        ("spec:\n  list:\n  - a", "spec:\n  list:\n  - a\n  - new"),
        ("spec:\r\n  list:\r\n  - a\r\n", "spec:\r\n  list:\r\n  - a\r\n  - new\r\n"),
        ("spec:\r\n  list:\r\n  - a", "spec:\r\n  list:\r\n  - a\r\n  - new"),
        ("spec:\n  list: [] # none\n  x: 1\n", "spec:\n  list: # none\n  - new\n  x: 1\n"),
        ("spec:\n  list: []", "spec:\n  list:\n  - new"),
        ("spec:\n  list:\n  x: 1\n", "spec:\n  list:\n  - new\n  x: 1\n"),
        ("spec:\n  list: [a, b]\n", "spec:\n  list: [a, b, new]\n"),
        ("spec:\n  list: [\n    a, # why\n  ]\n", "spec:\n  list: [\n    a, new, # why\n  ]\n"),
        ("spec: {list: []}\n", "spec: {list: [new]}\n"),
        ("\ufeffspec:\n  list:\n  - ä\n", "\ufeffspec:\n  list:\n  - ä\n  - new\n"),
        (
            "spec:\n  list:\n  - |\n    - x\n\n    y\n  x: 1\n",
            "spec:\n  list:\n  - |\n    - x\n\n    y\n  - new\n  x: 1\n",
        ),
        ("spec:\n  list:\n  -\n    # - k\n    k: v\n", "spec:\n  list:\n  -\n    # - k\n    k: v\n  - new\n"),
        ("spec:\n  list:\n  - a: [\n    1]\n  - - b\n", "spec:\n  list:\n  - a: [\n    1]\n  - - b\n  - new\n"),
        ('spec:\n  list:\n  - "a\n  - b"\n', 'spec:\n  list:\n  - "a\n  - b"\n  - new\n'),
    ],
)
def test_insert_last_and_take_away_again(before: str, after: str) -> None:
    made = insert("x.yaml", before.encode(), LIST, "new")
    assert made == after.encode()
    assert insert("x.yaml", made, LIST, "new") == made
    back = remove("x.yaml", made, LIST, "new")
    assert back == before.replace("list:\n  x", "list: []\n  x").encode()
    assert remove("x.yaml", back, LIST, "new") == back


@pytest.mark.parametrize(
    ("text", "item", "after"),
    [
        ("l: # head\n# of a\n- a # why\n# of b\n- b\n", "a", "l: # head\n# of a\n# of b\n- b\n"),
        ("l: # head\n# of a\n- a # why\n", "a", "l: [] # head\n# of a\n"),
        ("l: [a]\n", "a", "l: []\n"),
        ("l: [ a , b , c ]\n", "b", "l: [ a , c ]\n"),
        ("l: [a, b,]\n", "b", "l: [a,]\n"),
        ("l:\n- a\n- b\n- a\n", "a", "l:\n- b\n"),
        ("'l' :\n- a\n", "a", "'l' : []\n"),
        ("l:\n- a\r\n- b", "b", "l:\n- a"),
        ("l:\n- {x: 1}\n- a\nm: 2\n", "a", "l:\n- {x: 1}\nm: 2\n"),
    ],
)
def test_remove(text: str, item: str, after: str) -> None:
    assert remove("x.yaml", text.encode(), ("l",), item) == after.encode()


def test_insert_before() -> None:
    raw = b"l: # first what\n# of a\n- a\n# of b\n- b\n"
    assert insert("x", raw, ("l",), "n", before="b") == b'l: # first what\n# of a\n- a\n- "n"\n# of b\n- b\n'
    assert insert("x", raw, ("l",), "new", before="a") == b"l: # first what\n# of a\n- new\n- a\n# of b\n- b\n"
    assert insert("x", b"l: [a, b]", ("l",), "new", before="b") == b"l: [a, new, b]"


def test_insert_below_a_comment_that_ends_the_list() -> None:
    raw = b"l:\n- a\n\n# other\n# here\n# there\nm: 1\n"
    made = insert("x", raw, ("l",), {"server": "S", "n": "123"}, after_comment="# here")
    assert made == b'l:\n- a\n\n# other\n# here\n- {server: S, "n": "123"}\n# there\nm: 1\n'
    assert remove("x", made, ("l",), {"server": "S", "n": "123"}) == raw
    assert (
        insert("x", b"l:\n- a\nm: 1\n# here\n", ("l",), "b", after_comment="# here") == b"l:\n- a\n- b\nm: 1\n# here\n"
    )
    assert insert("x", b"l: []\n# here", ("l",), "b", after_comment="# here") == b"l:\n# here\n- b"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("l: &x [a]\nm: *x\n", "x.yaml:1: the file has YAML anchors"),
        ("l:\n- a\nm: &x 1\n", "x.yaml:3: the file has YAML anchors"),
        ("l: [a]\nl: [b]\n", 'x.yaml:2:1: key "l" is already there'),
        ("l: {a: 1}\n", "x.yaml:1:4: l is no list"),
        ("l: ~\n", "l is no list"),
        ("m: 1\n", "there is no l"),
        ("", "there is no l"),
        ("l: [ # none\n]\n", "x.yaml:1:1: the list can't be edited"),
        ("l:\n  []\n", "the empty list is not in the line of its key"),
        ("l: [", "not valid YAML"),
    ],
)
def test_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        insert("x.yaml", text.encode(), ("l",), "new")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_comment_in_brackets_is_not_lost() -> None:
    with pytest.raises(UsageError, match="a comment stands inside of the brackets"):
        remove("x.yaml", b"l: [\n  a, # of a\n  b,\n]\n", ("l",), "a")


def test_a_list_of_lists_is_no_list_under_a_key() -> None:
    with pytest.raises(UsageError, match="no list under a key"):
        insert("x.yaml", b"l:\n- - a\n", ("l", 0), "new")


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)
VALUES: st.SearchStrategy[Any] = st.one_of(
    TEXTS,
    st.integers(),
    st.dictionaries(st.text("abc", min_size=1, max_size=2), TEXTS, min_size=1, max_size=2),
    st.lists(TEXTS, min_size=1, max_size=2),
)
COMMENTS = st.sampled_from(["", "# - x", "# {", "#"])


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[Any], Any]:
    """A file with a list, with comments wherever there may be some; the list, and its neighbour's value."""
    held, other = draw(st.lists(VALUES, max_size=4)), draw(VALUES)
    lines = yaml.safe_dump({"list": held, "other": other}, sort_keys=False, allow_unicode=True, width=10_000).split(
        "\n"
    )
    indent = "  " if draw(st.booleans()) else ""
    made = ["# head", "spec:"]
    for line in lines[:-1]:
        comment = draw(COMMENTS)
        inside = line.startswith(("-", " "))
        made += [f"  {indent if inside else ''}{comment}"] if comment else []
        made += [f"  {indent if inside and not line.startswith('other') else ''}{line}"]
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return end.join(made) + (end if draw(st.booleans()) else ""), held, other


def comments(raw: bytes) -> list[str]:
    return [line.strip() for line in raw.decode().split("\n") if line.strip() in ("# head", "# - x", "# {", "#")]


@given(files(), TEXTS, st.integers(0, 5))
def test_it_is_read_back_and_nothing_else_changes(file: tuple[str, list[Any], Any], item: str, place: int) -> None:
    before, held, other = file
    body = {"spec": {"list": held, "other": other}}
    try:
        assume(yaml.load(before, Loader) == body)  # not a text that Kubernetes' tools read as something else
    except yaml.YAMLError:
        assume(False)
    assume(item not in held)
    neighbour = held[place] if place < len(held) and held.index(held[place]) == place else None
    made = insert("x.yaml", before.encode(), LIST, item, before=neighbour)
    index = held.index(neighbour) if neighbour is not None else len(held)
    assert items("x.yaml", made, LIST) == [*held[:index], item, *held[index:]]
    assert yaml.load(made.decode(), Loader)["spec"]["other"] == other
    old, new = before.split("\n"), made.decode().split("\n")
    assert len(new) == len(old) + 1
    for line in new:
        if line in old:
            old.remove(line)
    assert len(old) <= 1  # `list: []`, or a last line that got a line end
    assert remove("x.yaml", made, LIST, item) == before.encode()
    for value in {str(value): value for value in held if isinstance(value, str)}.values():
        without = remove("x.yaml", before.encode(), LIST, value)
        assert items("x.yaml", without, LIST) == [entry for entry in held if entry != value]
        assert comments(without) == comments(before.encode())


@given(st.lists(st.text("abc\n,[]#'\"", min_size=1, max_size=4), max_size=4, unique=True), st.booleans(), st.data())
def test_flow(held: list[str], nested: bool, data: st.DataObject) -> None:
    text = yaml.safe_dump(held, default_flow_style=True, default_style='"', width=10_000).strip()
    before = f"{{list: {text}, x: 1}}\n" if nested else f"list: {text} # c\nx: 1\n"
    made = insert("x.yaml", before.encode(), ("list",), "new")
    assert yaml.load(made, Loader) == {"list": [*held, "new"], "x": 1}
    assert remove("x.yaml", made, ("list",), "new") == before.encode()
    if held:
        item = data.draw(st.sampled_from(held))
        gone = remove("x.yaml", before.encode(), ("list",), item)
        assert yaml.load(gone, Loader) == {"list": [entry for entry in held if entry != item], "x": 1}
