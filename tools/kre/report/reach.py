"""Who can become whom, and what they reach: text, and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kre.rbac.atlas import Atlas
from kre.rbac.model import Grant
from kre.rbac.reach.model import SINKS, Chain, Edge, Hop
from kre.rbac.reach.survey import Delete, Survey
from kre.report.printable import printable
from kre.report.rights import chain, chain_json

SENTENCE = "this Git state can delete pods in exactly these namespaces, through these identities"


def as_text(atlas: Atlas, found: Survey) -> Iterator[str]:
    """All of it, each grant with its files and lines."""
    yield f"# {atlas.environment}" if atlas.environment else "#"
    yield from (printable(line) for line in deletes_text(atlas, found))
    yield "who can become whom:" if found.hops else "nobody can become anybody else"
    for leads in found.hops:
        to = ", ".join(str(node) for node in leads.to)
        yield printable(f"  {leads.start}: {leads.edge.way} -> {to}")
        yield from (printable(f"      {line}") for line in _why(atlas, leads.edge.grants, leads.edge))
    yield "what is worth most, and who reaches it:" if found.chains else "nobody here reaches what is worth most"
    for one in found.chains:
        yield printable(f"  {one.start} reaches {one.end.sink} ({SINKS[one.end.sink]}):")
        for hop in one.hops:
            yield printable(f"    {hop.edge.way} -> {hop.to}")
            yield from (printable(f"      {line}") for line in _why(atlas, hop.edge.grants, hop.edge))
        yield printable(f"    {one.end.way}")
        yield from (printable(f"      {line}") for line in _why(atlas, one.end.grants))


def deletes_text(atlas: Atlas, found: Survey) -> Iterator[str]:
    """The sentence on pods that can be deleted, where, by whom; and who can become one of them."""
    yield f"{SENTENCE}:" if found.deletes else "this Git state can delete no pods"
    for space, some in found.deletes.items():
        yield f"  {space or 'every namespace'}:"
        for who, verbs, grant in _by_who(some):
            yield f"    {who} ({verbs}): {chain(atlas.place, grant.chain)}"
    if found.starters:
        yield "and whoever can become one of those:"
        for steps in found.starters:
            yield f"  {route(steps)}"


def deletes_line(atlas: Atlas, found: Survey) -> str:
    """The same sentence in one line, without files."""
    start = f"{atlas.environment}: " if atlas.environment else ""
    if not found.deletes:
        return f"{start}this Git state can delete no pods"
    spaces = []
    for space, some in found.deletes.items():
        people = ", ".join(f"{who} ({verbs})" for who, verbs, _ in _by_who(some))
        spaces.append(f"{space or 'every namespace'}: {people}")
    return f"{start}{SENTENCE}: {'; '.join(spaces)}"


def _by_who(some: Iterable[Delete]) -> Iterator[tuple[str, str, Grant]]:
    """(identity, verbs, what gives it the first) of all who delete in one namespace."""
    together: dict[str, tuple[list[str], Grant]] = {}
    for one in some:
        names = f" {', '.join(one.names)} only" if one.names else ""
        together.setdefault(str(one.who), ([], one.grant))[0].append(f"{one.verb}{names}")
    return ((who, ", ".join(verbs), grant) for who, (verbs, grant) in together.items())


def route(steps: tuple[Hop, ...]) -> str:
    """Hops in one line: from whom, how, to whom."""
    text = str(steps[0].start)
    for hop in steps:
        limit = f" ({hop.edge.limit})" if hop.edge.limit else ""
        text += f" -- {hop.edge.way}{limit} -> {hop.to}"
    return text


def _why(atlas: Atlas, grants: Iterable[Grant], edge: Edge | None = None) -> Iterator[str]:
    for grant in grants:
        yield chain(atlas.place, grant.chain)
    if edge is not None and edge.limit:
        yield edge.limit
    if edge is not None and edge.walls:
        yield f"admission, which does not count here: {', '.join(edge.walls)}"


def as_json(atlas: Atlas, found: Survey) -> dict[str, Any]:
    """The same as JSON. A namespace null is every one."""
    return {
        "environment": atlas.environment or None,
        "deletesPods": [
            {
                "namespace": space or None,
                "identity": str(one.who),
                "verb": one.verb,
                "names": list(one.names),
                "grants": _grants(atlas, [one.grant]),
            }
            for space, some in found.deletes.items()
            for one in some
        ],
        "startsDeletes": [[_hop(atlas, hop) for hop in steps] for steps in found.starters],
        "hops": [
            {"from": str(leads.start), "to": [str(node) for node in leads.to], **_edge(atlas, leads.edge)}
            for leads in found.hops
        ],
        "reach": [_chain(atlas, one) for one in found.chains],
        "refused": list(atlas.refused),
        "charts": [chart for chart, _ in atlas.charts],
    }


def _chain(atlas: Atlas, one: Chain) -> dict[str, Any]:
    return {
        "identity": str(one.start),
        "sink": one.end.sink,
        "hops": [_hop(atlas, hop) for hop in one.hops],
        "by": one.end.way,
        "grants": _grants(atlas, one.end.grants),
    }


def _hop(atlas: Atlas, hop: Hop) -> dict[str, Any]:
    return {"from": str(hop.start), "to": str(hop.to), **_edge(atlas, hop.edge)}


def _edge(atlas: Atlas, edge: Edge) -> dict[str, Any]:
    return {
        "by": edge.way,
        "limit": edge.limit or None,
        "admission": list(edge.walls),
        "grants": _grants(atlas, edge.grants),
    }


def _grants(atlas: Atlas, grants: Iterable[Grant]) -> list[list[dict[str, Any]]]:
    return [chain_json(atlas.place, grant.chain) for grant in grants]
