"""RBAC objects and questions by chance, made so that the answers are often yes, and often just about no.

`case(random, feature)` is one line of the protocol of `kre.rbac.lines`, and for each question the feature that it is
about. Names come from short lists, so that roles and bindings meet. `alone` is the same without roles beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

API = "rbac.authorization.k8s.io"
NAMESPACES = ("n1", "n2", "n3")
VERBS = ("get", "list", "create", "delete", "deletecollection", "patch", "bind", "impersonate")
GROUPS = ("", "apps", "argoproj.io", "example.com")
RESOURCES = ("pods", "secrets", "workflows", "clusterroles", "namespaces")
SUBS = ("log", "exec", "status", "*")
NAMES = ("a", "b", "*", "n1", "")
URLS = ("/healthz", "/healthz/*", "/logs/*", "/a*b", "/*", "*", "**", "/logs**", "metrics", "/", "/healthz*")
PATHS = (
    "/healthz",
    "/healthz/",
    "/healthz/etcd",
    "/logs",
    "/logs/",
    "/logs/x",
    "/axb",
    "/a*b",
    "metrics",
    "/",
    "x",
    "*",
)
LABELS = {"kre-test/a": ("true", "false", ""), "b": ("1", "2")}
Body = dict[str, Any]
Asked = dict[str, Any]


class Set:
    """The objects of one line, while they are made."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.objects: list[Body] = []
        self.asked: list[Asked] = []
        self.features: list[str] = []

    def add(self, kind: str, namespace: str = "", name: str = "", labels: Body | None = None, **fields: Any) -> str:
        name = name or f"{kind.lower()}-{len(self.objects)}"
        metadata = (
            {"name": name} | ({"namespace": namespace} if namespace else {}) | ({"labels": labels} if labels else {})
        )
        self.objects.append({"apiVersion": f"{API}/v1", "kind": kind, "metadata": metadata, **fields})
        return name

    def bind(self, subjects: list[Body], role: tuple[str, str], namespace: str = "") -> None:
        kind = "RoleBinding" if namespace else "ClusterRoleBinding"
        reference = {"kind": role[0], "name": role[1]} | ({"apiGroup": API} if self.random.random() < 0.7 else {})
        self.add(kind, namespace, subjects=subjects, roleRef=reference)

    def ask(self, feature: str, question: Asked) -> None:
        self.asked.append(question)
        self.features.append(feature)

    def some(self, choices: tuple[str, ...], most: int = 2) -> list[str]:
        return [self.random.choice(choices) for _ in range(self.random.randint(1, most))]


def rule(made: Set) -> Body:
    """A rule on resources, sometimes with stars where they mean something, sometimes where they do not."""
    random = made.random
    resources = [random.choice((word, word, f"{word}/{random.choice(SUBS)}")) for word in made.some(RESOURCES)]
    if random.random() < 0.3:
        resources.append(random.choice(("*", "*/log", "*/exec", "pods/*", "*/*", "*/statuslog")))
    found: Body = {
        "verbs": made.some((*VERBS, "*")), "apiGroups": made.some((*GROUPS, "*")), "resources": resources,
    }  # fmt: skip
    if random.random() < 0.3:
        found["resourceNames"] = made.some(NAMES)
    return found


def subject(made: Set, namespace: str) -> tuple[Body, str, list[str]]:
    """A subject, and (user, groups) of somebody whom it means."""
    random = made.random
    space, name = random.choice(NAMESPACES), random.choice(("x", "y"))
    account = f"system:serviceaccount:{space}:{name}"
    kind = random.choice(("account", "account", "local", "user", "group", "as user", "accounts", "of namespace"))
    group = {"kind": "Group"} | ({"apiGroup": API} if random.random() < 0.5 else {})
    if kind == "local" and namespace:
        return {"kind": "ServiceAccount", "name": name}, f"system:serviceaccount:{namespace}:{name}", []
    if kind in ("account", "local"):
        return {"kind": "ServiceAccount", "name": name, "namespace": space}, account, []
    if kind == "user":
        return {"kind": "User", "name": "alice", "namespace": space}, "alice", []
    if kind == "as user":
        return {"kind": "User", "apiGroup": API, "name": account}, account, []
    named = {"group": "devs", "accounts": "system:serviceaccounts", "of namespace": f"system:serviceaccounts:{space}"}
    return {**group, "name": named[kind]}, random.choice((account, "bob")), ["other", named[kind]]


def fitting(made: Set, entry: Body, namespace: str) -> Asked:
    """A question that the rule allows, or nearly."""
    random = made.random
    verb, group, resource = (random.choice(entry[field]) for field in ("verbs", "apiGroups", "resources"))
    head, _, sub = resource.partition("/")
    return {
        "verb": random.choice(VERBS) if verb == "*" else verb,
        "group": random.choice(GROUPS) if group == "*" else group,
        "resource": random.choice(RESOURCES) if head == "*" else head,
        "subresource": random.choice(SUBS) if resource == "*" and random.random() < 0.5 else sub,
        "name": random.choice(entry.get("resourceNames") or NAMES),
        "namespace": namespace or random.choice((*NAMESPACES, "")),
    }


def near(made: Set, question: Asked) -> Asked:
    """The same with one field changed."""
    values: dict[str, tuple[str, ...]] = {
        "verb": VERBS, "group": GROUPS, "resource": (*RESOURCES, "pods/log"), "subresource": ("", *SUBS), "name": NAMES,
        "namespace": (*NAMESPACES, ""),
        "user": ("alice", "bob", "system:serviceaccount:n1:x", "system:serviceaccount:n3:y"),
    }  # fmt: skip
    if question.get("path"):
        values = {"path": PATHS, "verb": VERBS, "user": values["user"]}
    field = made.random.choice(list(values))
    changed = {**question, field: made.random.choice(values[field])}
    return {**changed, "groups": question["groups"] if made.random.random() < 0.8 else ["devs"]}


def scene(made: Set, feature: str, entries: list[Body], *, cluster: bool, local_role: bool = False) -> None:
    """A role with these rules, a binding to it, and questions: what the first rule allows, and what is near to that."""
    space = "" if cluster else made.random.choice(NAMESPACES)
    kind = "Role" if local_role and space else "ClusterRole"
    role = made.add(kind, space if kind == "Role" else "", rules=entries)
    _bound(made, feature, (kind, role), space, made.random.choice(entries))


def _bound(made: Set, feature: str, role: tuple[str, str], space: str, entry: Body) -> None:
    meant, user, groups = subject(made, space)
    others = [subject(made, space)[0] for _ in range(made.random.randint(0, 1))]
    made.bind([*others, meant], role, space)
    question = fitting(made, entry, space) | {"user": user, "groups": groups}
    made.ask(feature, question)
    made.ask(feature, near(made, question))


def _urls(made: Set) -> None:
    entry = {"verbs": made.some((*VERBS[:2], "*")), "nonResourceURLs": made.some(URLS)}
    role = made.add("ClusterRole", rules=[entry, rule(made)])
    for space in ("", made.random.choice(NAMESPACES)):
        meant, user, groups = subject(made, space)
        made.bind([meant], ("ClusterRole", role), space)
        verb = made.random.choice(entry["verbs"])
        path = made.random.choice((made.random.choice(PATHS), made.random.choice(entry["nonResourceURLs"])))
        question = {"user": user, "groups": groups, "verb": verb, "path": path, "namespace": space}
        made.ask("nonResourceURLs", question)
        made.ask("nonResourceURLs", near(made, question))


def _missing(made: Set) -> None:
    """Roles that are not there, are in another namespace, or are of the other kind."""
    random, entry, space = made.random, rule(made), made.random.choice(NAMESPACES)
    where = random.choice((space, "n1", ""))
    name = made.add("Role" if where else "ClusterRole", where, rules=[entry])
    _bound(made, "missing role", (random.choice(("Role", "Role", "ClusterRole")), name), space, entry)


def _aggregated(made: Set) -> None:
    """A tree of ClusterRoles with labels, some of which aggregate; no circles."""
    random = made.random
    names: list[str] = []
    for level in range(random.randint(2, 4)):
        labels = {key: random.choice(values) for key, values in LABELS.items() if random.random() < 0.7}
        labels["level"] = str(level)
        rules = [rule(made) for _ in range(random.randint(0, 2))]
        more: Body = {"aggregationRule": {"clusterRoleSelectors": [_selector(random, level)]}} if level else {}
        if level and random.random() < 0.3:
            more["aggregationRule"]["clusterRoleSelectors"].append(_selector(random, level))
        names.append(made.add("ClusterRole", labels=labels, rules=rules, **more))
    entries = [entry for item in made.objects for entry in item.get("rules") or ()] or [rule(made)]
    for _ in range(2):
        space = random.choice((*NAMESPACES, ""))
        _bound(made, "aggregation", ("ClusterRole", random.choice(names[1:])), space, random.choice(entries))


def _circle(made: Set) -> None:
    """ClusterRoles that aggregate each other, with no rules of their own, and some that feed them."""
    random = made.random
    size = random.randint(2, 3)
    names = []
    for number in range(size):
        wanted = [{"matchLabels": {"circle": str((number + 1) % size)}}]
        if random.random() < 0.6:
            wanted.append({"matchLabels": {"b": random.choice(LABELS["b"])}})
        labels = {"circle": str(number)}
        names.append(made.add("ClusterRole", labels=labels, aggregationRule={"clusterRoleSelectors": wanted}))
    entries = [rule(made) for _ in range(3)]
    for entry in entries:
        made.add("ClusterRole", labels={"b": random.choice(LABELS["b"])}, rules=[entry])
    for _ in range(2):
        space = random.choice((*NAMESPACES, ""))
        _bound(made, "circle of aggregates", ("ClusterRole", random.choice(names)), space, random.choice(entries))


def _selector(random: Random, level: int) -> Body:
    """A selector that takes lower levels alone."""
    lower = {"key": "level", "operator": "In", "values": [str(number) for number in range(level)]}
    if random.random() < 0.3:
        lower = {"key": "level", "operator": "NotIn", "values": [str(number) for number in range(level, 6)]}
    found: Body = {"matchExpressions": [lower]}
    key = random.choice(list(LABELS))
    if random.random() < 0.4:
        found["matchLabels"] = {key: random.choice(LABELS[key])}
    elif random.random() < 0.5:
        operator = random.choice(("In", "NotIn", "Exists", "DoesNotExist"))
        condition: Body = {"key": key, "operator": operator}
        if operator in ("In", "NotIn"):
            condition["values"] = [random.choice(LABELS[key])]
        found["matchExpressions"].append(condition)
    return found


def _masters(made: Set) -> None:
    scene(made, "system:masters", [rule(made)], cluster=True)
    for question in made.asked:
        question["groups"] = made.random.choice((["system:masters"], ["system:master"], ["x", "system:masters"], []))
    made.ask("system:masters", {"user": "root", "groups": ["system:masters"], "verb": "get", "path": "/x"})


def _defaults(made: Set) -> None:
    """Kubernetes' own roles, and one that joins them by aggregation."""
    random = made.random
    to = random.choice(("view", "edit", "admin"))
    entry = rule(made)
    made.add(
        "ClusterRole", labels={f"{API}/aggregate-to-{to}": random.choice(("true", "true", "false"))}, rules=[entry]
    )
    role = random.choice(("view", "edit", "admin", "cluster-admin", "system:node", "system:discovery", "nobody"))
    _bound(made, "defaults", ("ClusterRole", role), random.choice((*NAMESPACES, "")), entry)
    known = [
        ("get", "", "pods"), ("list", "", "secrets"), ("create", "", "serviceaccounts"),
        ("delete", "apps", "deployments"), ("create", "authorization.k8s.io", "selfsubjectaccessreviews"),
        ("get", "", "nodes"), ("update", API, "roles"),
    ]  # fmt: skip
    for _ in range(3):
        verb, group, resource = random.choice(known)
        user = random.choice((made.asked[0], {"user": "bob", "groups": ["system:authenticated"]}))
        where = {"namespace": random.choice((*NAMESPACES, ""))}
        made.ask(
            "defaults",
            {
                "user": user["user"],
                "groups": user["groups"],
                "verb": verb,
                "group": group,
                "resource": resource,
                **where,
            },
        )
    made.ask(
        "defaults",
        {"user": "b", "groups": ["system:authenticated"], "verb": "get", "path": random.choice(("/api/v1", "/logs"))},
    )


def _stars(field: str, values: tuple[str, ...]) -> Callable[[Set], None]:
    def make(made: Set) -> None:
        entry = rule(made) | {field: made.some(values)}
        scene(made, f"{field} {values[0]}", [entry], cluster=made.random.random() < 0.5)

    return make


FEATURES: dict[str, Callable[[Set], None]] = {
    "Role": lambda made: scene(made, "Role", [rule(made), rule(made)], cluster=False, local_role=True),
    "ClusterRole in a namespace": lambda made: scene(made, "ClusterRole in a namespace", [rule(made)], cluster=False),
    "ClusterRoleBinding": lambda made: scene(made, "ClusterRoleBinding", [rule(made), rule(made)], cluster=True),
    "verbs *": _stars("verbs", ("*", "get")),
    "apiGroups *": _stars("apiGroups", ("*", "apps")),
    "resources *": _stars("resources", ("*", "pods/*")),
    "resources */log": _stars("resources", ("*/log", "*/exec", "pods")),
    "resources pods/log": _stars("resources", ("pods/log", "pods")),
    "resources */*": _stars("resources", ("*/*", "secrets/*", "pods")),
    "resourceNames a": _stars("resourceNames", ("a", "b")),
    "resourceNames *": _stars("resourceNames", ("*", "a")),
    "resourceNames ": _stars("resourceNames", ("", "a")),
    "nonResourceURLs": _urls,
    "missing role": _missing,
    "aggregation": _aggregated,
    "circle of aggregates": _circle,
    "system:masters": _masters,
    "defaults": _defaults,
}  # fmt: skip


def case(random: Random, feature: str) -> tuple[Body, list[str]]:
    """A line of the protocol about this feature, with other roles and bindings beside it; each question's feature."""
    made = Set(random)
    FEATURES[feature](made)
    for _ in range(random.randint(0, 2)):
        noise = random.choice(("Role", "ClusterRole in a namespace", "ClusterRoleBinding"))
        FEATURES[noise](made)
    random.shuffle(made.objects)
    return {"objects": made.objects, "defaults": feature == "defaults", "questions": made.asked}, made.features


def alone(random: Random, feature: str, more: int) -> tuple[Body, list[str]]:
    """As case(), with nothing that the feature is not about, and `more` questions near to each."""
    made = Set(random)
    FEATURES[feature](made)
    for known, question in list(zip(made.features, made.asked, strict=True)):
        for _ in range(more):
            made.ask(known, near(made, question))
    return {"objects": made.objects, "defaults": feature == "defaults", "questions": made.asked}, made.features
