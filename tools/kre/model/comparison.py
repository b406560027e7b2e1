"""What a change means: objects before and after, and the risks among the differences."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from kre.model.resource import Pointer, Resource


class Kind(StrEnum):
    """What nobody should let through unnoticed. docs/rules.md has a rule for each."""

    RBAC = "rbac-widened"
    TARGETS = "targets-widened"
    MODE = "mode-changed"
    AUTHENTICATION = "authentication-weaker"
    NETWORK = "network-widened"
    ADMISSION = "admission-loosened"
    STREAM = "stream-config"
    DETECTION = "detection-gap"
    PROTECTED = "protected-loosened"
    DELIVERY = "delivery-changed"
    PROJECT = "project-widened"
    WORKLOAD = "workload-changed"
    VALUES = "values-changed"
    POLICY = "policy-loosened"
    ENVIRONMENT = "environment-changed"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """An object of an environment: the folder that renders it, relative to the environment's own, and its identity.

    A name that Kustomize gave a hash stands here without.
    """

    folder: str
    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Delta:
    """An object that is added (`before` is None), removed (`after` is None) or changed.

    `old` and `new` are its bodies in the form in which they are compared, unmasked: never print them.
    """

    key: Key
    before: Resource | None
    after: Resource | None
    old: object = field(repr=False, default=None)
    new: object = field(repr=False, default=None)

    @property
    def what(self) -> str:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a change does, in words, with the values that make it: those count, unprinted, for the digest.

    It is at `pointer` of `resource`, which is of the older revision where it is `gone`; or else in the file `path`.
    """

    kind: Kind
    subject: str
    what: str
    before: object = field(repr=False, default=None)
    after: object = field(repr=False, default=None)
    resource: Resource | None = field(repr=False, default=None)
    pointer: Pointer = ()
    gone: bool = False
    path: str = ""

    def __str__(self) -> str:
        return f"{self.subject}: {self.what}"


@dataclass(frozen=True, slots=True)
class Risk:
    """All changes of one kind in one environment. `digest` is that of exactly these changes."""

    kind: Kind
    environment: str
    digest: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A right: who may do what, on which resources and names ("" for any), in which namespace ("" for all of them).

    `group` is an API group; of a path that is no resource, `resource` is the path and `group` is "(path)".
    """

    subject: str
    namespace: str
    verb: str
    group: str
    resource: str
    name: str = ""

    def __str__(self) -> str:
        of = f".{self.group}" if self.group and self.group != "(path)" else ""
        only = f" {self.name}" if self.name else ""
        return f"{self.subject} may {self.verb} {self.resource}{of}{only} in {self.namespace or 'every namespace'}"


@dataclass(frozen=True, slots=True)
class Responses:
    """What one environment answers to: response -> its lane, mode, and the patterns of its rules."""

    mode: str = ""
    targets: tuple[str, ...] = ()
    enabled: tuple[tuple[str, str, str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a summary tells beside the risks."""

    cluster_scoped: tuple[str, ...] = ()
    crds: tuple[str, ...] = ()
    images: tuple[tuple[str, str], ...] = ()  # (before, after), "" for none
    charts: tuple[tuple[str, str, str], ...] = ()  # (chart, version before, after)
    granted: tuple[Grant, ...] = ()
    withdrawn: tuple[Grant, ...] = ()
    responses: tuple[Responses, Responses] = (Responses(), Responses())
    code: tuple[str, ...] = ()  # files of the engine's code that differ


@dataclass(frozen=True, slots=True)
class Comparison:
    """One environment before and after: `environment` names it as it is now, or as it was where it is gone."""

    environment: str
    promoted: bool
    deltas: tuple[Delta, ...] = ()
    risks: tuple[Risk, ...] = ()
    facts: Facts = Facts()
