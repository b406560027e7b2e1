"""What stands in an environment beside its RBAC, as far as it decides who can become whom. Plain values, so that it can
be kept between runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeAlias

from kre.model.bundle import Bundle
from kre.model.finding import Place
from kre.model.resource import Resource, dig, sources, walk
from kre.rbac.environment import DEFAULT, parsed
from kre.rbac.identities import identities
from kre.rbac.model import Binding
from kre.rbac.reach.controllers import Controller, controllers
from kre.rbac.reach.model import Who, bound, service_account
from kre.rbac.reach.walls import Wall, walls

Pair: TypeAlias = tuple[str, str]

_TEMPLATES = ("WorkflowTemplate", "ClusterWorkflowTemplate")
_ENGINE_KINDS = ("Sensor", "EventSource", "EventBus", "WorkflowTemplate", "WorkflowEventBinding")
_ENGINE_CHARTS = ("argo-events", "argo-workflows", "falco", "falcosidekick")
_ARGOCD_KINDS = ("Application", "ApplicationSet", "AppProject")
_GUARDED = ("baseline", "restricted")
_MARK = "{{"
_TOKEN = ("kubernetes.io/service-account-token", "kubernetes.io/service-account.name")


@dataclass(frozen=True)
class Ground:
    """All pairs are (namespace, name).

    `accounts` are the ServiceAccounts that are here or run something, `bound` (with their kind first) all whom bindings
    here name, `idle` those that are here and run nothing: what
    others run, charts decide, or the cluster. Of Workflows' templates: `named` are whom they run as, `loose` the
    namespaces where one has a parameter there ("" for all). `tokens` are Secrets with the token of a ServiceAccount of
    their namespace: (namespace, Secret, account). `guarded` are the namespaces whose pods can't take over a node, by
    Pod Security; `engine` those of the engine's parts and controllers, `argocd` of Applications, `charts` those that a
    chart goes to; `maps` are all ConfigMaps.
    """

    namespaces: tuple[str, ...] = ()
    accounts: tuple[Pair, ...] = ()
    bound: tuple[tuple[str, str, str], ...] = ()
    idle: frozenset[Pair] = frozenset()
    named: frozenset[Pair] = frozenset()
    loose: frozenset[str] = frozenset()
    tokens: tuple[tuple[str, str, str], ...] = ()
    guarded: frozenset[str] = frozenset()
    engine: frozenset[str] = frozenset()
    argocd: frozenset[str] = frozenset()
    charts: frozenset[str] = frozenset()
    maps: frozenset[Pair] = frozenset()
    controllers: tuple[Controller, ...] = ()
    walls: tuple[Wall, ...] = ()

    @property
    def everybody(self) -> list[Who]:
        """Every identity that objects here name."""
        accounts = {service_account(*pair) for pair in self.accounts}
        return sorted(accounts | {Who(*one) for one in self.bound})

    def made_by_chart(self, namespace: str, name: str) -> bool:
        """Whether a ServiceAccount is one that nothing here makes or names but bindings, where a chart goes."""
        return namespace in self.charts and (namespace, name) not in self.accounts

    def closed(self, namespace: str) -> bool:
        """Whether the controllers of this namespace's Workflows look at no template of the whole cluster."""
        found = [one for one in self.controllers if one.manages(namespace)]
        return bool(found) and not any(one.cluster_templates for one in found)

    def holds(self, namespace: str, *modes: str) -> bool:
        """Whether every controller of this namespace's Workflows takes a template and arguments, and no more."""
        found = [one for one in self.controllers if one.manages(namespace)]
        return bool(found) and all(one.holds(*modes) for one in found)


def ground(bundle: Bundle, resources: Iterable[Resource]) -> Ground:
    """The Ground of objects that live side by side."""
    known = list(resources)
    running = identities(bundle, known)
    at_work = controllers(bundle, known)
    here = {(item.namespace or DEFAULT, item.name) for item in known if item.kind == "ServiceAccount"}
    busy = {(one.namespace, one.name) for one in running if not one.parameterised}
    accounts = here | busy
    engine = _engine(known) | {one.namespace for one in at_work} | {one.managed for one in at_work}
    spaces = {item.namespace for item in known} | {item.name for item in known if item.kind == "Namespace"}
    return Ground(
        tuple(sorted((spaces | engine | {space for space, _ in accounts}) - {""})),
        tuple(sorted(accounts)),
        tuple(sorted({who for one in parsed(known)[0] if isinstance(one, Binding) for who in bound(one)})),
        frozenset(here - busy),
        frozenset(
            (one.namespace, one.name) for one in running if any(use.resource.kind in _TEMPLATES for use in one.uses)
        ),
        frozenset(item.namespace for item in known if item.kind in _TEMPLATES and _loose(item)),
        tuple(sorted(_tokens(known))),
        frozenset(item.name for item in known if item.kind == "Namespace" and _enforced(item) in _GUARDED),
        frozenset(engine - {""}),
        frozenset(item.namespace for item in known if item.kind in _ARGOCD_KINDS) - {""},
        frozenset(space for space, _ in _charts(known)) - {""},
        frozenset((item.namespace, item.name) for item in known if item.kind == "ConfigMap"),
        at_work,
        walls(known),
    )


def _engine(resources: list[Resource]) -> set[str]:
    """The namespaces of the engine's parts, and those where the charts of its controllers go."""
    found = {item.namespace for item in resources if item.kind in _ENGINE_KINDS}
    return found | {space for space, chart in _charts(resources) if chart in _ENGINE_CHARTS}


def _charts(resources: list[Resource]) -> Iterator[tuple[str, object]]:
    """(namespace, chart) of every chart that an Application installs."""
    for item in resources:
        space = str(dig(item.body, "spec", "destination", "namespace") or "")
        yield from ((space, dig(source, "chart")) for _, source in sources(item) if dig(source, "chart"))


def _loose(template: Resource) -> bool:
    """Whether a parameter may choose the ServiceAccount: by its name, or inside of a patch of the pod."""
    return any(
        pointer[-1:] in (("serviceAccountName",), ("podSpecPatch",)) and isinstance(value, str) and _MARK in value
        for pointer, value in walk(template.body)
    )


def _enforced(namespace: Resource) -> object:
    return dig(namespace.metadata, "labels", "pod-security.kubernetes.io/enforce")


def _tokens(resources: list[Resource]) -> Iterator[tuple[str, str, str]]:
    for item in resources:
        if item.kind == "Secret" and item.body.get("type") == _TOKEN[0]:
            yield item.namespace, item.name, str(dig(item.metadata, "annotations", _TOKEN[1]) or "")


def to_json(known: Ground) -> dict[str, Any]:
    """All of it as JSON."""
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in asdict(known).items()}


def from_json(found: Mapping[str, Any]) -> Ground:
    """The Ground of what to_json() made."""
    made: dict[str, Any] = {}
    for field in fields(Ground):
        value = [tuple(one) if isinstance(one, list) else one for one in found[field.name]]
        made[field.name] = frozenset(value) if isinstance(field.default, frozenset) else tuple(value)
    made["controllers"] = tuple(_controller(one) for one in found["controllers"])
    made["walls"] = tuple(Wall(**{key: _tuples(value) for key, value in one.items()}) for one in found["walls"])
    return Ground(**made)


def _controller(found: Mapping[str, Any]) -> Controller:
    values = {key: _tuples(value) for key, value in found.items()}
    for key in ("mode_place", "version_place"):
        values[key] = Place(**found[key])
    return Controller(**values)


def _tuples(value: Any) -> Any:  # noqa: ANN401 - JSON
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value
