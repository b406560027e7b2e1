"""Needs, and what has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from kre.model.finding import Place
from kre.model.resource import Pointer, Resource
from kre.rbac.model import Question
from kre.rbac.words import full

Account: TypeAlias = str  # as a budget names it: "ServiceAccount NAMESPACE/NAME", "Group NAME", "User NAME"


class Level(StrEnum):
    """required: without it the thing fails. tolerated: it asks for it somewhere. forbidden: it must not have it."""

    REQUIRED = "required"
    TOLERATED = "tolerated"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """One right: `namespace` is "" for all of them, or for what is in none. `why` is for one that is forbidden."""

    level: Level
    verb: str
    group: str
    resource: str
    namespace: str
    why: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.verb} {full(self.resource, self.group)}"

    @property
    def question(self) -> Question:
        """What the API server would be asked."""
        plural, _, sub = self.resource.partition("/")
        return Question(self.verb, self.group, plural, sub, namespace=self.namespace)

    @property
    def right(self) -> tuple[str, str, str, str]:
        """(verb, group, resource, namespace)."""
        return self.verb, self.group, self.resource, self.namespace


@dataclass(frozen=True, slots=True)
class Act:
    """Something that somebody does: what, and where it is written.

    `unknown` says why nobody can tell what it needs, "" where the needs are all. `guessed` ones come from the text of a
    command. `declared` is where a program's own file lists the needs, and `source` the code that they were read in.
    """

    who: Account
    what: str
    resource: Resource | None = field(repr=False)
    pointer: Pointer = ()
    needs: tuple[Need, ...] = ()
    unknown: str = ""
    guessed: bool = False
    source: str = ""
    declared: Place | None = None


def account(namespace: str, name: str) -> Account:
    """A ServiceAccount, as a budget names it."""
    return f"ServiceAccount {namespace}/{name}"
