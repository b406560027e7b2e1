"""E04, E05, E06, E18, R039: who can become whom, and what they reach so (kre.rbac.reach)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kre.load.provenance import place
from kre.model.bundle import Bundle
from kre.model.finding import Place, Related
from kre.model.once import once
from kre.rbac.environment import World, world
from kre.rbac.identities import running
from kre.rbac.model import Grant
from kre.rbac.reach.ground import Ground, ground
from kre.rbac.reach.model import ENGINE, SINKS, Chain, Edge, Node, Who, service_account
from kre.rbac.reach.reach import Reach
from kre.rules.registry import Hit, rule

_KINDS = "workflowtemplates clusterworkflowtemplates cronworkflows workfloweventbindings sensors eventsources eventbus"
_WRITES = ("create", "update", "patch")


@dataclass(frozen=True)
class Known:
    """An environment ("" where there are none), what it allows, and everybody whom objects here name."""

    environment: str
    world: World
    ground: Ground
    reach: Reach
    people: tuple[Who, ...]

    def environments(self) -> tuple[str, ...]:
        return (self.environment,) if self.environment else ()

    def ours(self, who: Who) -> list[Grant]:
        """The grants of somebody that something here gives."""
        return [grant for grant in self.reach.held(Node(who)).grants if grant.written]

    def by_chart(self, who: Who) -> bool:
        """Whether it is a controller, or another part that a chart brings."""
        return who.kind == "ServiceAccount" and self.ground.made_by_chart(who.namespace, who.name)


@once
def known(bundle: Bundle) -> list[Known]:
    """Every environment's."""
    found = []
    for environment, resources in bundle.worlds:
        name = environment.name if environment else ""
        own = world(bundle, name or None)
        stands = ground(bundle, resources)
        found.append(Known(name, own, stands, Reach(own.policy, stands), tuple(stands.everybody)))
    return found


@rule("E04", "whoever creates Workflows runs as nobody but whom templates name", "world")
def workflows(bundle: Bundle) -> Iterator[Hit]:
    for one in known(bundle):
        yield from _makers(bundle, one, ("create",), ("workflows",))


@rule("E05", "nobody but the controllers writes what the engine runs, and so chooses whom it runs as", "world")
def parts(bundle: Bundle) -> Iterator[Hit]:
    for one in known(bundle):
        yield from _makers(bundle, one, _WRITES, tuple(_KINDS.split()))


def _makers(bundle: Bundle, one: Known, verbs: tuple[str, ...], resources: tuple[str, ...]) -> Iterator[Hit]:
    """Whoever can run as others by writing one of these, in any way that nothing limits."""
    for who in one.people:
        if one.by_chart(who):
            continue
        together: dict[tuple[Grant, str], list[Edge]] = {}
        for edge in one.reach.edges(Node(who)):
            verb, group, resource = edge.about
            if group == "argoproj.io" and verb in verbs and resource in resources and not edge.narrowed:
                together.setdefault((edge.grants[0], resource), []).append(edge)
        for (grant, resource), edges in together.items():
            best = _best(one, who, edges)
            if best is not None and not grant.rule.starred:  # R001 to R005 say so of a star
                yield _maker(bundle, one, who, grant, resource, edges, best)


def _maker(bundle: Bundle, one: Known, who: Who, grant: Grant, resource: str, edges: list[Edge], best: Who) -> Hit:
    verbs = ", ".join(dict.fromkeys(edge.about[0] for edge in edges))
    spaces = ", ".join(dict.fromkeys(edge.namespace for edge in edges if edge.namespace)) or "every namespace"
    why = next((f" ({edge.limit})" for edge in edges if edge.limit), "")
    message = f"{who} may {verbs} {resource} in {spaces}, and so run as {best}, which may {_words(one.ours(best))}{why}"
    hint = "let the controller hold Workflows to their templates (templateReferencing: Strict), or take it away"
    if resource not in ("workflows", "cronworkflows"):
        hint = "take it away: what the engine runs comes from Git"
    where, related = _at(bundle, [grant, *one.ours(best)[:1]])
    return Hit(where, message, hint, one.environments(), related)


def _best(one: Known, who: Who, edges: Iterable[Edge]) -> Who | None:
    """Of those that the hops lead to, whoever holds most that we give: sinks before the number of rights."""
    others = {node.who for edge in edges for node in edge.to} - {who}
    able = [other for other in sorted(others) if one.ours(other)]
    return max(able, key=lambda other: (len(one.reach.ends(Node(other))), len(one.ours(other))), default=None)


@rule("E06", "nobody creates Workflows beside the controller that runs them", "world")
def beside_the_controller(bundle: Bundle) -> Iterator[Hit]:
    for one in known(bundle):
        spaces = {it.namespace for it in one.ground.controllers if it.namespace and it.manages(it.namespace)}
        for who in one.people:
            for held in one.reach.held(Node(who)).of("create", "argoproj.io", "workflows"):
                for space in sorted(spaces):
                    if held.within(space) and not one.by_chart(who) and not held.grant.rule.starred:
                        message = (
                            f"{who} may create workflows in {space}, where the controller runs: it may change that"
                        )
                        hint = "run Workflows in a namespace of their own: --managed-namespace"
                        where, related = _at(bundle, [held.grant])
                        yield Hit(where, message, hint, one.environments(), related)


@rule("E18", "no identity gets by hops to what is worth most", "world", "warning")
def sinks(bundle: Bundle) -> Iterator[Hit]:
    for one in known(bundle):
        for who in one.people:
            chains = [chain for chain in one.reach.chains(who).values() if chain.hops]
            if one.by_chart(who):
                chains = [chain for chain in chains if chain.end.sink != ENGINE]
            chains.sort(key=lambda chain: list(SINKS).index(chain.end.sink))
            if chains:
                others = ", ".join(chain.end.sink for chain in chains[1:])
                message = (
                    f"{who} reaches {chains[0].end.sink}{f' ({others} as well)' if others else ''}: {_said(chains[0])}"
                )
                grants = [grant for hop in chains[0].hops for grant in hop.edge.grants] + [*chains[0].end.grants]
                where, related = _at(bundle, grants)
                hint = "take one of the links away; kre rbac graph shows them all"
                yield Hit(where, message, hint, one.environments(), related)


def _said(chain: Chain) -> str:
    hops = "".join(f"{hop.edge.way} -> {hop.to}; " for hop in chain.hops)
    return f"{hops}{chain.end.way}"


@rule(
    "R039",
    "nothing runs as whoever holds what is worth most",
    "world",
    peers=("kubescape C-0272", "kubescape C-0267", "rbac-police combined"),
)
def workloads(bundle: Bundle) -> Iterator[Hit]:
    for one in known(bundle):
        for identity in running(bundle, one.environment or None):
            who = service_account(identity.namespace, identity.name)
            ends = one.reach.ends(Node(who)) if not identity.parameterised else ()
            for end in [end for end in ends if not end.pods][:1]:
                use = identity.uses[0]
                where, related = _at(bundle, [*end.grants])
                beside = tuple(sorted({Related(where, "this gives it"), *related}))
                message = f"{use.resource} runs as {who}, which has {end.sink} in its hands: {end.way}"
                hint = "take it away; or let something run as it that nobody gets into"
                yield Hit(use.place(bundle), message, hint, one.environments(), beside)


def _at(bundle: Bundle, grants: Iterable[Grant]) -> tuple[Place, tuple[Related, ...]]:
    """Where the first grant is given (its rule, or the binding to a role of Kubernetes' own), and all other lines."""
    lines: list[Place] = []
    first: Place | None = None
    for grant in grants:
        steps = [place(bundle, step.resource, step.pointer) for step in grant.chain if step.resource is not None]
        if first is None and steps:
            first = steps[-1]
        lines += steps
    found = first or Place("")
    return found, tuple(Related(line, "by this") for line in dict.fromkeys(lines) if line != found)


def _words(grants: list[Grant]) -> str:
    """The first of some grants, shortly."""
    grant = grants[0]
    where = f"in {grant.namespace}" if grant.namespace else "everywhere"
    return f"{', '.join(grant.rule.verbs)} {', '.join(grant.rule.resources or grant.rule.urls)} {where}"
