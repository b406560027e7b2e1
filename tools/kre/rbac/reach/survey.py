"""What there is to say of one environment's reach: who can delete pods, who can become whom, who gets to a sink."""

from __future__ import annotations

from dataclasses import dataclass

from kre.rbac.evaluate import Policy
from kre.rbac.model import Grant
from kre.rbac.reach.ground import Ground
from kre.rbac.reach.model import SINKS, Chain, Edge, Hop, Node, Who
from kre.rbac.reach.reach import DELETES, Reach
from kre.rbac.reach.search import way_to


@dataclass(frozen=True, slots=True)
class Delete:
    """Somebody who can take pods away by this verb: of these names only, or any."""

    who: Who
    verb: str
    names: tuple[str, ...]
    grant: Grant


@dataclass(frozen=True, slots=True)
class Leads:
    """A hop that somebody here can take, and those among whom it leads to that hold a right which is given here."""

    start: Node
    edge: Edge
    to: tuple[Node, ...]


@dataclass(frozen=True)
class Survey:
    """`deletes` by namespace, "" for everywhere; `starters` are who can become one of those, each by a shortest way.

    `chains` are the shortest ones from everybody here to each sink.
    """

    deletes: dict[str, list[Delete]]
    starters: list[tuple[Hop, ...]]
    hops: list[Leads]
    chains: list[Chain]


def survey(policy: Policy, ground: Ground) -> Survey:
    """The Survey of a Policy and its Ground."""
    reach = Reach(policy, ground)
    everybody = ground.everybody
    chains = [reach.chains(who) for who in everybody]
    order = list(SINKS)
    deletes = _deletes(reach, everybody)
    return Survey(
        deletes,
        _starters(reach, everybody, {one.who for some in deletes.values() for one in some}),
        _hops(reach, everybody, chains),
        [found[sink] for found in chains for sink in order if sink in found],
    )


def _deletes(reach: Reach, everybody: list[Who]) -> dict[str, list[Delete]]:
    found: dict[str, dict[tuple[Who, str], Delete]] = {}
    for who in everybody:
        held = reach.held(Node(who))
        for asked in DELETES:
            for one in held.of(asked.verb, asked.group, asked.whole):
                verb = "evict" if asked.subresource else asked.verb
                names = tuple(sorted(one.names))
                known = found.setdefault(one.namespace, {})
                if (who, verb) not in known or not names:
                    known[who, verb] = Delete(who, verb, names, one.grant)
    return {space: list(found[space].values()) for space in sorted(found)}


def _starters(reach: Reach, everybody: list[Who], deleting: set[Who]) -> list[tuple[Hop, ...]]:
    """From everybody who does not delete by themselves, the shortest ways to each who does."""
    found = []
    for who in everybody:
        if who not in deleting:
            reached = reach.reached(who)
            ends = [node for node in reached if node.who in deleting and not node.more]
            found += [tuple(Hop(*step) for step in way_to(node, reached)) for node in ends]
    return found


def _hops(reach: Reach, everybody: list[Who], chains: list[dict[str, Chain]]) -> list[Leads]:
    """The hops of everybody here, to whoever holds something that is given here; and all that chains to sinks need."""
    wanted = {who for who in everybody if any(_given(grant) for grant in reach.held(Node(who)).grants)}
    needed = {hop.to for found in chains for chain in found.values() for hop in chain.hops}
    nodes = [Node(who) for who in everybody]
    nodes += sorted({hop.start for found in chains for chain in found.values() for hop in chain.hops} - set(nodes))
    found = []
    for node in nodes:
        for edge in reach.edges(node):
            to = tuple(one for one in edge.to if one.who != node.who or one.more)
            to = tuple(one for one in to if one.who in wanted or one in needed)
            if to:
                found.append(Leads(node, edge, to))
    return found


def _given(grant: Grant) -> bool:
    """Whether a right is one that not everybody has who logged in."""
    return grant.chain[0].name not in _EVERYBODYS


_EVERYBODYS = frozenset(
    ("system:basic-user", "system:discovery", "system:public-info-viewer", "system:service-account-issuer-discovery")
)
