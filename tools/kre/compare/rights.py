"""Who may do more than before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kre.compare.grants import grants, widened
from kre.compare.pair import Pair
from kre.model.comparison import Change, Grant, Kind
from kre.model.resource import Resource, dig, each


def rights(pair: Pair) -> Iterator[Change]:
    """Every right that is new, those of one subject on one resource together. Of a Role as such, only where nobody
    who is named here gains the same."""
    before, after = (grants(side.bundle, side.name) if side.environment else frozenset() for side in pair.sides)
    found = widened(before, after)
    bound = _bound(pair)
    named = {_what(grant) for grant in found if not _role(grant)}
    hidden = [grant for grant in found if grant.subject in bound and _what(grant) in named]
    together: dict[Grant, list[str]] = {}
    for grant in found:
        if grant not in hidden:
            together.setdefault(replace(grant, verb=""), []).append(grant.verb)
    for number, (grant, verbs) in enumerate(together.items()):
        shown = replace(grant, verb=", ".join(verbs))
        what = f"whoever has {shown}" if _role(grant) else str(shown)
        beside = [] if number else [str(one) for one in hidden]  # they count for the digest
        value = [grant.subject, grant.namespace, *_what(grant)[1:], verbs, beside]
        yield Change(Kind.RBAC, "rights", what, None, value, _giver(pair, grant))


def _bound(pair: Pair) -> set[str]:
    """The Roles, as subjects of grants, that a binding of the environment names."""
    return {
        f"{dig(item.body, 'roleRef', 'kind')} "
        f"{f'{item.namespace}/' if dig(item.body, 'roleRef', 'kind') == 'Role' else ''}"
        f"{dig(item.body, 'roleRef', 'name')}"
        for item in pair.after.of("RoleBinding", "ClusterRoleBinding")
    }


def _role(grant: Grant) -> bool:
    return grant.subject.startswith(("Role ", "ClusterRole "))


def _what(grant: Grant) -> tuple[str, ...]:
    return grant.verb, grant.group, grant.resource, grant.name


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
