"""Adds an item to a list in a YAML file, or takes one away, and leaves every other byte as it is.

Comments stay where they are, but for the one on the line of an item that goes. What would not read as meant afterwards
is refused, never written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from kre.edit.document import Opened, opened, refuse_anchors, replaced
from kre.edit.splice import written
from kre.errors import UsageError
from kre.load.scalars import Loader
from kre.model.resource import Pointer, dig
from kre.model.source import entry

Item = str | Mapping[str, Any]
Edit = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class _List:
    """A list under a key; `node` is None where the key has no value, and `span` is where the one or the other stands.

    `inside_flow`: an ancestor is written in braces.
    """

    file: Opened
    key: yaml.Node
    node: yaml.SequenceNode | None
    span: tuple[int, int]
    inside_flow: bool

    @property
    def items(self) -> list[yaml.Node]:
        return list(self.node.value) if self.node else []


def items(name: str, raw: bytes, pointer: Pointer) -> list[object]:
    """The values of the list at a pointer, [] where its key has none. Raises UsageError where there is no list."""
    file = opened(name, raw)
    _find(file, pointer)
    return list(dig(file.values[0], *pointer) or [])


def insert(
    name: str,
    raw: bytes,
    pointer: Pointer,
    item: Item,
    *,
    before: object = None,
    after_comment: str = "",
    text: str = "",
) -> bytes:
    """The bytes of a YAML file with `item` in the list at `pointer`: before the item that equals `before`, else last.

    The last place is below the comment line `after_comment`, where that ends the list. `text` is the item as it is to
    be written, where it takes several lines. A list that has the item stays as it is. Raises UsageError (with file and
    line) for what can't be read or edited.
    """
    held = items(name, raw, pointer)
    if item in held:
        return raw
    file = opened(name, raw)
    refuse_anchors(file)
    found = _find(file, pointer)
    index = held.index(before) if before in held else len(held)
    text = text or _written(item)
    if "\n" in text and found.node and found.node.flow_style and held:
        raise _by_hand(found, "it is written in brackets")
    if found.inside_flow or (found.items and found.node and found.node.flow_style):
        edits = _into_flow(found, index, text)
    elif not held:
        edits = _into_empty(found, text, after_comment)
    else:
        edits = _into_block(found, index, text, after_comment)
    return _checked(file, edits, pointer, [*held[:index], item, *held[index:]])


def remove(name: str, raw: bytes, pointer: Pointer, item: Item) -> bytes:
    """The bytes of a YAML file without `item` in the list at `pointer`; the last one leaves `[]`.

    A list that has no such item stays as it is. Raises UsageError as insert.
    """
    while item in (held := items(name, raw, pointer)):
        file = opened(name, raw)
        refuse_anchors(file)
        found = _find(file, pointer)
        index = held.index(item)
        edits = _out_of_flow(found, index) if found.node and found.node.flow_style else _out_of_block(found, index)
        raw = _checked(file, edits, pointer, [*held[:index], *held[index + 1 :]])
    return raw


def _find(file: Opened, pointer: Pointer) -> _List:
    shown, inner, inside = None, file.node, False
    for step in pointer:
        inside = inside or bool(inner and getattr(inner, "flow_style", False))
        found = entry(inner, step)
        if found is None:
            hint = "compare with another environment's"
            raise UsageError(f"{file.name}: there is no {'.'.join(map(str, pointer))}", hint)
        shown, inner = found
    if shown is None or inner is None or shown is inner:
        raise UsageError(f"{file.name}: {'.'.join(map(str, pointer)) or 'the whole'} is no list under a key")
    null = isinstance(inner, yaml.ScalarNode) and not inner.style and not inner.value
    if not null and not isinstance(inner, yaml.SequenceNode):
        place = file.source.place(inner)
        raise UsageError(f"{place}: {'.'.join(map(str, pointer))} is no list", "write it as a list")
    node = inner if isinstance(inner, yaml.SequenceNode) else None
    return _List(file, shown, node, (inner.start_mark.index, inner.end_mark.index), inside)


def _written(item: Item) -> str:
    if isinstance(item, str):
        return written(item)
    return "{" + ", ".join(f"{written(key)}: {written(value)}" for key, value in item.items()) + "}"


# ---- lists in brackets


def _into_flow(found: _List, index: int, text: str) -> list[Edit]:
    nodes = found.items
    if not nodes:
        start, end = found.span
        _no_comment(found, start, end)
        lead = "" if found.node or found.file.text[start - 1 : start].isspace() else " "
        return [(start, end, f"{lead}[{text}]")]
    if index < len(nodes):
        at = nodes[index].start_mark.index
        return [(at, at, f"{text}, ")]
    at = nodes[-1].end_mark.index
    return [(at, at, f", {text}")]


def _out_of_flow(found: _List, index: int) -> list[Edit]:
    nodes = found.items
    here = nodes[index]
    if len(nodes) == 1:
        start, end = found.span[0] + 1, found.span[1] - 1
    elif index + 1 < len(nodes):
        start, end = here.start_mark.index, nodes[index + 1].start_mark.index
    else:
        start, end = nodes[index - 1].end_mark.index, here.end_mark.index
    _no_comment(found, start, here.start_mark.index)
    _no_comment(found, here.end_mark.index, end)
    return [(start, end, "")]


def _no_comment(found: _List, start: int, end: int) -> None:
    if "#" in found.file.text[start:end]:
        raise _by_hand(found, "a comment stands inside of the brackets")


# ---- lists with dashes


def _into_block(found: _List, index: int, text: str, after_comment: str) -> list[Edit]:
    dashes = _dashes(found)
    first = _line_start(found.file.text, dashes[0])
    prefix = found.file.text[first : dashes[0]]
    at = _after_line(found.file.text, _content_end(found.items[index - 1])) if index else first
    if index == len(dashes):
        at = _below(found.file.text, at, after_comment)
    return [_line(found.file.text, at, f"{prefix}- {text}".replace("\n", f"\n{prefix}"))]


def _into_empty(found: _List, text: str, after_comment: str) -> list[Edit]:
    """`key: []`, or `key:` alone, becomes `key:` with the item in a line below it, not indented."""
    whole, (start, end) = found.file.text, found.span
    colon = _after_colon(found)
    if "\n" in whole[found.key.start_mark.index : end] or (found.node and whole[colon:start].strip()):
        raise _by_hand(found, "the empty list is not in the line of its key")
    column = " " * found.key.start_mark.column
    item = f"{column}- {text}".replace("\n", f"\n{column}")
    line = _line(whole, _below(whole, _after_line(whole, end), after_comment), item)
    return [(colon, end, ""), line] if found.node else [line]


def _out_of_block(found: _List, index: int) -> list[Edit]:
    text, dashes = found.file.text, _dashes(found)
    start, end = _line_start(text, dashes[index]), _after_line(text, _content_end(found.items[index]))
    if end == len(text) and not text.endswith("\n"):  # the line before becomes the last, without a line end too
        start = len(text[:start].removesuffix("\n").removesuffix("\r"))
    gone = (start, end, "")
    if len(dashes) > 1:
        return [gone]
    colon = _after_colon(found)
    return [(colon, colon, " []"), gone]


def _dashes(found: _List) -> list[int]:
    """Where the dash of each item stands. Raises UsageError unless each begins a line of its own."""
    node, text = found.node, found.file.text
    begin, end, column = found.span[0], found.span[1], node.start_mark.column if node else 0
    marks = [token.start_mark for token in yaml.scan(text, Loader) if isinstance(token, yaml.BlockEntryToken)]
    dashes = [mark.index for mark in marks if mark.column == column and begin <= mark.index < end]
    if len(dashes) != len(found.items) or any(text[_line_start(text, dash) : dash].strip(" ") for dash in dashes):
        raise _by_hand(found, "its items do not begin a line each")
    return dashes


def _content_end(node: yaml.Node) -> int:
    """Where the last thing of a node ends: a block's own end mark lies behind the comments that follow."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return int(node.end_mark.index)


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _after_line(text: str, index: int) -> int:
    """The beginning of the line after the one in which something ends at `index`; the end of the text at the last."""
    if index and text[index - 1] == "\n":  # a block scalar ends with its line
        return index
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1


def _below(text: str, at: int, comment: str) -> int:
    """The beginning of the line after the comment line, if nothing but comments stands between; else `at`."""
    here = at
    while comment and here < len(text):
        after = _after_line(text, here + 1)
        line = text[here:after].strip()
        if line == comment:
            return after
        if line and not line.startswith("#"):
            break
        here = after
    return at


def _line(text: str, at: int, line: str) -> Edit:
    """A new line at a line's beginning, with the file's line ends; none after it where the file ends without one."""
    end = "\r\n" if "\r\n" in text else "\n"
    return (at, at, f"{line}{end}" if at == 0 or text[at - 1] == "\n" else f"{end}{line}")


def _after_colon(found: _List) -> int:
    colon = re.compile(r"\s*:").match(found.file.text, found.key.end_mark.index)
    if colon is None:
        raise _by_hand(found, "no colon follows the key")
    return colon.end()


def _by_hand(found: _List, why: str) -> UsageError:
    return UsageError(f"{found.file.source.place(found.key)}: the list can't be edited: {why}", "edit it by hand")


def _checked(file: Opened, edits: list[Edit], pointer: Pointer, wanted: list[object]) -> bytes:
    """The edited bytes, if they read as meant: the list as wanted, and all else as it was."""
    made = file.edited(edits)
    first, *others = file.values
    if opened(file.name, made).values != [replaced(first, pointer, wanted), *others]:
        raise UsageError(f"{file.name}: the list {'.'.join(map(str, pointer))} can't be edited", "edit it by hand")
    return made
