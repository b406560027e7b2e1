"""Identities, the hops between them, and where chains of hops end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kre.rbac.model import ACCOUNT, AUTHENTICATED, Binding, Grant, User, account

NODE, ADMIN, SECRETS, ENGINE, ARGOCD = "node", "cluster-admin", "secrets", "engine", "argocd"
SINKS = {
    ADMIN: "whatever one likes, everywhere",
    NODE: "a node, with all that runs on it",
    SECRETS: "every Secret of the cluster",
    ENGINE: "the engine itself: its code, its templates, its tokens",
    ARGOCD: "Argo CD, and with it all that it applies",
}


class Who(NamedTuple):
    """An identity. Only a ServiceAccount has a namespace; a Group stands for whoever is in it."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def user(self) -> User:
        """As the API server sees it."""
        if self.kind == "ServiceAccount":
            return account(self.namespace, self.name)
        groups = (AUTHENTICATED, self.name) if self.kind == "Group" else (AUTHENTICATED,)
        return User("" if self.kind == "Group" else self.name, frozenset(groups))


def service_account(namespace: str, name: str) -> Who:
    """A ServiceAccount as an identity."""
    return Who("ServiceAccount", namespace, name)


def named(kind: str, name: str) -> Who:
    """A user or group by the name in a binding; a user with a ServiceAccount's name is that."""
    if kind == "User" and name.startswith(ACCOUNT) and name.count(":") == ACCOUNT.count(":") + 1:
        return service_account(*name.removeprefix(ACCOUNT).split(":"))
    return Who(kind, "", name)


def bound(binding: Binding) -> Iterator[Who]:
    """Whom a binding is for."""
    for subject in binding.subjects:
        if subject.kind == "ServiceAccount":
            yield service_account(subject.namespace or binding.namespace, subject.name)
        else:
            yield named(subject.kind, subject.name)


class Node(NamedTuple):
    """An identity as it is, or with `more`: after it has bound itself to all that it may, or widened its own role."""

    who: Who
    more: bool = False

    def __str__(self) -> str:
        return f"{self.who}, with more rights" if self.more else str(self.who)


class Edge(NamedTuple):
    """A hop: by what `way`, which grants make it possible, and to whom. `limit` is what narrows it down, or fails to;
    `narrowed` says that something does; `walls` are admission policies that have a say, and do not count; `about` the
    verb, group and resource."""

    way: str
    grants: tuple[Grant, ...]
    to: tuple[Node, ...]
    limit: str = ""
    walls: tuple[str, ...] = ()
    about: tuple[str, str, str] = ("", "", "")
    namespace: str = ""
    narrowed: bool = False


class End(NamedTuple):
    """A sink that an identity has in its hands, by what, and which grants make it possible.

    `pods`: by making a pod in a namespace of which nothing here says what its pods may be.
    """

    sink: str
    way: str
    grants: tuple[Grant, ...]
    pods: bool = False


class Hop(NamedTuple):
    """One step of a chain: who does it, what it is, and who one is then."""

    start: Node
    edge: Edge
    to: Node


class Chain(NamedTuple):
    """A shortest chain from somebody to a sink."""

    start: Node
    hops: tuple[Hop, ...]
    end: End
