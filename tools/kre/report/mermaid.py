"""Who can become whom, as a flowchart in Mermaid's language, which forges draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kre.rbac.atlas import Atlas
from kre.rbac.reach.survey import Survey
from kre.report.drawing import Drawing, drawing
from kre.report.printable import printable
from kre.report.reach import deletes_line

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ./:-_,()")
_SHAPES = {"identity": ('["', '"]'), "pods": ('[("', '")]'), "sink": ('{{"', '"}}')}


def mermaid(found: Sequence[tuple[Atlas, Survey]]) -> str:
    """One flowchart, with a part for each environment."""
    lines = ["flowchart LR"]
    for index, (atlas, survey) in enumerate(found):
        lines.append(f"  %% {printable(deletes_line(atlas, survey))}")
        lines += _part(f"e{index}", atlas.environment or "all", drawing(survey))
    lines += ["  classDef pods fill:#fff3cd,stroke:#b58900", "  classDef sink fill:#f8d7da,stroke:#b02a37"]
    return "\n".join(lines) + "\n"


def _part(prefix: str, title: str, drawn: Drawing) -> Iterator[str]:
    yield f'  subgraph {prefix}["{text(title)}"]'
    for number, box in enumerate(drawn.boxes):
        left, right = _SHAPES[box.kind]
        kind = "" if box.kind == "identity" else f":::{box.kind}"
        yield f"    {prefix}n{number}{left}{text(box.title)}{right}{kind}"
    for line in drawn.lines:
        label = "<br>".join(text(one) for one in line.labels)
        arrow = "-.->" if line.limited else "-->"
        yield f'    {prefix}n{line.start} {arrow}|"{label}"| {prefix}n{line.end}'
    yield "  end"


def text(value: str) -> str:
    """Any text inside of quotes: whatever could mean something there is written as an entity."""
    return "".join(letter if letter in _PLAIN else f"#{ord(letter)};" for letter in printable(value))
