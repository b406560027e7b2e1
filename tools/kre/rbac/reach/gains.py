"""What somebody can add to their own rights: by binding themselves to roles, or by widening a role that they have.

pkg/registry/rbac/escalation_check.go of k8s.io/kubernetes: a binding needs `bind` on the role that it refers to, in the
namespace of the binding, or that whoever makes it holds all that is in the role; a role needs `escalate`, or the same.
What one has to hold already, one does not gain: so `bind` and `escalate` are what counts here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

from kre.rbac.evaluate import EVERYTHING, Policy
from kre.rbac.model import Binding, Grant, Role, RoleKind, Step
from kre.rbac.objects import GROUP as RBAC
from kre.rbac.reach.holdings import Held, Holdings


class _Bound(NamedTuple):
    """A role, where it holds ("" for everywhere), and the grants that bring somebody there."""

    role: Role
    namespace: str
    chain: tuple[Step, ...] = ()


def gains(policy: Policy, bound: Iterable[Binding], grants: Iterable[Grant], spaces: Iterable[str]) -> list[Grant]:
    """The grants that somebody with these bindings and grants can add; `spaces` are the namespaces that are known."""
    spaces = tuple(spaces)
    held = list(grants)
    seen = {(grant.namespace, grant.rule) for grant in held}
    if ("", EVERYTHING) in seen:
        return []
    roles = [_Bound(role, one.namespace) for one in bound if (role := policy.role(one)) is not None]
    gained: list[Grant] = []
    while True:
        asked = Holdings([*held, *gained])
        more = [*_binds(policy, asked, spaces), *_new_roles(asked, spaces)]
        roles += [one for one, _ in more if one is not None]
        before = len(gained)
        for grant in [*(grant for _, some in more for grant in some), *_widens(asked, roles)]:
            if (grant.namespace, grant.rule) not in seen and ("", grant.rule) not in seen:
                seen.add((grant.namespace, grant.rule))
                gained.append(grant)
        if len(gained) == before:
            return gained


def _binds(policy: Policy, asked: Holdings, spaces: tuple[str, ...]) -> Iterator[tuple[_Bound, list[Grant]]]:
    """Roles that one can be bound to, each with what it gives."""
    may = {kind: list(asked.of("bind", RBAC, plural)) for kind, plural in _PLURAL.items()}
    if not any(may.values()):
        return
    for space, make, only in _makes(policy, asked, spaces):
        for role in policy.roles:
            if role.namespace not in ("", space) or (only is not None and (role.kind, role.name) not in only):
                continue
            bind = next((one for one in may[role.kind] if one.within(space) and one.fits(role.name)), None)
            if bind is not None:
                chain = (*make.grant.chain, *bind.grant.chain)
                rules = [rule for rule in policy.rules(role) if not (rule.urls and space)]
                found = [Grant(space, rule, (*chain, rule.step or role.step)) for rule in rules]
                yield _Bound(role, space, chain), found


def _makes(
    policy: Policy, asked: Holdings, spaces: tuple[str, ...]
) -> Iterator[tuple[str, Held, set[tuple[RoleKind, str]] | None]]:
    """(namespace, right, roles) of bindings that one can put oneself into: new ones for any role (None), and those that
    are there, whose role can't be changed."""
    for plural, where in (("clusterrolebindings", ("",)), ("rolebindings", spaces)):
        for make in asked.of("create", RBAC, plural):
            yield from ((space, make, None) for space in where if make.within(space))
        for make in asked.of("update patch", RBAC, plural):
            for space in where:
                there = (one for one in policy.bindings if one.namespace == space and make.fits(one.name))
                if make.within(space) and (only := {(one.role_kind, one.role) for one in there}):
                    yield space, make, only


def _widens(asked: Holdings, roles: list[_Bound]) -> Iterator[Grant]:
    """Everything, where one is bound to a role that one can rewrite; or to one that gathers what is labelled for it."""
    for role, space, chain in roles:
        plural = _PLURAL[role.kind]
        verbs = "create update patch" if role.selectors is not None else "update patch"
        for write in asked.of(verbs, RBAC, plural):
            free = next((one for one in asked.of("escalate", RBAC, plural) if _same(write, one, role)), None)
            if free is not None:
                yield Grant(space, EVERYTHING, (*chain, *write.grant.chain, *free.grant.chain))
                break


def _same(write: Held, free: Held, role: Role) -> bool:
    there = write.within(role.namespace) and free.within(role.namespace)
    if role.selectors is not None:  # any other ClusterRole will do, with the right label
        return there
    return there and write.fits(role.name) and free.fits(role.name)


def _new_roles(asked: Holdings, spaces: tuple[str, ...]) -> Iterator[tuple[None, list[Grant]]]:
    """Everything, where one can make a role of any content, and bind oneself to that."""
    for kind, binding, where in _ROLES_AND_BINDINGS:
        for write, free, bind, make in product(
            asked.of("create", RBAC, _PLURAL[kind]),
            asked.of("escalate", RBAC, _PLURAL[kind]),
            asked.of("bind", RBAC, _PLURAL[kind]),
            asked.of("create", RBAC, binding),
        ):
            if not free.names or not bind.names or free.names & bind.names:
                fitting = [
                    space
                    for space in (spaces if where is None else where)
                    if make.within(space) and bind.within(space) and _written(kind, space, write, free)
                ]
                yield None, [Grant(space, EVERYTHING, _chain(write, free, bind, make)) for space in fitting]


def _written(kind: str, space: str, *rights: Held) -> bool:
    """Whether a role for this namespace can be written: a Role in it, a ClusterRole outside of all."""
    return all(one.within(space if kind == "Role" else "") for one in rights)


def _chain(*rights: Held) -> tuple[Step, ...]:
    return tuple(step for one in rights for step in one.grant.chain)


_PLURAL = {"Role": "roles", "ClusterRole": "clusterroles"}
_ROLES_AND_BINDINGS: tuple[tuple[RoleKind, str, tuple[str, ...] | None], ...] = (  # and where; None for all namespaces
    ("Role", "rolebindings", None),
    ("ClusterRole", "rolebindings", None),
    ("ClusterRole", "clusterrolebindings", ("",)),
)
