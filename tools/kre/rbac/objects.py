"""From a Kubernetes object to a Role or a Binding; what the API server would refuse is refused.

Decoding: Go takes null for "absent", and no number for a string. Then the defaults (pkg/apis/rbac/v1/defaults.go of
k8s.io/kubernetes) and its validation (pkg/apis/rbac/validation, apimachinery's ValidateObjectMeta).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from kre.model.resource import Resource
from kre.rbac import metadata, names
from kre.rbac.decode import Rejected, entries, mapping, table, text, texts
from kre.rbac.model import Binding, Requirement, Role, RoleKind, Rule, Selector, Step, Subject

GROUP = "rbac.authorization.k8s.io"
KINDS = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
Object: TypeAlias = Mapping[str, Any]


def parse(body: object, namespace: str = "", resource: Resource | None = None) -> Role | Binding:
    """The Role or Binding that an object describes. `namespace` is where it is applied if it names none; `resource`
    is kept, to say where it came from. Raises Rejected."""
    found = mapping(body, "")
    kind, version = text(found.get("kind"), "kind"), text(found.get("apiVersion"), "apiVersion")
    if kind not in KINDS or version != f"{GROUP}/v1":
        raise Rejected("kind", f"{version} {kind} is none of {', '.join(KINDS)} of {GROUP}/v1")
    meta = metadata.parse(found.get("metadata"), namespaced=not kind.startswith("Cluster"), namespace=namespace)
    if kind.endswith("Binding"):
        return _binding(found, kind, meta, resource)
    return _role(found, "ClusterRole" if kind == "ClusterRole" else "Role", meta, resource)


def _role(body: Object, kind: RoleKind, meta: metadata.Metadata, resource: Resource | None) -> Role:
    rules = []
    for index, entry in enumerate(entries(body.get("rules"), "rules")):
        step = Step(kind, meta.namespace, meta.name, ("rules", index), resource)
        rules.append(_rule(entry, f"rules[{index}]", step))
    selectors = _selectors(body.get("aggregationRule")) if kind == "ClusterRole" else None
    return Role(kind, meta.namespace, meta.name, tuple(rules), meta.labels, selectors, resource)


def _rule(entry: Object, where: str, step: Step) -> Rule:
    fields = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
    verbs, groups, resources, wanted, urls = (texts(entry.get(field), f"{where}.{field}") for field in fields)
    if not verbs:
        raise Rejected(f"{where}.verbs", "must contain at least one value")
    if urls:
        if step.kind == "Role":
            raise Rejected(f"{where}.nonResourceURLs", "a Role can't grant them, for they are in no namespace")
        if groups or resources or wanted:
            raise Rejected(f"{where}.nonResourceURLs", "a rule is about resources or about these, not both")
    elif not groups or not resources:
        raise Rejected(where, "must name at least one API group and one resource")
    return Rule(verbs, groups, resources, wanted, urls, step)


def _selectors(value: object) -> tuple[Selector, ...] | None:
    if value is None:
        return None
    where = "aggregationRule.clusterRoleSelectors"
    found = entries(mapping(value, "aggregationRule").get("clusterRoleSelectors"), where)
    if not found:
        raise Rejected(where, "at least one is required")
    return tuple(_selector(entry, f"{where}[{index}]") for index, entry in enumerate(found))


def _selector(entry: Object, where: str) -> Selector:
    found = []
    for key, value in metadata.labels(entry.get("matchLabels"), f"{where}.matchLabels").items():
        found.append(Requirement(key, "In", frozenset((value,))))
    for index, condition in enumerate(entries(entry.get("matchExpressions"), f"{where}.matchExpressions")):
        at = f"{where}.matchExpressions[{index}]"
        key, operator = (text(condition.get(field), f"{at}.{field}") for field in ("key", "operator"))
        values = texts(condition.get("values"), f"{at}.values")
        if operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
            raise Rejected(f"{at}.operator", f"{operator} is no operator")
        if bool(values) != (operator in ("In", "NotIn")):
            raise Rejected(f"{at}.values", "is for In and NotIn, which need it")
        for wrong in (names.qualified(key), *(names.label_value(value) for value in values)):
            if wrong:
                raise Rejected(at, wrong)
        found.append(Requirement(key, operator, frozenset(values)))
    return tuple(found)


def _binding(body: Object, kind: str, meta: metadata.Metadata, resource: Resource | None) -> Binding:
    reference = table(body.get("roleRef"), "roleRef")
    group, role_kind, role = (text(reference.get(field), f"roleRef.{field}") for field in ("apiGroup", "kind", "name"))
    if group not in ("", GROUP):
        raise Rejected("roleRef.apiGroup", f"must be {GROUP}")
    if role_kind != "ClusterRole" and (role_kind != "Role" or not meta.namespace):
        raise Rejected("roleRef.kind", f"a {kind} can't refer to a {role_kind or 'role of no kind'}")
    if not role or names.path_segment(role):
        raise Rejected("roleRef.name", names.path_segment(role) or "is required")
    found = entries(body.get("subjects"), "subjects")
    subjects = tuple(_subject(entry, f"subjects[{i}]", kind) for i, entry in enumerate(found))
    known: RoleKind = "Role" if role_kind == "Role" else "ClusterRole"
    return Binding(meta.namespace, meta.name, known, role, subjects, resource)


def _subject(entry: Object, where: str, binding: str) -> Subject:
    fields = ("kind", "apiGroup", "name", "namespace")
    kind, group, name, namespace = (text(entry.get(field), f"{where}.{field}") for field in fields)
    if not name:
        raise Rejected(f"{where}.name", "is required")
    if kind == "ServiceAccount":
        if wrong := names.subdomain(name):
            raise Rejected(f"{where}.name", wrong)
        if group:
            raise Rejected(f"{where}.apiGroup", "must be empty for a ServiceAccount")
        if binding == "ClusterRoleBinding" and not namespace:
            raise Rejected(f"{where}.namespace", "is required")
        return Subject(kind, name, namespace)
    if kind not in ("User", "Group"):
        raise Rejected(f"{where}.kind", f"{kind or 'nothing'} is none of ServiceAccount, User, Group")
    if group not in ("", GROUP):
        raise Rejected(f"{where}.apiGroup", f"must be {GROUP}")
    return Subject(kind, name)
