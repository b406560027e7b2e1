"""R038, E13: bindings, roles and ServiceAccounts that lead nowhere, or say a thing twice."""

from __future__ import annotations

from collections.abc import Iterator

from kre.compare.grants import covers, rights_of
from kre.load.embedded import objects
from kre.load.provenance import place
from kre.model.bundle import Bundle
from kre.model.finding import Related
from kre.model.resource import dig
from kre.rbac.environment import DEFAULT
from kre.rbac.identities import Identity, Use
from kre.rbac.match import selects
from kre.rbac.model import Binding
from kre.rules.held import Side, sides
from kre.rules.references import suggest
from kre.rules.registry import Hit, hit, rule


@rule(
    "R038",
    "the role of every binding is there",
    "world",
    peers=("kube-linter flagRolesNotFound", "kubescape", "krane subjects-with-non-existing-roles"),
)
def roles_there(bundle: Bundle) -> Iterator[Hit]:
    for side in sides(bundle):
        for binding in side.bindings:
            if binding.resource is None or side.policy.role(binding) is not None:
                continue
            same = [role.name for role in side.roles if role.kind == binding.role_kind]
            if side.environment or same:  # a folder without any of them: they are in the cluster
                where = f" in namespace {binding.namespace}" if binding.role_kind == "Role" else ""
                message = f"{binding.step(0)} gives {binding.role_kind} {binding.role}, which is not there{where}"
                hint = suggest(binding.role, same)
                yield hit(
                    bundle,
                    binding.resource,
                    ("roleRef",),
                    f"{message}: it gives nothing, until somebody makes it",
                    hint,
                )


@rule("E13", "every role, binding and ServiceAccount leads somewhere, and says a thing once", "world", "warning")
def dangling(bundle: Bundle) -> Iterator[Hit]:
    """In a folder without environments, things of a kind of which it has none are taken to be in the cluster."""
    for side in sides(bundle):
        running = side.running
        if side.environment or running:
            yield from _accounts(bundle, side, running)
        yield from _subjects(bundle, side)
        if side.environment or side.bindings:
            yield from _roles(bundle, side)
        yield from _twice(bundle, side)
        yield from _shared(bundle, side, running)


def _accounts(bundle: Bundle, side: Side, running: tuple[Identity, ...]) -> Iterator[Hit]:
    used = {(one.namespace, one.name) for one in (*running, *side.could)}
    free = {one.namespace for one in running if one.parameterised}
    bound = {
        (subject.namespace or binding.namespace, subject.name)
        for binding in side.bindings
        for subject in binding.subjects
        if subject.kind == "ServiceAccount"
    }
    for item in side.world.resources:
        key = (item.namespace or DEFAULT, item.name)
        if item.kind == "ServiceAccount" and key not in used | bound and item.name != DEFAULT and key[0] not in free:
            yield hit(
                bundle, item, ("metadata", "name"), f"nothing runs as {item}, and no binding names it", "remove it"
            )


def _subjects(bundle: Bundle, side: Side) -> Iterator[Hit]:
    """Only in a namespace whose objects are all here: a chart may make it, or somebody else."""
    known = {(it.namespace or DEFAULT, it.name) for it in side.world.resources if it.kind == "ServiceAccount"}
    spaces = {item.namespace or DEFAULT for item in side.world.resources if item.kind != "RoleBinding"}
    spaces -= {str(dig(item.body, "spec", "destination", "namespace")) for item, _, _ in side.world.charts}
    for binding in side.bindings if known else ():
        for index, subject in enumerate(binding.subjects):
            key = (subject.namespace or binding.namespace, subject.name)
            wanted = subject.kind == "ServiceAccount" and subject.name != DEFAULT and key[0] in spaces
            if wanted and key not in known and binding.resource is not None:
                near = suggest(subject.name, (name for space, name in known if space == key[0]))
                message = f"{binding.step(0)} names ServiceAccount {key[0]}/{key[1]}, which is not there"
                yield hit(bundle, binding.resource, ("subjects", index), message, near)


def _roles(bundle: Bundle, side: Side) -> Iterator[Hit]:
    named = {(item.role_kind, item.namespace if item.role_kind == "Role" else "", item.role) for item in side.bindings}
    selectors = [one for role in side.policy.roles for one in role.selectors or ()]
    for role in side.roles:
        if role.kind == "ClusterRole" and role.name in side.engine:
            continue
        joins = role.kind == "ClusterRole" and any(selects(one, role.labels) for one in selectors)
        if (role.kind, role.namespace, role.name) not in named and not joins and role.resource is not None:
            yield hit(bundle, role.resource, ("metadata", "name"), f"nobody is bound to {role.step}", "remove it")


def _twice(bundle: Bundle, side: Side) -> Iterator[Hit]:
    """Rules that others of the same role say already, and bindings that others say already. A rule with a star is none
    to keep: R001 to R004 have that."""
    for role in side.roles:
        pieces = [set(rights_of("", "", (rule,))) for rule in role.rules]
        for index, mine in enumerate(pieces):
            listed = (it for at, it in enumerate(pieces) if at < index or (at > index and it != mine))
            others = {one for it in listed for one in it if "*" not in (one.verb, one.group, one.resource)}
            covered = mine and all(any(covers(wide, right) for wide in others) for right in mine)
            if covered and role.resource is not None:
                message = f"{role.step}: other rules give all that this one does"
                yield hit(bundle, role.resource, ("rules", index), message, "take it out")
    seen: dict[tuple[object, ...], tuple[Binding, int]] = {}
    for binding in side.bindings:
        for index, subject in enumerate(binding.subjects):
            space = (subject.namespace or binding.namespace) if subject.kind == "ServiceAccount" else ""
            key = (binding.namespace, binding.role_kind, binding.role, subject.kind, space, subject.name)
            other, at = seen.setdefault(key, (binding, index))
            if (other, at) != (binding, index) and binding.resource is not None and other.resource is not None:
                related = (Related(place(bundle, other.resource, ("subjects", at)), "the other"),)
                message = f"{binding.step(0)} gives {subject.kind} {subject.name} what {other.step(0)} gives already"
                yield hit(bundle, binding.resource, ("subjects", index), message, "keep one", related)


def _shared(bundle: Bundle, side: Side, running: tuple[Identity, ...]) -> Iterator[Hit]:
    """A ServiceAccount with rights that two things run as: each can do what the other needs."""
    for identity in running:
        users: dict[str, Use] = {}
        for use in identity.uses:
            if use.values is None and not _within(use):
                users.setdefault(str(use.resource), use)
        if len(users) > 1 and side.holds(identity.namespace, identity.name):
            first, second, *more = sorted(users)
            others = f", {second} and {len(more)} more" if more else f" and {second}"
            message = f"{first}{others} run as {identity}: each may do what the other needs"
            use = users[second]
            yield hit(bundle, use.resource, use.pointer, message, "give each a ServiceAccount of its own")


def _within(use: Use) -> bool:
    """Whether it is Argo's executor, which is one thing wherever it runs, or what a trigger makes of a template."""
    inner = any(use.pointer[: len(one.at)] == one.at for one in objects(use.resource))
    return inner or use.pointer[-2:-1] == ("executor",)
