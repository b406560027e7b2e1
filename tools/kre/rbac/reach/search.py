"""Breadth first: everybody who can be reached, by a shortest way."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

N = TypeVar("N", bound=Hashable)
E = TypeVar("E")


def reached(start: N, leaving: Callable[[N], Iterable[tuple[E, Iterable[N]]]]) -> dict[N, tuple[N, E] | None]:
    """Each node that can be reached, nearest first, with the node before it and the edge taken; `start` with None.

    `leaving` gives the edges that leave a node, each with the nodes that it leads to.
    """
    found: dict[N, tuple[N, E] | None] = {start: None}
    front = [start]
    while front:
        coming: list[N] = []
        for node in front:
            for edge, targets in leaving(node):
                for target in targets:
                    if target not in found:
                        found[target] = (node, edge)
                        coming.append(target)
        front = coming
    return found


def way_to(node: N, found: dict[N, tuple[N, E] | None]) -> list[tuple[N, E, N]]:
    """The steps from the start to a node that reached() found: from, edge, to."""
    steps = []
    at = node
    while (before := found[at]) is not None:
        steps.append((before[0], before[1], at))
        at = before[0]
    return steps[::-1]
