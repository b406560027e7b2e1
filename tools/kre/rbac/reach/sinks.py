"""What of worth somebody with certain grants has in their hands at once."""

from __future__ import annotations

from collections.abc import Iterator

from kre.rbac.model import MASTERS, User
from kre.rbac.objects import GROUP as RBAC
from kre.rbac.reach import ways
from kre.rbac.reach.holdings import Held, Holdings
from kre.rbac.reach.hops import APPROVAL, places
from kre.rbac.reach.model import ADMIN, ARGOCD, ENGINE, NODE, SECRETS, End
from kre.rbac.reach.people import People
from kre.rbac.reach.ways import ARGO, WAYS, WRITE

# In the namespaces of the engine, and of Argo CD: verbs, group, resources.
_TAKEN_BY = (
    (WRITE, "apps", "deployments statefulsets daemonsets replicasets"),
    (WRITE, "batch", "jobs cronjobs"),
    (WRITE, "", "pods replicationcontrollers"),
    ("create get", "", "pods/exec pods/attach"),
    ("update patch", "", "pods/ephemeralcontainers"),
    ("get list watch create update patch", "", "secrets"),
    ("create", "", "serviceaccounts/token"),
    ("escalate bind", RBAC, "roles"),
)
_ENGINE = (*_TAKEN_BY, (WRITE, ARGO, "workflowtemplates cronworkflows sensors eventsources eventbus"))
_ARGOCD = (*_TAKEN_BY, (WRITE, ARGO, "applications applicationsets appprojects"))


def ends(user: User, asked: Holdings, around: People) -> Iterator[End]:
    """Each sink, by each right that gives it."""
    if MASTERS in user.groups:
        yield End(ADMIN, f"is in {MASTERS}", tuple(grant for grant in asked.grants if grant.rule.verbs == ("*",))[:1])
    yield from _everything(asked)
    for resource in ways.MUTATING.split():
        yield from _each(ADMIN, WRITE, ways.ADMISSION, resource, asked)
    yield from _each(SECRETS, ways.READ, "", "secrets", asked)
    yield from _each(SECRETS, WRITE, ways.ADMISSION, ways.SEEING, asked)
    yield from _nodes(asked, around)
    ground = around.ground
    for sink, spaces, table in ((ENGINE, ground.engine, _ENGINE), (ARGOCD, ground.argocd, _ARGOCD)):
        for verbs, group, resources in table:
            for resource in resources.split():
                yield from _inside(sink, spaces, verbs, group, resource, asked)
        yield from _maps(sink, spaces, asked, around)
    names = frozenset(wall.name for wall in ground.walls)
    for resource in ways.WALLS.split():
        for verb in ("create", "update", "patch", "delete", "deletecollection") if names else ():
            for held in asked.of(verb, ways.ADMISSION, resource):
                if not held.namespace and verb != "create" and (not held.names or held.names & names):
                    yield End(ENGINE, f"{verb} {resource}", (held.grant,))


def _everything(asked: Holdings) -> Iterator[End]:
    for grant in asked.grants:
        rule = grant.rule
        whole = all("*" in words for words in (rule.verbs, rule.groups, rule.resources)) and not rule.names
        if whole and not grant.namespace:
            yield End(ADMIN, "may do everything", (grant,))


def _each(sink: str, verbs: str, group: str, resource: str, asked: Holdings) -> Iterator[End]:
    """By a right that holds everywhere, on all of them."""
    for verb in verbs.split():
        for held in asked.of(verb, group, resource):
            if not held.namespace and (not held.names or group == ways.ADMISSION):
                yield End(sink, f"{verb} {resource}", (held.grant,))


def _nodes(asked: Holdings, around: People) -> Iterator[End]:
    """By the kubelet's API, a kubelet's certificate, or a pod where nothing keeps pods from taking over their node."""
    for held in (one for one in asked.of("get create", "", "nodes/proxy") if not one.namespace):
        yield End(NODE, "nodes/proxy", (held.grant,))
    approve = [one for one in asked.of("update patch", ways.CERTIFICATES, APPROVAL) if not one.namespace]
    for held in asked.of("approve", ways.CERTIFICATES, "signers"):
        if approve and not held.namespace and any(held.fits(name) for name in ways.KUBELETS):
            yield End(NODE, "approve certificates of kubelets", (approve[0].grant, held.grant))
    relabel = list(asked.of("update patch", "", "namespaces"))
    for way in WAYS:
        for resource in way.resources.split():
            for verb in way.verbs.split():
                for held in asked.of(verb, way.group, resource):
                    yield from _pods(way, f"{verb} {resource}", held, relabel, around)


def _pods(way: ways.Way, what: str, held: Held, relabel: list[Held], around: People) -> Iterator[End]:
    if way.aim == "cluster" and held.namespace:
        return
    for space in places(held, around):
        makes = way.pods or (way.aim in ("created", "changed") and not _kept(way, space, around))
        if not makes:
            continue
        if space not in around.ground.guarded:
            yield End(NODE, f"{what} in {space}, where nothing says what pods may be", (held.grant,), pods=True)
            return
        free = next((one for one in relabel if one.within(space) and one.fits(space)), None)
        if free is not None:
            yield End(NODE, f"{what} in {space}, and lift its Pod Security", (held.grant, free.grant))
            return


def _kept(way: ways.Way, space: str, around: People) -> bool:
    """Whether a Workflow gets no other pods than a template's."""
    return around.ground.holds(space, *(("Secure",) if way.aim == "changed" else ()))


def _inside(sink: str, spaces: frozenset[str], verbs: str, group: str, resource: str, asked: Holdings) -> Iterator[End]:
    for verb in verbs.split():
        for held in asked.of(verb, group, resource):
            for space in sorted(spaces):
                if held.within(space):
                    yield End(sink, f"{verb} {resource} in {space}", (held.grant,))


def _maps(sink: str, spaces: frozenset[str], asked: Holdings, around: People) -> Iterator[End]:
    """By writing ConfigMaps: any, or one that is there. The engine's code and settings are such."""
    for verb in WRITE.split():
        for held in asked.of(verb, "", "configmaps"):
            for space in sorted(spaces):
                there = {name for where, name in around.ground.maps if where == space}
                known = not held.names or sink == ARGOCD or held.names & there
                if held.within(space) and known:
                    yield End(sink, f"{verb} configmaps in {space}", (held.grant,))
