"""Who may do what: what Roles and bindings add up to is the table, and every identity has its token where listed."""

from __future__ import annotations

from collections.abc import Iterator

from kre.model.resource import Resource, dig
from kre.model.resource import each as items
from safety.promise import World, each, exactly, together
from support import rights

RBAC = "rbac.authorization.k8s.io"
Granted = set[tuple[str, str, str, str, str]]  # identity, namespace, verb, group, resource
# ServiceAccount -> whether its token is mounted unless a pod says otherwise. None is the default, which is yes.
NONE = dict.fromkeys(("eventbus", "eventsource", "executor", "intake"), False)
TOKENS = {**NONE, "sensor": True, "dispatcher": None}


def granted(world: World) -> Iterator[tuple[str, str, str, str, str]]:
    """Every right that a RoleBinding gives; what is odd in one comes as a right of its own, so that it is seen."""
    roles = {(item.kind, item.namespace, item.name): item for item in world.of("Role", "ClusterRole")}
    for binding in world.of("RoleBinding", "ClusterRoleBinding"):
        kind, name = str(dig(binding.body, "roleRef", "kind")), str(dig(binding.body, "roleRef", "name"))
        role = roles.get((kind, binding.namespace if kind == "Role" else "", name))
        where = binding.namespace or "*"
        for subject in items(binding.body, "subjects"):
            who = _identity(subject)
            if role is None or dig(binding.body, "roleRef", "apiGroup") != RBAC:
                yield who, where, "?", kind, name
                continue
            for entry in items(role.body, "rules"):
                yield from _rule(who, where, entry)


def _identity(subject: dict[str, str]) -> str:
    kind, shape = subject.get("kind"), set(subject)
    if kind == "ServiceAccount" and shape == {"kind", "name", "namespace"}:
        return f"{subject['namespace']}:{subject['name']}"
    if kind == "Group" and shape == {"kind", "name", "apiGroup"} and subject["apiGroup"] == RBAC:
        return f"group:{subject['name']}"
    return str(subject)


def _rule(who: str, where: str, entry: dict[str, list[str]]) -> Iterator[tuple[str, str, str, str, str]]:
    odd = set(entry) - {"apiGroups", "resources", "verbs"}
    for group in items(entry, "apiGroups"):
        for resource in items(entry, "resources"):
            for verb in items(entry, "verbs"):
                yield who, where, f"{verb}{sorted(odd) or ''}", str(group), str(resource)


def promised(world: World) -> Granted:
    table = rights.table(list(world.environment.spec["targets"]), list(world.workflows))
    return {
        (who, where, *right) for who, places in table.items() for where, listed in places.items() for right in listed
    }


@together("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
def rights_are_those_of_the_table(world: World) -> Iterator[str]:
    found, wanted = set(granted(world)), promised(world)
    for who, where, verb, group, resource in sorted(found - wanted):
        yield f"{who} may {verb} {group}/{resource} in {where}"
    for who, where, verb, group, resource in sorted(wanted - found):
        yield f"{who} may not {verb} {group}/{resource} in {where}, which it must"
    yield from (f"{item} binds in the whole cluster" for item in world.of("ClusterRoleBinding"))


@each("ClusterRole")
def a_clusterrole_is_a_list_of_verbs_of_one_response(item: Resource, world: World) -> Iterator[str]:
    """Whether it is bound anywhere or not (an environment without targets binds none)."""
    known = {f"kre-{name}": listed for name, listed in rights.RESPONSES.items()}
    known["kre-dispatcher"] = rights.dispatching(world.responses)
    found = {right for entry in items(item.body, "rules") for right in _rule("", "", entry)}
    wanted = {("", "", *right) for right in known.get(item.name, frozenset())}
    if found != wanted:
        yield f"it lists other verbs than the table: {sorted(found ^ wanted)}"
    if "aggregationRule" in item.body or any(key.startswith("rbac.") for key in item.metadata.get("labels") or {}):
        yield "it is added to another, or others to it"


@each("Role", "ClusterRole")
def every_rule_gives_something(item: Resource, _: World) -> Iterator[str]:
    for index, entry in enumerate(items(item.body, "rules")):
        if set(entry) != {"apiGroups", "resources", "verbs"} or not all(entry.values()):
            yield f"rule {index} is not apiGroups, resources and verbs"
    if set(item.body) != {"apiVersion", "kind", "metadata", "rules"}:
        yield "a role is its rules"


@each("RoleBinding")
def a_binding_is_one_role_and_its_subjects(item: Resource, _: World) -> Iterator[str]:
    if set(item.body) != {"apiVersion", "kind", "metadata", "roleRef", "subjects"}:
        yield "a binding is a role and subjects"
    yield from exactly(sorted(dig(item.body, "roleRef") or {}), ["apiGroup", "kind", "name"], "one role")
    if len(items(item.body, "subjects")) != 1:
        yield "one identity for each binding"


@each("ServiceAccount")
def a_token_is_there_where_it_is_needed(item: Resource, world: World) -> Iterator[str]:
    found = item.body.get("automountServiceAccountToken")
    wanted = TOKENS.get(item.name) if item.name not in world.workflows else None
    yield from exactly(found, wanted, "no token where nobody asks the API server")
    if set(item.body) - {"apiVersion", "kind", "metadata", "automountServiceAccountToken"}:
        yield "an identity has no Secrets of its own"


@each("Secret")
def the_executor_has_the_second_token(item: Resource, _: World) -> Iterator[str]:
    wanted = {"kubernetes.io/service-account.name": "executor"}
    yield from exactly(item.metadata.get("annotations"), wanted, "a second identity reports what a step did")
    yield from exactly(
        item.body.get("type"), "kubernetes.io/service-account-token", "filled in by Kubernetes, not by Git"
    )
    if set(item.body) - {"apiVersion", "kind", "metadata", "type"}:
        yield "no value of a Secret stands in Git"
