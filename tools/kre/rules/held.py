"""Who has each rule of each role, and where; and what the budgets give a reason for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kre.compare.spending import budgeted
from kre.compare.waiting import holders, options, settled, targets
from kre.model.bundle import Bundle, Environment
from kre.model.comparison import Grant
from kre.model.once import once
from kre.rbac.environment import World, world
from kre.rbac.evaluate import Policy
from kre.rbac.identities import Identity, identities, running
from kre.rbac.model import Binding, Role, Step, Subject, account

_Key = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who has a rule, as a budget writes the name ("" for whoever may come), and the namespace ("" for all).

    `engine`: by the very binding that rule F08 wants in a target. `binding` is None where there is none here.
    """

    name: str
    namespace: str
    engine: bool = False
    binding: Binding | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Side:
    """What lives side by side.

    `world` has the bindings of targets to come; `held` says who has each rule of its own roles, `reasons` what the
    budget lists with a reason, by holder. `running` is whoever something runs as, `could` whoever responses that can be
    enabled run as; `engine` says who is to be bound to which ClusterRole in each target (rule F08 sees to that).
    """

    environment: Environment | None
    world: World
    running: tuple[Identity, ...]
    could: tuple[Identity, ...]
    engine: Mapping[str, Subject]
    held: Mapping[_Key, tuple[Holder, ...]]
    reasons: Mapping[str, tuple[Grant, ...]]

    @property
    def roles(self) -> list[Role]:
        return [item for item in self.world.own if isinstance(item, Role) and item.resource is not None]

    @property
    def bindings(self) -> list[Binding]:
        return [item for item in self.world.own if isinstance(item, Binding)]

    @property
    def policy(self) -> Policy:
        return self.world.policy

    def of(self, role: Role, index: int) -> Iterable[Holder]:
        """Everybody who has one rule of a role. Of a role that nobody has, in a folder without environments: whoever
        may be bound to it elsewhere."""
        found = self.held.get((role.kind, role.namespace, role.name, index), ())
        anybody = Holder("", "" if role.kind == "ClusterRole" else role.namespace or "its namespace")
        return found if found or self.environment else (anybody,)

    def holds(self, namespace: str, name: str) -> bool:
        """Whether a ServiceAccount has a right that does not come with every cluster, or is to have one."""
        if any((one.namespace, one.name) == (namespace, name) for one in self.engine.values()):
            return True
        return any(grant.written for grant in self.policy.grants(account(namespace, name)))


@once
def sides(bundle: Bundle) -> list[Side]:
    """One for each environment that is judged; one for a folder without any."""
    return [_side(bundle, environment) for environment, _ in bundle.worlds]


def _side(bundle: Bundle, environment: Environment | None) -> Side:
    known = settled(bundle, environment) if environment else world(bundle, None)
    wanted = holders(bundle, environment) if environment else {}
    engine: set[tuple[str, str, str]] = set()
    reasons: dict[str, list[Grant]] = {}
    if environment:
        for name, subject in wanted.items():
            engine |= {(subject.title(""), space, name) for space in targets(bundle, environment)}
        for entry in budgeted(bundle, environment):
            if entry.reason:
                reasons.setdefault(entry.scoped.subject, []).extend(entry.rights)
    held: dict[_Key, dict[Holder, None]] = {}
    for step, holder in _held(known, engine):
        held.setdefault((step.kind, step.namespace, step.name, int(step.pointer[1])), {})[holder] = None
    return Side(
        environment,
        known,
        running(bundle, environment.name if environment else None),
        identities(bundle, options(bundle, environment)) if environment else (),
        wanted,
        {key: tuple(found) for key, found in held.items()},
        {name: tuple(found) for name, found in reasons.items()},
    )


def _held(known: World, engine: set[tuple[str, str, str]]) -> Iterator[tuple[Step, Holder]]:
    """(a rule of ours, somebody who has it), by whatever role it comes."""
    for binding in known.own:
        role = known.policy.role(binding) if isinstance(binding, Binding) else None
        if role is None or not isinstance(binding, Binding):
            continue
        for rule in known.policy.rules(role):
            if rule.step is not None and rule.step.resource is not None:
                for subject in binding.subjects:
                    name = subject.title(binding.namespace)
                    mine = (name, binding.namespace, binding.role) in engine and role.kind == "ClusterRole"
                    yield rule.step, Holder(name, binding.namespace, mine, binding)
    for role in known.policy.roles:
        if role.selectors is not None and role.resource is None:  # Kubernetes' own, whoever is bound to that elsewhere
            for rule in known.policy.rules(role):
                if rule.step is not None and rule.step.resource is not None:
                    yield rule.step, Holder(f"ClusterRole {role.name}", "")
