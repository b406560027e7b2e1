"""The Roles and bindings of one environment, as one Policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kre.model.bundle import Bundle
from kre.model.chart import Chart
from kre.model.once import once
from kre.model.resource import Resource, dig, sources
from kre.rbac.decode import Rejected
from kre.rbac.defaults import join
from kre.rbac.evaluate import Policy, policy
from kre.rbac.model import Binding, Role
from kre.rbac.objects import GROUP, KINDS, parse

DEFAULT = "default"


@dataclass(frozen=True)
class World:
    """Objects that live side by side, and what they allow.

    `refused` are RBAC objects that the API server would not take, each with why: they give nothing. `charts` are the
    Applications whose chart is not rendered here, so that nobody knows what RBAC it brings, each with the chart's name
    and why it is not; `brought` are the charts whose objects are among the resources.
    """

    resources: tuple[Resource, ...]
    policy: Policy
    own: tuple[Role | Binding, ...]
    refused: tuple[tuple[Resource, Rejected], ...] = ()
    charts: tuple[tuple[Resource, str, str], ...] = ()
    brought: tuple[Chart, ...] = ()

    def unsettled(self) -> list[Role]:
        """The ClusterRoles among them whose rules never come to rest (kre.rbac.aggregate)."""
        return [item for item in self.own if isinstance(item, Role) and self._restless(item)]

    def _restless(self, role: Role) -> bool:
        return role.kind == "ClusterRole" and role.name in self.policy.unsettled


@once
def world(bundle: Bundle, environment: str | None) -> World:
    """The World of an environment, or of all that a folder without environments holds; with Kubernetes' own roles, and
    with what charts make where those are rendered."""
    written = tuple(bundle.of(environment) if environment is not None else bundle.resources)
    charts, brought = installed(bundle, written)
    resources = (*written, *(item for chart in brought for item in chart.resources))
    own, refused = parsed(resources)
    return World(resources, policy(join(own)), tuple(own), tuple(refused), charts, brought)


def installed(
    bundle: Bundle, written: Iterable[Resource]
) -> tuple[tuple[tuple[Resource, str, str], ...], tuple[Chart, ...]]:
    """The charts that Applications among these objects install, as in World: those that are not rendered, and those
    that are."""
    known = {(id(chart.application), chart.pointer): chart for chart in bundle.charts}
    left, brought = [], []
    for item in written:
        for pointer, source in sources(item):
            if dig(source, "chart"):
                chart = known.get((id(item), pointer))
                if chart and not chart.missing:
                    brought.append(chart)
                else:
                    name = f"{dig(source, 'chart')} {dig(source, 'targetRevision')}"
                    left.append((item, name, chart.missing if chart else ""))
    return tuple(left), tuple(brought)


def parsed(resources: Iterable[Resource]) -> tuple[list[Role | Binding], list[tuple[Resource, Rejected]]]:
    """The RBAC objects among these, and those that would be refused. One without a namespace goes to `default`."""
    found, refused = [], []
    for item in resources:
        if item.kind in KINDS and item.group == GROUP:
            try:
                found.append(parse(item.body, item.namespace or DEFAULT, item))
            except Rejected as error:
                refused.append((item, error))
    return found, refused
