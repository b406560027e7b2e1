"""The rights that an environment's rendering gives to a ServiceAccount."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from demo.apiserver.request import Request
from demo.apiserver.rights import by_rules
from kre.model.resource import Resource, each


def rights(resources: Iterable[Resource], namespace: str, name: str) -> Callable[[Request], bool]:
    """What ServiceAccount namespace/name may do, by the Roles and bindings among the resources, for ApiServer."""
    known = list(resources)
    grants: dict[str, list[Mapping[str, Any]]] = {}
    for binding in known:
        if binding.kind not in ("RoleBinding", "ClusterRoleBinding"):
            continue
        place = binding.namespace if binding.kind == "RoleBinding" else ""
        for subject in each(binding.body, "subjects"):
            whole = (subject["kind"], subject.get("namespace", place), subject["name"])
            if whole == ("ServiceAccount", namespace, name):
                grants.setdefault(place, []).extend(_rules(known, binding.body["roleRef"], place))
    return by_rules(grants)


def _rules(known: Iterable[Resource], role: Mapping[str, Any], place: str) -> list[Mapping[str, Any]]:
    namespace = place if role["kind"] == "Role" else ""
    for one in known:
        if (one.kind, one.namespace, one.name) == (role["kind"], namespace, role["name"]):
            return each(one.body, "rules")
    return []
