"""Everybody in an environment: whom one can become at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kre.rbac.environment import DEFAULT
from kre.rbac.evaluate import Policy
from kre.rbac.model import MASTERS
from kre.rbac.reach.ground import Ground
from kre.rbac.reach.model import Node, Who, bound, named, service_account
from kre.rbac.reach.ways import Aim


@dataclass(frozen=True)
class People:
    """Identities by namespace ("" for users and groups). `idle` run nothing."""

    of: dict[str, tuple[Who, ...]]
    idle: frozenset[Who]
    ground: Ground

    def spaces(self) -> list[str]:
        """Every namespace that is known."""
        return [space for space in self.of if space]

    def accounts(self, namespace: str) -> tuple[Who, ...]:
        """The ServiceAccounts of a namespace."""
        return self.of.get(namespace, ()) if namespace else ()

    def kind(self, kind: str) -> Iterator[Who]:
        """The users, or the groups."""
        return (who for who in self.of[""] if who.kind == kind)

    def aimed(self, aim: Aim, namespace: str, names: frozenset[str]) -> tuple[Node, ...]:
        """Whom a hop of this kind leads to; `names` are those that the right is limited to."""
        ground = self.ground
        if aim in ("cluster", "node"):
            spaces = [space for space in self.spaces() if aim == "node" or not ground.closed(space)]
            aim = "any" if aim == "cluster" else "running"
        else:
            spaces = [namespace]
        everybody = [who for space in spaces for who in self.accounts(space)]
        if aim == "running":
            everybody = [who for who in everybody if who not in self.idle]
        elif aim == "token":
            everybody = [who for who in everybody if not names or who.name in names]
        elif self.limited(aim, namespace):
            everybody = [who for who in everybody if (who.namespace, who.name) in ground.named]
        return tuple(Node(who) for who in everybody)

    def limited(self, aim: Aim, namespace: str) -> bool:
        """Whether Workflows run as whom templates name, and nobody else."""
        loose = self.ground.loose & {namespace, ""}
        held = {
            "template": True,
            "created": self.ground.holds(namespace),
            "changed": self.ground.holds(namespace, "Secure"),
        }
        return held.get(aim, False) and not loose


def people(policy: Policy, ground: Ground) -> People:
    """Those that objects name, and those that Kubernetes' own bindings are for; a `default` in each namespace."""
    ours = set(ground.everybody)
    theirs = {who for binding in policy.bindings for who in bound(binding)} | {named("Group", MASTERS)}
    found = ours | theirs
    spaces = {who.namespace for who in found} | set(ground.namespaces)
    found |= {service_account(space, DEFAULT) for space in spaces if space}
    of: dict[str, list[Who]] = {space: [] for space in sorted({"", *spaces})}
    for who in sorted(found):
        of[who.namespace].append(who)
    # Kubernetes' own controllers run in no pod that one could get into.
    idle = frozenset({service_account(*pair) for pair in ground.idle} | (theirs - ours))
    return People({space: tuple(some) for space, some in of.items()}, idle, ground)
