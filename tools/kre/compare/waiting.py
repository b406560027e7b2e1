"""The bindings that every target of an environment has, and the first one will have: those of the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kre.edit.repository import OPTIONS, release_of
from kre.edit.targets import PROTECTED
from kre.load.objects import resource
from kre.model.bundle import Bundle, Environment
from kre.model.once import once
from kre.model.resource import Resource, dig, each
from kre.rbac.budget import TARGETS
from kre.rbac.defaults import join
from kre.rbac.environment import World, world
from kre.rbac.evaluate import policy
from kre.rbac.model import Binding, Subject

PIPELINE, RESPONSES = "kre-pipeline", "kre-responses"
DISPATCHER = "kre-dispatcher"


def holders(bundle: Bundle, environment: Environment) -> dict[str, Subject]:
    """ClusterRole -> the one subject that may hold it in a target: of each enabled response, and the dispatcher's."""
    roles = {item.name for item in bundle.of(environment.name, "ClusterRole")}
    found: dict[str, Subject] = {}
    for template in bundle.of(environment.name, "WorkflowTemplate"):
        if template.namespace == RESPONSES and f"kre-{template.name}" in roles:
            found[f"kre-{template.name}"] = Subject("ServiceAccount", template.name, RESPONSES)
    if DISPATCHER in roles:
        found[DISPATCHER] = Subject("ServiceAccount", "dispatcher", PIPELINE)
    return found


def options(bundle: Bundle, environment: Environment) -> list[Resource]:
    """The objects of the responses that an environment could enable, as their files have them, rendered or not."""
    start = f"{release_of(environment)}/{OPTIONS}/"
    documents = ((path, it.value) for path, source in bundle.sources.items() for it in source.documents)
    return [
        made
        for path, value in documents
        if path.startswith(start) and isinstance(value, Mapping) and "kind" in value
        for made in resource(value, path, path)
    ]


def targets(bundle: Bundle, environment: Environment) -> list[str]:
    """The namespaces that `<targets>` means in a budget: the targets, but no protected namespace. Where there is none
    yet, `<targets>` itself stands for those to come."""
    listed = [str(name) for name in each(environment.spec, "targets")]
    return [name for name in listed if not protected(bundle, environment, name)] or [TARGETS]


def protected(bundle: Bundle, environment: Environment, namespace: str) -> bool:
    """Whether a namespace is one where the engine must not act: the cluster's, its own, what it stands on, Argo CD's,
    and those that the settings name."""
    if PROTECTED.fullmatch(namespace):
        return True
    settings = (item for item in bundle.of(environment.name, "ConfigMap") if item.name == "settings")
    named = [str(dig(item.body, "data", "protected-namespaces") or "") for item in settings]
    projects = {item.namespace for item in bundle.of(environment.name, "AppProject")}
    return namespace in {*projects, *(name for text in named for name in text.split())} - {""}


def settled(bundle: Bundle, environment: Environment) -> World:
    """The World of an environment as it will be with a first target: the same where it has one."""
    return _settled(bundle, environment.name)


@once
def _settled(bundle: Bundle, name: str) -> World:
    environment, known = bundle.environment(name), world(bundle, name)
    if targets(bundle, environment) != [TARGETS]:
        return known
    own = (*known.own, *_bindings(bundle, environment))
    return World(known.resources, policy(join(own)), own, known.refused, known.charts, known.brought)


def _bindings(bundle: Bundle, environment: Environment) -> Iterator[Binding]:
    for name, subject in holders(bundle, environment).items():
        yield Binding(TARGETS, name, "ClusterRole", name, (subject,))
