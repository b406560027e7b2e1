"""One environment's graph: who can become whom, and the shortest chain to each sink."""

from __future__ import annotations

from collections.abc import Iterator

from kre.rbac.evaluate import Policy
from kre.rbac.model import Question
from kre.rbac.reach.gains import gains
from kre.rbac.reach.ground import Ground
from kre.rbac.reach.holdings import Holdings
from kre.rbac.reach.hops import hops
from kre.rbac.reach.model import Chain, Edge, End, Hop, Node, Who
from kre.rbac.reach.people import people
from kre.rbac.reach.search import reached, way_to
from kre.rbac.reach.sinks import ends

MORE = "binds itself, or widens its role"
# What takes a pod away, by its own name.
DELETES = (
    Question("delete", "", "pods"),
    Question("deletecollection", "", "pods"),
    Question("create", "", "pods", "eviction"),
)


class Reach:
    """Asks of a Policy and its Ground; answers are kept."""

    def __init__(self, policy: Policy, ground: Ground) -> None:
        self.policy, self.ground = policy, ground
        self.people = people(policy, ground)
        self._held: dict[Node, Holdings] = {}
        self._edges: dict[Node, tuple[Edge, ...]] = {}
        self._ends: dict[Node, tuple[End, ...]] = {}

    def held(self, node: Node) -> Holdings:
        """What somebody holds; with `more`, after adding what they can."""
        if node not in self._held:
            grants = list(self.policy.grants(node.who.user))
            if node.more:
                bound = self.policy.bound(node.who.user)
                grants += gains(self.policy, bound, grants, self.people.spaces())
            self._held[node] = Holdings(grants)
        return self._held[node]

    def edges(self, node: Node) -> tuple[Edge, ...]:
        """The hops that somebody can take."""
        if node not in self._edges:
            self._edges[node] = tuple(self._leaving(node))
        return self._edges[node]

    def _leaving(self, node: Node) -> Iterator[Edge]:
        own = self.held(node)
        if not node.more:
            wider = Node(node.who, more=True)
            if len(self.held(wider).grants) > len(own.grants):
                yield Edge(MORE, (), (wider,))  # what each gained grant needs is in its own chain
        yield from hops(own, self.people)

    def ends(self, node: Node) -> tuple[End, ...]:
        """The sinks that somebody has in their hands."""
        if node not in self._ends:
            self._ends[node] = tuple(ends(node.who.user, self.held(node), self.people))
        return self._ends[node]

    def reached(self, who: Who) -> dict[Node, tuple[Node, Edge] | None]:
        """Everybody whom somebody can become, nearest first."""
        return reached(Node(who), lambda node: ((edge, edge.to) for edge in self.edges(node)))

    def chains(self, who: Who) -> dict[str, Chain]:
        """Sink -> a shortest chain to it."""
        found = self.reached(who)
        chains: dict[str, Chain] = {}
        for node in found:
            for end in self.ends(node):
                if end.sink not in chains:
                    steps = tuple(Hop(*step) for step in way_to(node, found))
                    chains[end.sink] = Chain(Node(who), steps, end)
        return chains
