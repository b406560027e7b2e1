"""What an environment grants beside its RBAC budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kre.compare.grants import covers, grants
from kre.compare.waiting import settled, targets
from kre.model.bundle import Bundle, Environment
from kre.model.comparison import Grant
from kre.model.resource import dig
from kre.model.source import Source
from kre.rbac.budget import Entry, entries, file_of
from kre.rbac.environment import world


@dataclass(frozen=True)
class Spending:
    """`over` is granted and not in the budget; `unused` is in the budget, and nobody has it. `source` is the budget's
    file."""

    source: Source
    over: tuple[Grant, ...]
    unused: tuple[Entry, ...]


def spending(bundle: Bundle, environment: Environment) -> Spending | None:
    """None where the environment has no budget."""
    source = bundle.sources.get(file_of(environment.folder))
    if source is None:
        return None
    listed = budgeted(bundle, environment)
    held: dict[str, list[Grant]] = {}
    allowed: dict[str, list[Grant]] = {}
    for grant in granted(bundle, environment):
        held.setdefault(grant.subject, []).append(grant)
    for entry in listed:
        for right in entry.rights:
            allowed.setdefault(right.subject, []).append(right)
    over = [
        grant
        for holder, rights in held.items()
        for grant in rights
        if not any(covers(right, grant) for right in allowed.get(holder, ()))
    ]
    charts = {chart.partition(" ")[0] for _, chart, _ in world(bundle, environment.name).charts}
    unseen = _unseen(bundle, environment)
    unused = [
        entry
        for entry in listed
        if entry.rights
        and entry.chart not in charts
        and not any(unseen(right) or _had(right, held) for right in entry.rights)
    ]
    return Spending(source, tuple(sorted(over)), tuple(unused))


def budgeted(bundle: Bundle, environment: Environment) -> list[Entry]:
    """What the budget of an environment lists; nothing where it has none."""
    source = bundle.sources.get(file_of(environment.folder))
    return list(entries(source, targets(bundle, environment))) if source else []


def holders(bundle: Bundle, environment: Environment) -> frozenset[str]:
    """Everybody of whom the environment's budget says what they may hold; nobody where there is none."""
    return frozenset(right.subject for entry in budgeted(bundle, environment) for right in entry.rights)


def _unseen(bundle: Bundle, environment: Environment) -> Callable[[Grant], bool]:
    """Whether a chart that is not rendered here may grant a right: to ServiceAccounts of the namespace that it goes to,
    and by adding to Kubernetes' own roles. Nobody can say that such a right is unused."""
    charts = world(bundle, environment.name).charts
    spaces = tuple(f"ServiceAccount {dig(item.body, 'spec', 'destination', 'namespace')}/" for item, _, _ in charts)
    return lambda right: bool(charts) and right.subject.startswith((*spaces, "ClusterRole "))


def granted(bundle: Bundle, environment: Environment) -> set[Grant]:
    """What a budget is about: the rights of everybody whom a binding names, and what Kubernetes' own roles are given,
    for who is bound to those stands elsewhere. Where there is no target yet, what the first one will give."""
    found = grants(bundle, environment.name, settled(bundle, environment))
    own = {
        f"{item.kind} {f'{item.namespace}/' if item.namespace else ''}{item.name}"
        for item in world(bundle, environment.name).resources
        if item.kind in ("Role", "ClusterRole")
    }
    return {grant for grant in found if grant.subject not in own}


def _had(right: Grant, held: dict[str, list[Grant]]) -> bool:
    return any(covers(right, grant) or covers(grant, right) for grant in held.get(right.subject, ()))
