"""The hops that somebody with certain grants can take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kre.rbac.model import MASTERS
from kre.rbac.reach import ways
from kre.rbac.reach.controllers import STRICT, Controller
from kre.rbac.reach.holdings import Held, Holdings
from kre.rbac.reach.model import Edge, Node, Who
from kre.rbac.reach.people import People
from kre.rbac.reach.ways import WAYS, Way

APPROVAL = "certificatesigningrequests/approval"


def hops(asked: Holdings, around: People) -> Iterator[Edge]:
    """Each way to become others, with all whom it leads to."""
    for way in WAYS:
        for resource in way.resources.split():
            for verb in way.verbs.split():
                for held in asked.of(verb, way.group, resource):
                    yield from _by(way, verb, resource, held, around)
    yield from _impersonates(asked, around)
    yield from _token_secrets(asked, around)
    yield from _certificates(asked, around)


def places(held: Held, around: People) -> list[str]:
    """The namespaces that a right holds in."""
    return [held.namespace] if held.namespace else around.spaces()


def _by(way: Way, verb: str, resource: str, held: Held, around: People) -> Iterator[Edge]:
    everywhere = [""] if not held.namespace else []  # such a resource is in no namespace
    spaces = everywhere if way.aim in ("cluster", "node") else places(held, around)
    for space in spaces:
        to = around.aimed(way.aim, space, held.names)
        if to:
            edge = _edge(f"{verb} {resource}", space, (held,), to, around, (verb, way.group, resource))
            yield edge._replace(limit=_limit(way, space, around), narrowed=around.limited(way.aim, space))


def _limit(way: Way, space: str, around: People) -> str:
    """What narrows the hop down already, or would, and why it does not."""
    if way.aim not in ("created", "changed"):
        return ""
    at_work = [one for one in around.ground.controllers if one.manages(space)]
    modes = ", ".join(dict.fromkeys(one.mode or "no templateReferencing" for one in at_work))
    if around.limited(way.aim, space):
        return f"{modes}: only as whom templates name"
    if not at_work:
        return ""
    if around.ground.loose & {space, ""}:
        return f"{modes}, but a template takes its ServiceAccount from a parameter"
    if way.aim == "changed" and around.ground.holds(space):
        return f"{modes} looks at what is created; Secure would at changes"
    faults = ", ".join(dict.fromkeys(floor.id for one in at_work for floor in one.faults if floor.opens))
    return f"{modes}, which does not hold: {faults or 'other fields are allowed'}" if _strict(at_work) else modes


def _strict(at_work: Iterable[Controller]) -> bool:
    return all(one.mode in STRICT for one in at_work)


def _edge(
    what: str,
    space: str,
    rights: tuple[Held, ...],
    to: tuple[Node, ...],
    around: People,
    about: tuple[str, str, str],
) -> Edge:
    """`about` is the verb, group and resource that matter to admission."""
    walls = tuple(wall.name for wall in around.ground.walls if wall.about(*about, space))
    way = f"{what} in {space}" if space else what
    return Edge(way, tuple(held.grant for held in rights), to, "", walls, about, space)


def _impersonates(asked: Holdings, around: People) -> Iterator[Edge]:
    """As users and ServiceAccounts by their name; as a member of a group together with one of those."""
    verb = ways.IMPERSONATE
    first = None
    for held in asked.of(verb, "", "serviceaccounts"):
        first = first or held
        for space in places(held, around):
            to = around.aimed("token", space, held.names)
            yield _edge(f"{verb} serviceaccounts", space, (held,), to, around, (verb, "", "serviceaccounts"))
    for held in _outside(asked.of(verb, "", "users")):
        first = first or held
        yield _edge(f"{verb} users", "", (held,), _fitting(around.kind("User"), held), around, (verb, "", "users"))
    for held in _outside(asked.of(verb, "", "groups")):
        if first is not None:
            to = _fitting(around.kind("Group"), held)
            yield _edge(f"{verb} groups", "", (held, first), to, around, (verb, "", "groups"))


def _outside(rights: Iterable[Held]) -> Iterator[Held]:
    """Those that hold outside of namespaces."""
    return (held for held in rights if not held.namespace)


def _fitting(whom: Iterable[Who], held: Held) -> tuple[Node, ...]:
    return tuple(Node(who) for who in whom if held.fits(who.name))


def _token_secrets(asked: Holdings, around: People) -> Iterator[Edge]:
    """By a Secret that holds the token of a ServiceAccount: one that is there, or a new one of that type."""
    reading = list(asked.of(ways.READ, "", "secrets"))
    for held in reading:
        for space in places(held, around):
            there = {account for one, secret, account in around.ground.tokens if one == space and held.fits(secret)}
            to = tuple(Node(who) for who in around.accounts(space) if who.name in there)
            if to:
                yield _edge("read secrets", space, (held,), to, around, ("get", "", "secrets"))
    for made in asked.of("create", "", "secrets"):
        for space in places(made, around):
            if (read := next((one for one in reading if one.within(space)), None)) is not None:
                to = around.aimed("any", space, read.names)
                yield _edge("create and read secrets", space, (made, read), to, around, ("create", "", "secrets"))


def _certificates(asked: Holdings, around: People) -> Iterator[Edge]:
    """By a certificate for whoever it is that one approves; admission keeps system:masters out of those."""
    approve = next(_outside(asked.of("update patch", ways.CERTIFICATES, APPROVAL)), None)
    for held in _outside(asked.of("approve", ways.CERTIFICATES, "signers")):
        if approve is not None and any(held.fits(name) for name in ways.SIGNERS):
            everybody = (who for some in around.of.values() for who in some)
            to = tuple(Node(who) for who in everybody if (who.kind, who.name) != ("Group", MASTERS))
            about = ("update", ways.CERTIFICATES, APPROVAL)
            yield _edge("approve certificates", "", (approve, held), to, around, about)
