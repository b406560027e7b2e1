"""YAML files with positions: refused when they are not what they seem, located to the line when they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from kre.load.scalars import Loader
from kre.model.finding import Finding, Place
from kre.model.source import Document, Source

DEPTH = 100  # levels; PyYAML's C composer overruns the stack at some tens of thousands
EXPANSION = 100_000  # nodes that aliases may add to a file


class Unreadable(Exception):
    """A file that is no YAML that may be used: the finding says why and where."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def parse(path: str, raw: bytes) -> Source:
    """The bytes of a file -> Source. Raises Unreadable (Y01 encoding, Y02 syntax, Y03 duplicate key, Y04 size)."""
    try:
        text = raw.decode("utf-8-sig")
        if path.endswith(".json"):
            text = text.replace("\t", " ")  # JSON may be indented with tabs, and holds none anywhere else
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _refuse("Y01", Place(path, line), "not UTF-8 text", "save the file as UTF-8") from None
    try:
        _measure(path, text)
        nodes = [node for node in yaml.compose_all(text, Loader) if not _empty(node)]
        for node in nodes:
            _unique(path, node)
        return Source(path, tuple(Document(node, _value(node)) for node in nodes))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark and mark.line >= text.count("\n") and error.context_mark:
            mark = error.context_mark  # something that was opened there is still open at the end
        at = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path)
        if "nesting depth" in str(error.problem):  # libyaml's own limit, which the scanner may meet first
            raise _refuse("Y04", at, f"nested more than {DEPTH} levels deep") from None
        raise _refuse("Y02", at, f"not valid YAML: {error.problem or error.context}", _advice(text, at.line)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise _refuse("Y02", Place(path), f"not valid YAML: {str(error).splitlines()[0]}") from None


def _measure(path: str, text: str) -> None:
    """Refuses what would overrun the stack or the memory, from the event stream alone: that needs neither."""
    sizes: dict[str, int] = {}  # nodes under each anchor, aliases counted as what they stand for
    opened: list[tuple[str | None, int]] = []  # anchor, nodes so far
    total = 0  # nodes that aliases add
    for event in yaml.parse(text, Loader):
        size = 0
        if isinstance(event, yaml.AliasEvent):
            size = sizes.get(str(event.anchor), 1)
            total += size
            if any(anchor == event.anchor for anchor, _ in opened):
                raise _refuse("Y04", _place(path, event), f"alias *{event.anchor} stands inside its own anchor")
            if total > EXPANSION:
                raise _refuse("Y04", _place(path, event), f"aliases add over {EXPANSION} nodes", "write the values out")
        elif isinstance(event, yaml.ScalarEvent):
            size = 1
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, 1))
            if len(opened) > DEPTH:
                raise _refuse("Y04", _place(path, event), f"nested more than {DEPTH} levels deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = opened.pop()
            if anchor:
                sizes[anchor] = size
        if size and opened:
            opened[-1] = (opened[-1][0], opened[-1][1] + size)


def _value(node: yaml.Node) -> Any:  # noqa: ANN401 - YAML
    loader = Loader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _unique(path: str, node: yaml.Node) -> None:
    for mapping in _mappings(node):
        first: dict[str, yaml.Node] = {}
        for key, _ in mapping.value:
            if not isinstance(key, yaml.ScalarNode):
                hint = 'quote it: "{{...}}"' if isinstance(key, yaml.MappingNode) else ""
                raise _refuse("Y02", _place(path, key), "a key must be a plain value", hint)
            if key.value in first and key.value != "<<":
                line = first[key.value].start_mark.line + 1
                message = f'key "{key.value}" is already there, in line {line}: the tools would keep one of the two'
                raise _refuse("Y03", _place(path, key), message, "remove one")
            first[key.value] = key


def _mappings(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if id(current) in seen or isinstance(current, yaml.ScalarNode):
            continue
        seen.add(id(current))
        if isinstance(current, yaml.MappingNode):
            yield current
            waiting.extend(value for _, value in current.value)
        else:
            waiting.extend(current.value)


def _empty(node: yaml.Node | None) -> bool:
    return node is None or (isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null")


def _advice(text: str, line: int) -> str:
    """What to do about a line that does not parse, where that can be told by looking at it."""
    there = (text.splitlines() or [""])[min(line, text.count("\n") + 1) - 1 :][:1] or [""]
    indent = there[0][: len(there[0]) - len(there[0].lstrip())]
    if "\t" in indent:
        return "indent with spaces: YAML takes no tabs"
    return 'quote it: "{{...}}"' if "{{" in there[0] else ""


def _place(path: str, marked: yaml.Node | yaml.Event) -> Place:
    mark = marked.start_mark
    return Place(path, mark.line + 1, mark.column + 1) if mark else Place(path)


def _refuse(rule: str, place: Place, message: str, hint: str = "") -> Unreadable:
    return Unreadable(Finding(rule, "error", place, message, hint))
