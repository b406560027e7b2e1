"""Who may do more than before."""

from __future__ import annotations

from collections.abc import Iterator

from kre.compare.grants import grants, widened
from kre.compare.pair import Pair
from kre.model.comparison import Change, Grant, Kind
from kre.model.resource import Resource, each


def rights(pair: Pair) -> Iterator[Change]:
    """Every right that is new, one change each. Of a Role as such, only where no subject is named that gains it."""
    before, after = (grants(side.bundle, side.name) if side.environment else frozenset() for side in pair.sides)
    for grant in widened(before, after):
        yield Change(Kind.RBAC, "rights", str(grant), None, _value(grant), _giver(pair, grant), ())


def _value(grant: Grant) -> list[str]:
    return [grant.subject, grant.namespace, grant.verb, grant.group, grant.resource, grant.name]


def _giver(pair: Pair, grant: Grant) -> Resource | None:
    """The binding (or Role) that gives a right, to point at: the first that was changed and fits."""
    name = grant.subject.rpartition("/")[2].rpartition(" ")[2]
    found = [
        delta.after for delta in pair.of("RoleBinding", "ClusterRoleBinding", "Role", "ClusterRole") if delta.after
    ]
    for item in found:
        named = [str(entry.get("name")) for entry in each(item.body, "subjects") if isinstance(entry, dict)]
        if name in named and (item.namespace == grant.namespace or item.kind == "ClusterRoleBinding"):
            return item
    fits = [item for item in found if item.kind in ("Role", "ClusterRole")]
    accounts = [delta.after for delta in pair.of("ServiceAccount") if delta.after]
    return next(iter([item for item in fits if item.name == name] or fits or found or accounts), None)
