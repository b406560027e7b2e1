"""What must hold of any graph: the search finds what naive closure finds, as near; a grant more never takes away."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kre.rbac.reach.controllers import Controller
from kre.rbac.reach.model import SINKS, Node, Who, named
from kre.rbac.reach.reach import Reach
from kre.rbac.reach.search import reached, way_to
from kre.rbac.reach.ways import MUTATING, WAYS
from support.reach import ARGO, ME, RBAC, account, reach, right, role

GRAPHS = st.dictionaries(st.integers(0, 7), st.lists(st.frozensets(st.integers(0, 7), max_size=3), max_size=3))
MANY = settings(max_examples=60, deadline=None)

ACCOUNTS = [account(pair) for pair in ("a/x", "a/y", "b/x", "b/z", "engine/x", "argocd/x")]
PEOPLE = [ME, named("User", "you"), named("Group", "admins"), *ACCOUNTS]
SPACES = ("a", "b", "engine", "argocd")
CHOICES = (
    *((verb, resource, way.group) for way in WAYS for verb in way.verbs.split() for resource in way.resources.split()),
    *(("impersonate", resource, "") for resource in ("users", "groups", "serviceaccounts")),
    *((verb, "secrets", "") for verb in ("get", "create", "list")),
    *((verb, kind, RBAC) for verb in ("bind", "escalate", "create", "update") for kind in ("roles", "clusterroles")),
    *((verb, kind, RBAC) for verb in ("create", "patch") for kind in ("rolebindings", "clusterrolebindings")),
    *(("update", kind, "admissionregistration.k8s.io") for kind in MUTATING.split()),
    ("update", "certificatesigningrequests/approval", "certificates.k8s.io"),
    ("approve", "signers", "certificates.k8s.io"),
    ("patch", "namespaces", ""),
    ("update", "configmaps", ""),
    ("create", "applications", ARGO),
    ("*", "*", "*"),
)  # fmt: skip
NAMES = ((), (), (), ("x",), ("you",), ("small",), ("",))


def world(random: Random, size: int) -> list:
    """Roles and bindings by chance, and two roles that nobody is bound to."""
    found = [role("small", "get", "secrets"), role("local", "create", "pods", space="a")]
    for _ in range(size):
        verb, resource, group = random.choice(CHOICES)
        space = random.choice(("", *SPACES))
        found += right(random.choice(PEOPLE), verb, resource, group, space=space, names=random.choice(NAMES))
    return found


def made(random: Random, items: list) -> Reach:
    """Their Reach, on a ground by chance; the same for the same random numbers."""
    modes = random.choice(((), (Controller("argo", random.choice(SPACES), random.choice(("", "Strict", "Secure"))),)))
    everybody = tuple((who.kind, who.namespace, who.name) for who in PEOPLE)
    return reach(
        items,
        bound=everybody,
        namespaces=SPACES,
        named=frozenset({("a", "x"), ("b", "z")}),
        guarded=frozenset(random.sample(SPACES, 2)),
        idle=frozenset({("a", "y")}),
        engine=frozenset({"engine"}),
        argocd=frozenset({"argocd"}),
        controllers=modes,
        tokens=(("a", "x", "x"), ("b", "small", "z")),
        maps=frozenset({("engine", "x")}),
    )


@MANY
@given(GRAPHS, st.integers(0, 7))
def test_the_search_is_a_closure_with_shortest_ways(graph, start):
    found = reached(start, lambda node: [(index, targets) for index, targets in enumerate(graph.get(node, []))])
    near = {start: 0}
    while True:  # naive: from everybody known, one step more, until nothing changes
        more = {
            target: near[node] + 1
            for node in near
            for targets in graph.get(node, [])
            for target in targets
            if target not in near or near[target] > near[node] + 1
        }
        if not more:
            break
        near.update({node: min(far, near.get(node, far)) for node, far in more.items()})
    assert {node: len(way_to(node, found)) for node in found} == near
    for node in found:
        at = start
        for before, edge, after in way_to(node, found):
            assert before == at
            assert after in graph[before][edge]
            at = after
        assert at == node


@MANY
@given(st.integers(0, 2**32), st.integers(0, 8))
def test_every_chain_is_made_of_hops_that_are_there_and_none_is_missed(seed, size):
    random = Random(seed)
    found = made(random, world(random, size))
    for who in PEOPLE:
        everybody = closure(found, who)
        assert set(found.reached(who)) == everybody
        chains = found.chains(who)
        assert set(chains) == {end.sink for node in everybody for end in found.ends(node)} <= set(SINKS)
        for chain in chains.values():
            at = chain.start
            for hop in chain.hops:
                assert hop.start == at
                assert hop.edge in found.edges(at)
                assert hop.to in hop.edge.to
                at = hop.to
            assert chain.end in found.ends(at)


def closure(found: Reach, who: Who) -> set[Node]:
    known = {Node(who)}
    while True:
        more = {to for node in known for edge in found.edges(node) for to in edge.to}
        if more <= known:
            return known
        known |= more


@MANY
@given(st.integers(0, 2**32), st.integers(0, 6))
def test_a_grant_more_never_lengthens_a_chain_nor_takes_one_away(seed, size):
    random = Random(seed)
    items = world(random, size)
    more = [*items, *world(random, 1)[2:]]
    state = random.getstate()
    before = made(random, items)
    random.setstate(state)
    after = made(random, more)
    for who in PEOPLE:
        old, new = (one.reached(who) for one in (before, after))
        for node in old:
            # What somebody could add to their rights may be theirs now without that step.
            same = node if node in new or not node.more else Node(node.who)
            assert same in new
            assert len(way_to(same, new)) <= len(way_to(node, old))
        chains = after.chains(who)
        for sink, chain in before.chains(who).items():
            assert len(chains[sink].hops) <= len(chain.hops)


@MANY
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_a_controller_that_is_strict_only_narrows(seed, size):
    random = Random(seed)
    items = world(random, size)
    loose = reach(items, namespaces=SPACES)
    strict = reach(items, namespaces=SPACES, controllers=(Controller("argo", "", "Secure"),))
    for who in PEOPLE:
        assert set(strict.reached(who)) <= set(loose.reached(who))
        assert set(strict.chains(who)) <= set(loose.chains(who))
