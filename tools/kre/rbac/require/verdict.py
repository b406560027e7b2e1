"""What each identity needs beside what it is granted: what is missing, what is too much, what it must not have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kre.model.bundle import Bundle, Environment
from kre.rbac.budget import NAMELESS, PATH
from kre.rbac.environment import World, world
from kre.rbac.match import allows
from kre.rbac.model import Grant, Rule, Step, User
from kre.rbac.model import account as account_of
from kre.rbac.require.acts import acts
from kre.rbac.require.model import Account, Act, Level, Need
from kre.rbac.words import full


@dataclass(frozen=True, slots=True)
class Lack:
    """A right that is needed and not granted, and what needs it."""

    need: Need
    act: Act


@dataclass(frozen=True, slots=True)
class Piece:
    """One right as a role's rule writes it, stars and all, in a namespace ("" for everywhere), and its chain."""

    verb: str
    group: str
    resource: str
    name: str
    namespace: str
    chain: tuple[Step, ...] = field(repr=False, compare=False)

    def gives(self, need: Need) -> bool:
        """Whether it is a right to what is needed, whatever its name."""
        rule = Rule((self.verb,), (self.group,), (self.resource,))
        return self.namespace in ("", need.namespace) and not self.name and allows(rule, need.question)

    def __str__(self) -> str:
        resource = self.resource if self.group == PATH else full(self.resource, self.group)
        return f"{self.verb} {resource}{f' {self.name}' if self.name else ''}"


@dataclass(frozen=True, slots=True)
class Against:
    """A right that is granted, and that something which the identity does forbids."""

    need: Need
    act: Act
    grant: Grant


@dataclass(frozen=True)
class Verdict:
    """Of one identity. `excess` is empty where not all of its needs are known: `unknown` has the reasons.

    `held` is everything that the environment's own objects grant it; `guessed` means that needs come from commands.
    """

    who: Account
    acts: tuple[Act, ...]
    held: tuple[Piece, ...] = ()
    missing: tuple[Lack, ...] = ()
    excess: tuple[Piece, ...] = ()
    forbidden: tuple[Against, ...] = ()
    unknown: tuple[str, ...] = ()

    def granting(self, need: Need) -> Piece | None:
        """What gives it a right that it needs; None where nothing of the environment's own does."""
        return next((piece for piece in self.held if piece.gives(need)), None)

    @property
    def guessed(self) -> bool:
        return any(act.guessed for act in self.acts)

    @property
    def equal(self) -> bool:
        """Whether it holds what it needs, and no more, and all of that is known."""
        return not (self.missing or self.excess or self.forbidden or self.unknown)


def verdicts(bundle: Bundle, environment: Environment | None) -> list[Verdict]:
    """One for every identity of an environment, sorted."""
    known = world(bundle, environment.name if environment else None)
    return [_verdict(known, who, tuple(done)) for who, done in acts(bundle, environment).items()]


def user(who: Account) -> User:
    """Somebody as the API server sees them."""
    kind, _, name = who.partition(" ")
    if kind == "ServiceAccount":
        space, _, name = name.partition("/")
        return account_of(space, name)
    return User(name) if kind == "User" else User("", frozenset((name,)))


def _verdict(known: World, who: Account, done: tuple[Act, ...]) -> Verdict:
    asks = user(who)
    needs = {need.right: (need, act) for act in reversed(done) for need in act.needs if need.level is Level.REQUIRED}
    missing = [Lack(need, act) for need, act in needs.values() if not known.policy.allows(asks, need.question)]
    fine = {need.right for act in done for need in act.needs if need.level is not Level.FORBIDDEN}
    held = tuple(piece for grant in known.policy.grants(asks) if grant.written for piece in _pieces(grant))
    unknown = tuple(dict.fromkeys(act.unknown for act in done if act.unknown))
    excess = () if unknown else tuple(piece for piece in held if not _needed(piece, fine))
    against = {
        need.right: Against(need, act, grant)
        for act in done
        for need in act.needs
        if need.level is Level.FORBIDDEN
        for grant in known.policy.why(asks, need.question)
        if grant.written
    }
    banned = {(one.need.verb, one.need.group, one.need.resource) for one in against.values()}
    excess = tuple(piece for piece in excess if (piece.verb, piece.group, piece.resource) not in banned)
    ordered = sorted(missing, key=lambda lack: lack.need)
    return Verdict(who, done, held, tuple(ordered), excess, tuple(against.values()), unknown)


def _pieces(grant: Grant) -> Iterator[Piece]:
    rule = grant.rule
    for verb in rule.verbs:
        for url in rule.urls:
            yield Piece(verb, PATH, url, "", grant.namespace, grant.chain)
        for group in rule.groups:
            for resource in rule.resources:
                for name in rule.names or ("",):
                    shown = (name or NAMELESS) if rule.names else ""
                    yield Piece(verb, group, resource, shown, grant.namespace, grant.chain)


def _needed(piece: Piece, fine: set[tuple[str, str, str, str]]) -> bool:
    return (piece.verb, piece.group, piece.resource, piece.namespace) in fine
