"""Who may do what under a set of Roles and bindings: the authorizer, without a cluster.

Mirrors plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac/validation/rule.go of k8s.io/kubernetes: rules are looked
at one by one and only ever add; a binding to a role that is not there gives nothing; what belongs to no namespace is
given by ClusterRoleBindings alone. Members of `system:masters` may do everything, whatever the roles say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from kre.rbac.aggregate import aggregate
from kre.rbac.match import allows
from kre.rbac.model import ACCOUNT, MASTERS, Binding, Grant, Question, Role, Rule, Step, Subject, User

_URLS = "\0urls"  # no resource
EVERYTHING = Rule(("*",), ("*",), ("*",), (), ("*",))


class Policy:
    """Roles and bindings, ready to be asked.

    Two roles of one kind, namespace and name are as one with the rules of both. `unsettled` names the ClusterRoles
    whose rules never come to rest (kre.rbac.aggregate); they count with all that they may hold.
    """

    def __init__(self, roles: Iterable[Role], bindings: Iterable[Binding]) -> None:
        given = list(roles)
        cluster = [role for role in given if role.kind == "ClusterRole"]
        merged = _merged(cluster)
        found = aggregate(merged)
        self.unsettled = found.unsettled
        self._held: dict[tuple[str, str, str], _Held] = {}
        self._roles: dict[tuple[str, str, str], Role] = {}
        for role in (*_merged(role for role in given if role.kind == "Role"), *merged):
            key = (role.kind, role.namespace, role.name)
            self._held[key] = _Held(found.rules[role.name] if role.kind == "ClusterRole" else role.rules)
            self._roles[key] = role
        self._bound: dict[str, dict[str, list[tuple[Binding, int]]]] = {"User": {}, "Group": {}}
        self.bindings = tuple(bindings)
        for binding in self.bindings:
            for index, subject in enumerate(binding.subjects):
                kind, name = _who(subject, binding)
                self._bound[kind].setdefault(name, []).append((binding, index))

    @property
    def roles(self) -> Iterable[Role]:
        """Every Role and ClusterRole."""
        return self._roles.values()

    def has(self, kind: str, namespace: str, name: str) -> bool:
        """Whether there is a role of this name."""
        return (kind, namespace, name) in self._roles

    def role(self, binding: Binding) -> Role | None:
        """The role that a binding refers to, None where there is none: then it gives nothing."""
        return self._roles.get(_reference(binding))

    def rules(self, role: Role) -> tuple[Rule, ...]:
        """What a role holds, aggregation done."""
        return self._held[role.kind, role.namespace, role.name].rules

    def allows(self, user: User, asked: Question) -> bool:
        """Whether somebody may do something."""
        return next(self.why(user, asked), None) is not None

    def why(self, user: User, asked: Question) -> Iterator[Grant]:
        """Every grant that allows it, those for everywhere first; none where it is not allowed."""
        if MASTERS in user.groups:
            yield Grant("", EVERYTHING, (Step("Group", "", MASTERS),))
        for binding, index in self._of(user):
            if not binding.namespace or (not asked.path and binding.namespace == asked.namespace):
                held = self._held.get(_reference(binding))
                fitting = (rule for rule in held.about(asked) if allows(rule, asked)) if held else ()
                yield from self._granted(binding, index, fitting)

    def grants(self, user: User) -> Iterator[Grant]:
        """All that somebody has: each rule, with where it holds and what gives it."""
        if MASTERS in user.groups:
            yield Grant("", EVERYTHING, (Step("Group", "", MASTERS),))
        for binding, index in self._of(user):
            held = self._held.get(_reference(binding))
            rules = held.rules if held else ()
            yield from self._granted(binding, index, (it for it in rules if not (it.urls and binding.namespace)))

    def bound(self, user: User) -> Iterator[Binding]:
        """The bindings that are for somebody: cluster-wide ones first."""
        return (binding for binding, _ in self._of(user))

    def _of(self, user: User) -> Iterator[tuple[Binding, int]]:
        """The bindings for somebody, each once, with the subject that fits: cluster-wide ones first."""
        found = [*self._bound["User"].get(user.name, ())]
        for group in sorted(user.groups):
            found += self._bound["Group"].get(group, ())
        seen: set[int] = set()
        for binding, index in sorted(found, key=lambda entry: bool(entry[0].namespace)):
            if id(binding) not in seen:
                seen.add(id(binding))
                yield binding, index

    def _granted(self, binding: Binding, subject: int, rules: Iterable[Rule]) -> Iterator[Grant]:
        """Rules of the role that a binding refers to, each with its chain: the role stands in it where the rule is not
        its own."""
        reference, namespace = _reference(binding), binding.namespace
        first = (binding.step(subject),)
        through = (*first, self._roles[reference].step) if reference in self._roles else first
        for rule in rules:
            step = rule.step
            if step is None:
                yield Grant(namespace, rule, through)
            else:
                own = (step.kind, step.namespace, step.name) == reference
                yield Grant(namespace, rule, (*(first if own else through), step))


class _Held:
    """The rules of a role, found by what they are about."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        self._about: dict[str, list[int]] | None = None

    def about(self, asked: Question) -> Iterable[Rule]:
        """Those that may allow something, in their order: all about its resource, or all about URLs."""
        if self._about is None:
            self._about = {}
            for index, rule in enumerate(self.rules):
                for resource in {*rule.resources, *([_URLS] if rule.urls else [])}:
                    self._about.setdefault(resource, []).append(index)
        if asked.path:
            keys = [_URLS]
        elif asked.subresource:
            keys = ["*", f"{asked.resource}/{asked.subresource}", f"*/{asked.subresource}"]
        else:
            keys = ["*", asked.resource]
        found = {index for key in keys for index in self._about.get(key, ())}
        return [self.rules[index] for index in sorted(found)]


def policy(items: Iterable[Role | Binding]) -> Policy:
    """The Policy of Roles and bindings, in whatever order."""
    given = list(items)
    return Policy(
        (item for item in given if isinstance(item, Role)), (item for item in given if isinstance(item, Binding))
    )


def _merged(roles: Iterable[Role]) -> list[Role]:
    together: dict[tuple[str, str], list[Role]] = defaultdict(list)
    for role in roles:
        together[role.namespace, role.name].append(role)
    return [same[0] if len(same) == 1 else _as_one(same) for same in together.values()]


def _as_one(same: list[Role]) -> Role:
    """One role of several with the same name: the rules, labels and selectors of all."""
    first = same[0]
    selectors = [role.selectors for role in same if role.selectors is not None]
    return Role(
        first.kind,
        first.namespace,
        first.name,
        tuple(dict.fromkeys(rule for role in same for rule in role.rules)),
        {key: value for role in reversed(same) for key, value in role.labels.items()},
        tuple(one for some in selectors for one in some) if selectors else None,
        first.resource,
    )


def _reference(binding: Binding) -> tuple[str, str, str]:
    return binding.role_kind, binding.namespace if binding.role_kind == "Role" else "", binding.role


def _who(subject: Subject, binding: Binding) -> tuple[str, str]:
    """("User", name) or ("Group", name). A ServiceAccount is the user that the API server takes it for."""
    if subject.kind != "ServiceAccount":
        return subject.kind, subject.name
    return "User", f"{ACCOUNT}{subject.namespace or binding.namespace}:{subject.name}"
