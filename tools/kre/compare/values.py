"""Values of charts. Nobody renders a chart here: a value is judged by its name, and one that nobody knows counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kre.compare.differences import Difference, differences
from kre.compare.objects import Side, folder
from kre.compare.pair import Pair, turned
from kre.load.values import Values, of_application
from kre.model.comparison import Change, Kind
from kre.model.resource import Resource

_HARMLESS = re.compile(
    r"(?i)(^|\.)(resources|podAnnotations|terminationGracePeriodSeconds|(liveness|readiness|startup)Probe|"
    r"revisionHistoryLimit|pdb|podDisruptionBudget|topologySpreadConstraints|priorityClassName|"
    r"imagePullSecrets)([.\[]|$)"
)
_REPLICAS = re.compile(r"(?i)(^|\.)replica(s|Count)$")
_BY_NAME = (  # the first that fits
    (Kind.AUTHENTICATION, r"auth|tls|cert|secret|token|insecure|password|customheaders|sso|existingsecret|(^|\.)ca\b"),
    (Kind.RBAC, r"rbac|clusterrole|serviceaccount|role\b|singlenamespace|managednamespace|crds"),
    (Kind.NETWORK, r"networkpolicy|ingress|(^|\.)service(\.|$)|hostport|gateway|httproute"),
    (Kind.WORKLOAD, r"image|securitycontext|hostnetwork|hostpid|hostipc|privileged|volume|mounts|extra"),
    (Kind.WORKLOAD, r"initcontainers|sidecar|command|args|(^|\.)env|lifecycle|runtimeclass"),
)
_DETECTION = {  # chart -> what there stands between an intrusion and its alert
    "falco": r"falco|rules|driver|collectors|controller|nodeselector|toleration|affinity|enabled|fullnameoverride",
    "falcosidekick": r"webhook|priority|fields|nodeselector|toleration|affinity|fullnameoverride|nameoverride|listen",
}


@dataclass(frozen=True, slots=True)
class _Chart:
    """The merged values of one chart of one Application, and where to point at."""

    application: Resource
    values: Values
    merged: dict[str, Any]


def values(pair: Pair) -> Iterator[Change]:
    """Every value of a chart that differs, by the kind that its name tells."""
    old, new = _charts(pair.before), _charts(pair.after)
    for key in sorted(old.keys() & new.keys()):
        for at in differences(old[key].merged, new[key].merged):
            kind = _kind(key[1], at)
            if kind is not None:
                files = [source.path for source in new[key].values.files]
                where = new[key].values.place(*(str(step) for step in at.pointer)).path if files else ""
                yield Change(kind, f"chart {key[1]}", turned(at), at.before, at.after, path=where, pointer=at.pointer)


def _kind(chart: str, at: Difference) -> Kind | None:
    if _HARMLESS.search(at.path):
        return None
    if _REPLICAS.search(at.path):
        running = isinstance(at.after, int) and at.after > 0
        return None if running else Kind.DETECTION
    inner = f"{at.path} {' '.join(_keys(at.before))} {' '.join(_keys(at.after))}".lower()
    for kind, pattern in _BY_NAME:
        if re.search(pattern, inner):
            return kind
    found = re.search(_DETECTION[chart], inner) if chart in _DETECTION else None
    return Kind.DETECTION if found else Kind.VALUES


def _keys(value: object) -> Iterator[str]:
    """The names inside of a value that comes or goes as a whole."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from _keys(inner)


def _charts(side: Side) -> dict[tuple[str, str], _Chart]:
    """(folder and name of the Application without its prefix, chart) -> its values."""
    found = {}
    for application in side.of("Application"):
        for values_ in of_application(side.bundle, application):
            name = application.name.removeprefix(f"{side.name}-")
            merged: dict[str, Any] = {}
            for source in values_.files:
                merged = merge(merged, source.documents[0].value if source.documents else None)
            found[f"{folder(application)} {name}", values_.chart] = _Chart(application, values_, merged)
    return found


def merge(under: Mapping[str, Any], over: object) -> dict[str, Any]:
    """Values as Helm puts them together: maps are merged, null takes away, all else replaces."""
    made = dict(under)
    for key, value in over.items() if isinstance(over, Mapping) else ():
        below = made.get(key)
        if value is None:
            made.pop(key, None)
        elif isinstance(value, Mapping):
            made[key] = merge(below if isinstance(below, Mapping) else {}, value)
        else:
            made[key] = value
    return made
