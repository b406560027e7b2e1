"""Rights in pieces: what grants() makes of Roles, bindings and aggregation, and what counts as wider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kre.compare.grants import grants, widened
from kre.model.bundle import Bundle, Environment
from kre.model.resource import Resource, Root

API = "rbac.authorization.k8s.io/v1"


def rule(resources: str = "pods", verbs: str = "get", **more: Any) -> dict[str, Any]:
    return {"apiGroups": [""], "resources": resources.split(), "verbs": verbs.split(), **more}


def role(name: str, *rules: dict[str, Any], labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "labels": labels or {}}
    return {"apiVersion": API, "kind": "ClusterRole", "metadata": metadata, "rules": list(rules), **more}


def bound(name: str, namespace: str = "ns") -> dict[str, Any]:
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    subjects = [{"kind": "ServiceAccount", "name": "x", "namespace": "ns"}]
    metadata = {"name": "b", "namespace": namespace}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "roleRef": reference, "subjects": subjects}


def held(*bodies: dict[str, Any]) -> Any:
    items = tuple(Resource(body, "", "", "e", str(body["metadata"].get("namespace", ""))) for body in bodies)
    bundle = Bundle(Path(), (Environment("e", None, ""),), (Root("", "leaf", "e", resources=items),))
    return grants(bundle, "e")


def gained(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[str]:
    return [str(one) for one in widened(held(*before), held(*after)) if one.subject.startswith("ServiceAccount")]


def test_a_verb_more_is_wider_and_a_role_split_in_two_is_not() -> None:
    one = [role("r", rule(verbs="get list")), bound("r")]
    assert gained([role("r", rule()), bound("r")], one) == ["ServiceAccount ns/x may list pods in ns"]
    assert gained(one, [role("r", rule(verbs="list"), rule()), bound("r")]) == []


def test_any_name_is_wider_than_no_name() -> None:
    nameless, any_name = ([role("r", rule(**more)), bound("r")] for more in ({"resourceNames": [""]}, {}))
    assert gained(nameless, any_name) == ["ServiceAccount ns/x may get pods in ns"]
    assert gained(any_name, nameless) == []


def test_kubernetes_own_roles_count_with_what_is_in_them() -> None:
    edit = "ServiceAccount ns/x may do whatever ClusterRole edit allows in ns"
    assert gained([bound("view")], [bound("edit")]) == [edit]
    assert gained([bound("edit")], [bound("view")]) == []
    assert gained([bound("cluster-admin", "")], [bound("edit")]) == []
    everything = role("r", {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]})
    assert gained([everything, bound("r")], [bound("edit")]) == []
    pods = role("r", rule("pods", "get delete"))
    assert gained([bound("edit")], [pods, bound("r")]) == []
    assert gained([bound("view")], [pods, bound("r")]) == ["ServiceAccount ns/x may delete pods in ns"]


def test_what_is_aggregated_into_view_reaches_who_is_bound_to_admin() -> None:
    label = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    more = role("more", rule("nodes"), labels=label)
    assert gained([bound("admin")], [bound("admin"), more]) == ["ServiceAccount ns/x may get nodes in ns"]
    found = {one.subject for one in held(more) if one.resource == "nodes"}
    assert found >= {"ClusterRole more", "ClusterRole view", "ClusterRole edit", "ClusterRole admin"}


def test_an_aggregating_role_may_take_what_is_not_here() -> None:
    def all_of(value: str) -> list[dict[str, Any]]:
        return [role("all", aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"a": value}}]}), bound("all")]

    assert gained(all_of("b"), all_of("b")) == []
    (line,) = gained(all_of("b"), all_of("c"))
    assert "whatever ClusterRoles with a In c allow" in line


def test_a_missing_role_is_a_right_of_its_own() -> None:
    assert gained([], [bound("gone")]) == ["ServiceAccount ns/x may do whatever ClusterRole gone allows in ns"]


def test_urls_are_given_cluster_wide_alone() -> None:
    urls = role("r", {"verbs": ["get"], "nonResourceURLs": ["/logs/*"]})
    assert gained([], [urls, bound("r")]) == []
    assert gained([], [urls, bound("r", "")]) == ["ServiceAccount ns/x may get /logs/* in every namespace"]
