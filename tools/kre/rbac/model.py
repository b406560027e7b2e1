"""Roles, bindings and questions, as the authorizer sees them, each with where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from kre.model.resource import Pointer, Resource

ACCOUNT = "system:serviceaccount:"
MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"

RoleKind: TypeAlias = Literal["Role", "ClusterRole"]


@dataclass(frozen=True, slots=True)
class Step:
    """One link of a chain that gives a right: an object, and what in it.

    `resource` is None for what stands in no file: one of Kubernetes' own roles and bindings.
    """

    kind: str
    namespace: str
    name: str
    pointer: Pointer = ()
    resource: Resource | None = field(repr=False, compare=False, default=None)

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A PolicyRule. Two are equal if they say the same, in the same order, wherever they stand."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    step: Step | None = field(repr=False, compare=False, default=None)

    @property
    def starred(self) -> bool:
        """Whether it is about everything of some sort."""
        return "*" in (*self.verbs, *self.groups, *self.resources)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition of a label selector: the key, the operator, and the values that it is about."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()


Selector: TypeAlias = tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Role:
    """A Role, or a ClusterRole (without a namespace). `selectors` is None where it does not aggregate others."""

    kind: RoleKind
    namespace: str
    name: str
    rules: tuple[Rule, ...] = ()
    labels: Mapping[str, str] = field(repr=False, default_factory=dict)
    selectors: tuple[Selector, ...] | None = None
    resource: Resource | None = field(repr=False, compare=False, default=None)

    @property
    def step(self) -> Step:
        return Step(self.kind, self.namespace, self.name, (), self.resource)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a binding is for. Only a ServiceAccount has a namespace, "" for that of the binding."""

    kind: str
    name: str
    namespace: str = ""

    def title(self, namespace: str) -> str:
        """As a budget names it; `namespace` is that of the binding."""
        space = f"{self.namespace or namespace}/" if self.kind == "ServiceAccount" else ""
        return f"{self.kind} {space}{self.name}"


@dataclass(frozen=True, slots=True)
class Binding:
    """A RoleBinding, or a ClusterRoleBinding (without a namespace)."""

    namespace: str
    name: str
    role_kind: RoleKind
    role: str
    subjects: tuple[Subject, ...] = ()
    resource: Resource | None = field(repr=False, compare=False, default=None)

    @property
    def kind(self) -> str:
        return "RoleBinding" if self.namespace else "ClusterRoleBinding"

    def step(self, subject: int) -> Step:
        """The binding as a link of a chain, at the subject of this index."""
        return Step(self.kind, self.namespace, self.name, ("subjects", subject), self.resource)


@dataclass(frozen=True, slots=True, order=True)
class User:
    """Who asks: a user name, and exactly the groups that it is in."""

    name: str
    groups: frozenset[str] = field(default=frozenset(), compare=False)


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be done. With a `path` it is about that URL, and everything else but the verb is left out."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    namespace: str = ""
    path: str = ""

    @property
    def whole(self) -> str:
        """RESOURCE, or RESOURCE/SUBRESOURCE."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Grant(NamedTuple):
    """A rule that somebody has, in a namespace ("" for everywhere), and the chain that gives it: the binding, its
    role, and the role whose own rule it is, where that is another one."""

    namespace: str
    rule: Rule
    chain: tuple[Step, ...]

    @property
    def written(self) -> bool:
        """Whether an object of the environment has a part in it, so that it does not come with every cluster."""
        return any(step.resource is not None for step in self.chain)


def account(namespace: str, name: str) -> User:
    """A ServiceAccount with the groups that the API server puts it into
    (k8s.io/apiserver/pkg/authentication/serviceaccount)."""
    groups = {"system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED}
    return User(f"{ACCOUNT}{namespace}:{name}", frozenset(groups))
