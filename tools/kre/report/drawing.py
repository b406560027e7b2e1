"""Boxes and lines of the graph of who can become whom, before anybody draws them."""

from __future__ import annotations

from dataclasses import dataclass

from kre.rbac.reach.model import SINKS, Node
from kre.rbac.reach.survey import Survey

SHOWN = 3  # labels of one line


@dataclass(frozen=True, slots=True)
class Box:
    """An identity, the pods of a namespace, or a sink."""

    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """From one box to another, by their numbers, with what it says. `limited`: something narrows it down already."""

    start: int
    end: int
    labels: tuple[str, ...]
    limited: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of it, in a fixed order."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def drawing(found: Survey) -> Drawing:
    """Hops between identities; whose pods each can delete; and the sinks that each has in its hands."""
    boxes: dict[Box, int] = {}
    lines: dict[tuple[int, int], tuple[dict[str, None], list[bool]]] = {}

    def line(start: Box, end: Box, label: str, *, limited: bool = False) -> None:
        key = boxes.setdefault(start, len(boxes)), boxes.setdefault(end, len(boxes))
        labels, limits = lines.setdefault(key, ({}, []))
        labels[label] = None
        limits.append(limited)

    for leads in found.hops:
        for node in leads.to:
            label = f"{leads.edge.way} ({leads.edge.limit})" if leads.edge.limit else leads.edge.way
            told = leads.edge.narrowed and bool(leads.edge.limit)
            line(_identity(leads.start), _identity(node), label, limited=told)
    for space, some in found.deletes.items():
        for one in some:
            pods = Box("pods", f"pods of {space or 'every namespace'}")
            names = f" {', '.join(one.names)}" if one.names else ""
            line(_identity(Node(one.who)), pods, f"{one.verb}{names}")
    for chain in found.chains:
        holder = chain.hops[-1].to if chain.hops else chain.start
        line(_identity(holder), Box("sink", f"{chain.end.sink}: {SINKS[chain.end.sink]}"), chain.end.way)
    drawn = tuple(Line(*key, _few(list(labels)), all(limits)) for key, (labels, limits) in lines.items())
    return Drawing(tuple(boxes), drawn)


def _identity(node: Node) -> Box:
    return Box("identity", str(node))


def _few(labels: list[str]) -> tuple[str, ...]:
    if len(labels) <= SHOWN:
        return tuple(labels)
    return (*labels[: SHOWN - 1], f"and in {len(labels) - SHOWN + 1} other ways")
