"""E09, E19: rights that reach into namespaces where nobody needs them, or where nobody must have them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kre.compare.grants import covers
from kre.compare.waiting import protected
from kre.load import embedded
from kre.load.provenance import place
from kre.model.bundle import Bundle
from kre.model.comparison import Grant
from kre.model.finding import Related
from kre.model.resource import Resource, dig, each
from kre.rbac.budget import TARGETS
from kre.rbac.identities import Identity, Use
from kre.rbac.match import allows
from kre.rbac.model import Binding, Question, Rule
from kre.rbac.reach.reach import DELETES
from kre.rbac.words import scope
from kre.rules.held import Side, sides
from kre.rules.powers import shown
from kre.rules.registry import Hit, hit, rule

_MARK = "{{"


@rule("E09", "nobody has in all namespaces what it needs in a few", "object")
def everywhere(bundle: Bundle) -> Iterator[Hit]:
    """Of what our own manifests run. What a chart runs, or a person, may act anywhere."""
    for side in sides(bundle):
        running = {(one.namespace, one.name): one for one in side.running}
        for binding in side.bindings:
            role = side.policy.role(binding) if not binding.namespace else None
            if role is None or binding.resource is None or not _in_namespaces(side.policy.rules(role)):
                continue
            for index, subject in enumerate(binding.subjects):
                identity = running.get((subject.namespace, subject.name)) if subject.kind == "ServiceAccount" else None
                spaces = _spaces(side, identity) if identity else None
                if identity and spaces:
                    message = f"{binding.step(0)} gives {identity} {role.name} in every namespace; it acts in "
                    fix = f"a RoleBinding to {role.kind} {role.name} in each of these, instead"
                    at = ("subjects", index)
                    yield hit(bundle, binding.resource, at, message + ", ".join(sorted(spaces)), fix)


def _in_namespaces(rules: tuple[Rule, ...]) -> bool:
    """Whether all that some rules give is known to be about what is in a namespace."""
    pieces = [
        scope(group, resource.partition("/")[0])
        for entry in rules
        for group in entry.groups
        for resource in entry.resources
    ]
    return bool(pieces) and all(found == "namespace" for found in pieces) and not any(entry.urls for entry in rules)


def _spaces(side: Side, identity: Identity) -> set[str] | None:
    """The namespaces in which something acts; None where nobody knows."""
    found = {identity.namespace}
    for use in identity.uses:
        more = _of_use(side, use)
        if more is None:
            return None
        found |= more
    return found


def _of_use(side: Side, use: Use) -> set[str] | None:
    """Where a Sensor makes objects, its triggers say; what runs code acts in the targets of its environment."""
    item = use.resource
    if use.values is not None or item.kind in ("AppProject", "Application"):
        return None
    if item.kind == "Sensor":
        return _of_sensor(side, item)
    if item.kind == "EventSource":
        return None if dig(item.body, "spec", "resource") else set()
    return _targets(side)


def _of_sensor(side: Side, sensor: Resource) -> set[str] | None:
    found: set[str] = set()
    for at, trigger in embedded.triggers(sensor.body):
        inner = [one for one in embedded.objects(sensor) if one.at[: len(at)] == at]
        filled = [*each(trigger, "parameters")]
        for kind in embedded.TRIGGERS:
            filled += each(trigger, "template", kind, "parameters")
        spaces = {embedded.namespace(one, sensor) for one in inner}
        if any(str(dig(one, "dest")).endswith("metadata.namespace") for one in filled) or any(
            _MARK in it for it in spaces
        ):
            targets = _targets(side)
            if targets is None:
                return None
            found |= targets
        else:
            found |= spaces
    return found


def _targets(side: Side) -> set[str] | None:
    if side.environment is None:
        return None
    return {str(name) for name in each(side.environment.spec, "targets")} or {TARGETS}


@rule("E19", "nobody can delete pods of the cluster, the engine or Argo CD without a reason", "layout")
def engine_killer(bundle: Bundle) -> Iterator[Hit]:
    """An entry of the budget counts that names the very namespace, with a reason: none for all of them does."""
    for side in sides(bundle):
        for binding in side.bindings:
            role = side.policy.role(binding)
            if role is None or binding.resource is None or side.environment is None:
                continue
            if binding.namespace and not protected(bundle, side.environment, binding.namespace):
                continue
            for entry in side.policy.rules(role):
                found = next((one for one in DELETES if _by_some_name(entry, one)), None)
                if found:
                    yield from _deleting(bundle, side, binding, entry, found)


def _by_some_name(entry: Rule, asked: Question) -> bool:
    return any(allows(entry, replace(asked, name=name)) for name in entry.names or ("",))


def _deleting(bundle: Bundle, side: Side, binding: Binding, entry: Rule, found: Question) -> Iterator[Hit]:
    where = f"in {binding.namespace}" if binding.namespace else "in every namespace, those of the engine too"
    for index, subject in enumerate(binding.subjects):
        holder = subject.title(binding.namespace)
        rights = [
            Grant(holder, binding.namespace, found.verb, found.group, found.whole, name)
            for name in entry.names or ("",)
        ]
        known = [it for it in side.reasons.get(holder, ()) if it.namespace]
        if not all(any(covers(wide, right) for wide in known) for right in rights) and binding.resource is not None:
            step = entry.step
            related = (
                (Related(place(bundle, step.resource, step.pointer), "by this rule"),) if step and step.resource else ()
            )
            message = f"{holder} may {shown(found)} {where}: one alert, made up, could stop the engine"
            fix = "take it away, or let the environment's RBAC budget list it for that namespace, with a reason"
            yield hit(bundle, binding.resource, ("subjects", index), message, fix, related)
