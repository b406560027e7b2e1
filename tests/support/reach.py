"""Roles and bindings in few words, and the Reach of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from typing import Any

from kre.rbac.defaults import join
from kre.rbac.evaluate import policy
from kre.rbac.model import Binding, Role
from kre.rbac.objects import GROUP, parse
from kre.rbac.reach.controllers import Controller
from kre.rbac.reach.ground import Ground
from kre.rbac.reach.model import Node, Who, bound, named, service_account
from kre.rbac.reach.reach import Reach

RBAC, ARGO = GROUP, "argoproj.io"
ME = named("User", "me")
STRICT = Controller("argo", "a", "Strict", "v4.0.6")
_NUMBERS = count()


def right(
    who: Who, verbs: str, resources: str, group: str = "", *, space: str = "", names: Iterable[str] = ()
) -> list[Role | Binding]:
    """A role with one rule, and its binding for somebody, in a namespace or everywhere."""
    rule: dict[str, Any] = {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split()}
    if names:
        rule["resourceNames"] = list(names)
    number = next(_NUMBERS)
    kind, where = ("Role", {"namespace": space}) if space else ("ClusterRole", {})
    head = {"apiVersion": f"{GROUP}/v1", "metadata": {"name": f"r{number}", **where}}
    return [
        parse({**head, "kind": kind, "rules": [rule]}),
        parse({**head, "kind": f"{kind}Binding", "roleRef": {"kind": kind, "name": f"r{number}"}, **subject(who)}),
    ]


def subject(who: Who) -> dict[str, Any]:
    """The subjects of a binding for somebody."""
    where = {"namespace": who.namespace} if who.namespace else {}
    return {"subjects": [{"kind": who.kind, "name": who.name, **where}]}


def role(name: str, verbs: str, resources: str, group: str = "", space: str = "") -> Role | Binding:
    """A role that nobody is bound to."""
    where = {"namespace": space} if space else {}
    rule = {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split()}
    kind = "Role" if space else "ClusterRole"
    return parse({"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name, **where}, "rules": [rule]})


def reach(items: Iterable[Role | Binding], defaults: bool = False, **more: Any) -> Reach:
    """The Reach of these, on a ground where whatever they name is bound here; `more` is what else stands there."""
    given = list(items)
    people = {who for item in given if isinstance(item, Binding) for who in bound(item)}
    ground = replace(Ground(bound=tuple(sorted(people))), **more)
    return Reach(policy(join(given) if defaults else given), ground)


def became(found: Reach, who: Who = ME) -> set[str]:
    """Everybody else whom somebody can become, `default` of each namespace left out."""
    return {str(node.who) for node in found.reached(who) if node.who != who and node.who.name != "default"}


def hop_to(found: Reach, who: Who, to: Who) -> list[Any]:
    """The edges from one to another."""
    return [edge for edge in found.edges(Node(who)) if Node(to) in edge.to]


def account(pair: str) -> Who:
    """NAMESPACE/NAME as an identity."""
    return service_account(*pair.split("/"))


# Something to become: two that run something and one that does not, and one in another namespace.
X, Y, IDLE, OTHER = (account(pair) for pair in ("a/x", "a/y", "a/idle", "b/other"))
NAMED = [item for who in (X, Y, IDLE, OTHER) for item in right(who, "get", "configmaps", space=who.namespace)]
GROUND = {"idle": frozenset({("a", "idle")}), "namespaces": ("a", "b")}
