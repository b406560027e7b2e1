"""The graph of who can become whom as SVG: columns of boxes, from left to right as hops go."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from kre.report.drawing import Box, Drawing, Line
from kre.report.printable import printable

_WIDE, _HIGH, _GAP, _APART = 250, 44, 16, 120  # of a box, between rows, and between columns
_LETTERS = 34  # that fit into a box


def svg(drawn: Drawing, title: str) -> str:
    """An `svg` element, with what each line says as its tooltip; classes say how it looks."""
    places = _places(drawn)
    wide = max((x for x, _ in places), default=0) + _WIDE + _GAP
    high = max((y for _, y in places), default=0) + _HIGH + _GAP
    parts = [
        f'<svg role="img" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}">',
        f"<title>{_text(title)}</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">',
        '<path d="M0 0L8 4L0 8z"/></marker></defs>',
        *(_line(line, places) for line in drawn.lines),
        *(part for box, at in zip(drawn.boxes, places, strict=True) for part in _box(box, at)),
        "</svg>",
    ]
    return "\n".join(parts)


def _places(drawn: Drawing) -> list[tuple[int, int]]:
    """Where each box stands: in the column of its distance from those that nobody leads to; sinks at the far right."""
    columns = _columns(drawn)
    last = max(columns, default=0)
    counts: dict[int, int] = {}
    found = []
    for box, column in zip(drawn.boxes, columns, strict=True):
        at = column if box.kind == "identity" else last + 1
        row = counts.get(at, 0)
        counts[at] = row + 1
        found.append((_GAP + at * (_WIDE + _APART), _GAP + row * (_HIGH + _GAP)))
    return found


def _columns(drawn: Drawing) -> list[int]:
    people = [number for number, box in enumerate(drawn.boxes) if box.kind == "identity"]
    hops = [line for line in drawn.lines if drawn.boxes[line.end].kind == "identity"]
    column = {number: 0 for number in people if number not in {line.end for line in hops}}
    while len(column) < len(people):
        further = {line.end: column[line.start] + 1 for line in hops if line.start in column and line.end not in column}
        if not further:  # a circle that nobody leads into
            further = {next(number for number in people if number not in column): 0}
        column.update(further)
    return [column.get(number, 0) for number in range(len(drawn.boxes))]


def _line(line: Line, places: list[tuple[int, int]]) -> str:
    (x1, y1), (x2, y2) = places[line.start], places[line.end]
    start, end = (x1 + _WIDE, y1 + _HIGH // 2), (x2, y2 + _HIGH // 2)
    bend = _APART // 2
    path = f"M{start[0]} {start[1]}C{start[0] + bend} {start[1]} {end[0] - bend} {end[1]} {end[0]} {end[1]}"
    kind = "limited" if line.limited else "free"
    tip = _text("\n".join(line.labels))
    return f'<path class="{kind}" d="{path}" marker-end="url(#tip)"><title>{tip}</title></path>'


def _box(box: Box, at: tuple[int, int]) -> Iterator[str]:
    x, y = at
    kind, _, name = box.title.partition(" ") if box.kind == "identity" else (box.kind, "", box.title)
    yield f'<g class="{box.kind}"><title>{_text(box.title)}</title>'
    yield f'<rect x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="6"/>'
    yield f'<text x="{x + 10}" y="{y + 17}" class="small">{_text(kind)}</text>'
    shown = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
    yield f'<text x="{x + 10}" y="{y + 34}">{_text(shown)}</text></g>'


def _text(value: str) -> str:
    return escape("\n".join(printable(line) for line in value.split("\n")))
