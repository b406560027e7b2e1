"""The report: one HTML page that needs nothing but itself, neither scripts nor the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from kre.rbac.atlas import Atlas
from kre.rbac.model import Grant
from kre.rbac.reach.model import SINKS, Chain
from kre.rbac.reach.survey import Survey
from kre.report.drawing import drawing
from kre.report.printable import printable
from kre.report.reach import SENTENCE, route
from kre.report.rights import unseen
from kre.report.svg import svg

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}
th,td{border:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top}
code{font-size:13px}.drawing{overflow-x:auto;border:1px solid #ddd}
svg text{font:13px system-ui,sans-serif;fill:#222}svg .small{font-size:11px;fill:#555}
svg rect{fill:#eef3fb;stroke:#5b7db1}svg .pods rect{fill:#fff3cd;stroke:#b58900}
svg .sink rect{fill:#f8d7da;stroke:#b02a37}
svg path{fill:none;stroke:#777}svg path.limited{stroke-dasharray:5 4}svg marker path{fill:#777;stroke:none}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(found: Sequence[tuple[Atlas, Survey]]) -> str:
    """The page about these environments."""
    lines = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>kre report</title><style>{_STYLE}</style></head><body>",
        "<h1>Who may do what, and who can become whom</h1>",
        *(f"<p>{_text(line)}</p>" for line in unseen(atlas for atlas, _ in found)),
        *(line for one in found for line in _environment(*one)),
        "</body></html>",
    ]
    return "\n".join(lines) + "\n"


def _environment(atlas: Atlas, found: Survey) -> Iterator[str]:
    yield f"<h2>{_text(atlas.environment or 'everything')}</h2>"
    yield from _deletes(atlas, found)
    yield "<h3>Who can become whom</h3>"
    if found.hops or found.chains or found.deletes:
        yield "<p>What a line says stands beside it, as a tooltip. Dashed: something narrows it down already.</p>"
        yield f'<div class="drawing">{svg(drawing(found), f"{atlas.environment}: who can become whom")}</div>'
    rows = [
        (
            str(leads.start),
            leads.edge.way,
            ", ".join(str(node) for node in leads.to),
            leads.edge.limit,
            ", ".join(leads.edge.walls),
            _lines(atlas, leads.edge.grants),
        )
        for leads in found.hops
    ]
    yield from _table(("who", "may", "and so become", "limited by", "admission (does not count)", "lines"), rows)
    yield "<h3>What is worth most, and the shortest ways to it</h3>"
    yield from _table(("who", "reaches", "by", "lines"), [_chain(atlas, one) for one in found.chains])


def _deletes(atlas: Atlas, found: Survey) -> Iterator[str]:
    yield "<h3>Pods that can be deleted</h3>"
    yield (
        f"<p>{SENTENCE[0].upper()}{SENTENCE[1:]}.</p>" if found.deletes else "<p>This Git state can delete no pods.</p>"
    )
    rows = [
        (
            space or "every namespace",
            str(one.who),
            f"{one.verb} {', '.join(one.names)}".rstrip(),
            _lines(atlas, [one.grant]),
        )
        for space, some in found.deletes.items()
        for one in some
    ]
    yield from _table(("namespace", "identity", "verb", "lines"), rows)
    if found.starters:
        yield "<p>And whoever can become one of those:</p><ul>"
        yield from (f"<li>{_text(route(steps))}</li>" for steps in found.starters)
        yield "</ul>"


def _chain(atlas: Atlas, one: Chain) -> tuple[str, ...]:
    hops = "; ".join(f"{hop.edge.way} -> {hop.to}" for hop in one.hops)
    grants = [grant for hop in one.hops for grant in hop.edge.grants] + [*one.end.grants]
    by = f"{hops}; {one.end.way}" if hops else one.end.way
    return str(one.start), f"{one.end.sink}: {SINKS[one.end.sink]}", by, _lines(atlas, grants)


def _lines(atlas: Atlas, grants: Iterable[Grant]) -> str:
    """Where these are written, each line once."""
    places = (atlas.place(step) for grant in grants for step in grant.chain)
    return "\n".join(dict.fromkeys(str(at) if at else "comes with Kubernetes" for at in places))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        yield "<p>Nobody.</p>"
        return
    yield f"<table><thead><tr>{''.join(f'<th>{_text(cell)}</th>' for cell in head)}</tr></thead><tbody>"
    for row in rows:
        cells = ("<br>".join(_text(line) for line in cell.split("\n")) for cell in row)
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    yield "</tbody></table>"


def _text(value: str) -> str:
    return escape(printable(value))
